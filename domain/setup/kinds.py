"""The kinds of master data, and how their entries are named."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, StringConstraints

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,49}")
"""An entry's code. It leads the id of what is shown over FHIR, hence FHIR's letters."""


class Kind(StrEnum):
    """A table of a hospital's set-up."""

    HOSPITAL = "hospital"
    DEPARTMENT = "department"
    PLACE = "place"
    SPECIMEN = "specimen"
    FEE = "fee"
    LABORATORY = "laboratory"
    IMAGING = "imaging"
    MEDICINE = "medicine"
    DIAGNOSIS = "diagnosis"
    ORDER_SET = "order-set"
    FORM = "form"
    DOCUMENT = "document"


class Basis(StrEnum):
    """Where an entry comes from: a named source, a sample of a pack, or the hospital itself."""

    SOURCED = "sourced"
    SAMPLE = "sample"
    OWN = "own"


class Ref(NamedTuple):
    """Another entry that an entry needs, and the field that names it."""

    field: str
    kind: Kind
    code: str


Code = Annotated[str, StringConstraints(pattern=rf"^{CODE.pattern}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=120, pattern=r"^\S[^\x00-\x1f]*$")]
Words = Annotated[str, StringConstraints(max_length=2000)]


class Content(BaseModel):
    """What an entry says. Every kind has a name in both languages; a field that nobody knows is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    name_ko: Name
    name_en: Name

    def needs(self) -> tuple[Ref, ...]:
        """Other entries without which this one is not whole."""
        return ()
