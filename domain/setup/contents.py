"""Which content an entry of a kind has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from domain.errors import Invalid
from domain.setup.catalogue import Imaging, Laboratory, Specimen
from domain.setup.kinds import Content, Kind
from domain.setup.places import Department, Hospital, Place
from domain.setup.sheets import Document, Form, OrderSet
from domain.setup.supplies import Diagnosis, Fee, Medicine

MODELS: Mapping[Kind, type[Content]] = {
    Kind.HOSPITAL: Hospital,
    Kind.DEPARTMENT: Department,
    Kind.PLACE: Place,
    Kind.SPECIMEN: Specimen,
    Kind.FEE: Fee,
    Kind.LABORATORY: Laboratory,
    Kind.IMAGING: Imaging,
    Kind.MEDICINE: Medicine,
    Kind.DIAGNOSIS: Diagnosis,
    Kind.ORDER_SET: OrderSet,
    Kind.FORM: Form,
    Kind.DOCUMENT: Document,
}


def content_of(kind: Kind, raw: Mapping[str, Any]) -> Content:
    """Read an entry's content. Raises Invalid naming the field."""
    try:
        return MODELS[kind].model_validate(dict(raw))
    except ValidationError as wrong:
        field, reason = said(wrong)
        raise Invalid(reason, field=f"/content/{field}" if field else "/content") from wrong


def said(wrong: ValidationError) -> tuple[str, str]:
    """The field that is wrong, as a path, and why, in a sentence."""
    first = wrong.errors(include_url=False, include_input=False)[0]
    field = "/".join(str(part) for part in first["loc"] if part != "function-wrap[_one]")
    reason = str(first["msg"]).removeprefix("Value error, ")
    named, colon, rest = reason.partition(": ")
    if not field and colon and named.isidentifier():  # a rule over several fields names the one to change
        return named, rest
    return field, reason
