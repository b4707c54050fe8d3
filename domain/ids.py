"""Names of things: hospitals, references within a hospital, workflow ids, and the ids that a process gives."""

from __future__ import annotations

import re
from hashlib import sha1
from typing import Annotated, NewType, Self
from uuid import UUID

from pydantic import BaseModel, GetCoreSchemaHandler, StringConstraints
from pydantic_core import CoreSchema, core_schema

from domain.errors import Invalid

HospitalCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{1,30}$")]
"""A hospital's code in addresses, tokens and workflow ids, e.g. `hanbit`. Never changes."""

FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
"""FHIR R4 datatype `id`: letters, digits, '-' and '.', 1 to 64 long (hl7.org/fhir/R4/datatypes.html#id)."""

StepName = NewType("StepName", str)
"""Names one step of a process from domain keys plus a counter kept in its state, e.g. `assign-bed/1/complete`.

Never an activity id, run id or random number: those begin again after continue-as-new, a reset or a restart.
"""

_NAMED = sha1(UUID("6f1f4c1e-8f0a-5d0e-9a39-3f0f6a7f3b52").bytes, usedforsecurity=False)
_HOSPITAL = re.compile(r"[a-z][a-z0-9]{1,30}")
_PROCESS = re.compile(r"[a-z][a-z0-9-]{1,40}")
_REFERENCE = re.compile(r"[A-Z][A-Za-z]{1,63}/[A-Za-z0-9\-.]{1,64}")


class Reference(str):
    """A FHIR reference relative to its hospital, `Type/id`.

    It cannot carry a hospital, so a value that crosses hospitals cannot be written down.
    """

    __slots__ = ()

    def __new__(cls, value: str) -> Self:
        if not _REFERENCE.fullmatch(value):
            raise Invalid("not a reference of the form Type/id", field="reference")
        return super().__new__(cls, value)

    @classmethod
    def to(cls, kind: str, id_: str) -> Self:
        """The reference to resource `id_` of type `kind`. Raises Invalid for anything FHIR would not accept."""
        return cls(f"{kind}/{id_}")

    @classmethod
    def kept(cls, kind: str, id_: str) -> Self:
        """The reference of what is kept under these two names: whoever kept it has looked at them."""
        return str.__new__(cls, f"{kind}/{id_}")

    @property
    def resource_type(self) -> str:
        return self.partition("/")[0]

    @property
    def id(self) -> str:
        return self.partition("/")[2]

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: type[Self], _handler: GetCoreSchemaHandler) -> CoreSchema:
        def parse(value: str) -> Reference:
            try:
                return cls(value)
            except Invalid as refused:
                raise ValueError(str(refused)) from None

        return core_schema.no_info_after_validator_function(
            parse,
            core_schema.str_schema(pattern=r"^[A-Z][A-Za-z]{1,63}/[A-Za-z0-9\-.]{1,64}$"),
            serialization=core_schema.plain_serializer_function_ser_schema(str, return_schema=core_schema.str_schema()),
        )


class WorkflowId(BaseModel, frozen=True):
    """A workflow's id, `{hospital}/{process}/{Type}/{id}`.

    The hospital leads because clients choose FHIR ids: `Encounter/1` exists in two hospitals, and the codec, the
    activity interceptor and visibility take the hospital from here.
    """

    hospital: HospitalCode
    process: str
    subject: Reference

    def __str__(self) -> str:
        return f"{self.hospital}/{self.process}/{self.subject}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a workflow id. Raises Invalid for an id without a hospital's prefix."""
        hospital, _, rest = text.partition("/")
        process, _, subject = rest.partition("/")
        if not _HOSPITAL.fullmatch(hospital) or not _PROCESS.fullmatch(process):
            raise Invalid("a workflow id reads hospital/process/Type/id", field="workflow_id")
        return cls(hospital=hospital, process=process, subject=Reference(subject))


def hospital_of(workflow_id: str) -> str:
    """The hospital that a workflow belongs to. Raises Invalid for an id without its prefix."""
    return WorkflowId.parse(workflow_id).hospital


def made_uuid(workflow_id: str, step: str, what: str = "") -> UUID:
    """As `made_id`, as the number itself.

    RFC 4122 version 5, as `uuid.uuid5` makes it; without a decision's share of hashing the name space each time.
    """
    made = _NAMED.copy()
    made.update(f"{workflow_id}\n{step}\n{what}".encode())
    return UUID(bytes=made.digest()[:16], version=5)


def made_id(workflow_id: str, step: str, what: str = "") -> str:
    """The FHIR id of a resource that a process makes in `step`: the same step run again names the same resource."""
    return str(made_uuid(workflow_id, step, what))
