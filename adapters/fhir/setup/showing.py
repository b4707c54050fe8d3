"""Which resources an entry becomes."""

from __future__ import annotations

from typing import assert_never

from adapters.fhir.elements import Json
from adapters.fhir.setup import catalogue, places, sheets, supplies
from domain.setup.catalogue import Imaging, Laboratory, Specimen
from domain.setup.kinds import Content
from domain.setup.places import Department, Hospital, Place
from domain.setup.sheets import Document, Form, OrderSet
from domain.setup.supplies import Diagnosis, Fee, Medicine


def resources(code: str, content: Content, *, active: bool) -> list[Json]:  # noqa: PLR0911  (one line for each kind)
    """The resources of an entry; none for documents, and for diagnoses, which are shown together.

    active: False for an entry that has ended, which stays readable. Raises Invalid.
    """
    match content:
        case Hospital():
            return [places.hospital(code, content, active=active)]
        case Department():
            return [places.department(code, content, active=active)]
        case Place():
            return [places.place(code, content, active=active)]
        case Specimen():
            return [catalogue.specimen(code, content, active=active)]
        case Laboratory():
            return catalogue.laboratory(code, content, active=active)
        case Imaging():
            return [catalogue.imaging(code, content, active=active)]
        case Medicine():
            return supplies.medicine(code, content, active=active)
        case Fee():
            return [supplies.fee(code, content, active=active)]
        case OrderSet():
            return [sheets.order_set(code, content, active=active)]
        case Form():
            return [sheets.form(code, content, active=active)]
        case Diagnosis() | Document():
            return []
        case _:
            assert_never(content)  # type: ignore[arg-type]  # Content is open; the kinds are not
