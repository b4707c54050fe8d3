"""The form "new admission"."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, ValidationError

from api.caller import Caller
from api.commands.admissions import AdmissionRequest, submit_request
from api.deps import allow
from api.places import is_ward
from api.present import present
from api.state import AppState, State
from api.ui import pages, reading
from api.ui.routes.patients import rows_of
from api.ui.views.admissions import admission_form, field_error
from api.ui.views.people import place_name
from api.ui.words import ZONE
from domain.errors import Invalid
from domain.ids import Reference
from domain.worklist import Priority
from rules.access import Action

router = APIRouter(include_in_schema=False)


class Typed(BaseModel):
    """What was typed, as it was typed: it comes back with what is wrong beside each field."""

    model_config = ConfigDict(str_strip_whitespace=True, str_max_length=200)

    key: str
    csrf: str = ""
    patient: str = ""
    name: str = ""
    birth_date: str = ""
    gender: str = ""
    phone: str = ""
    ward: str = ""
    priority: str = ""

    def as_request(self) -> dict[str, Any]:
        if self.patient:
            return {"patient": {"reference": self.patient}, "ward": self.ward, "priority": self.priority}
        new = {"name": self.name, "birth_date": self.birth_date, "gender": self.gender}
        if self.phone:
            new["phone"] = self.phone
        return {"patient": {"register": new}, "ward": self.ward, "priority": self.priority}

    @property
    def values(self) -> dict[str, str]:
        return self.model_dump(exclude={"key", "csrf"})


@router.get("/admissions/new")
async def show_form(
    request: Request,
    state: State,
    caller: Annotated[Caller, allow(Action.REQUEST_ADMISSION)],
    patient: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    return await _form(request, state, caller, {"patient": patient, "priority": Priority.ROUTINE.value})


@router.post("/admissions/new")
async def send_form(
    request: Request,
    state: State,
    caller: Annotated[Caller, allow(Action.REQUEST_ADMISSION)],
    typed: Annotated[Typed, Form()],
) -> Response:
    try:
        order = AdmissionRequest.model_validate(typed.as_request())
        outcome = await submit_request(state, caller, typed.key, order)
    except ValidationError as invalid:
        wrong = {_field(error["loc"]) for error in invalid.errors(include_input=False, include_context=False)}
        return await _form(request, state, caller, typed.values, wrong)
    except Invalid as refused:
        return await _form(request, state, caller, typed.values, {_field(refused.params["field"].split("/"))})
    if outcome.status == HTTPStatus.ACCEPTED:
        return pages.go(f"/kept/{typed.key}")
    return pages.go(f"/stays/{Reference(outcome.answer['encounter']).id}", said="requested")


def _field(loc: tuple[int | str, ...] | list[str]) -> str:
    """The form's field for a place in the command: the last name on the way."""
    names = [str(part) for part in loc if isinstance(part, str)]
    return names[-1] if names else ""


async def _form(
    request: Request,
    state: AppState,
    caller: Caller,
    values: Mapping[str, str] | None = None,
    wrong: set[str] | None = None,
) -> Response:
    words = pages.words_of(request)
    known = (values or {}).get("patient")
    patient = (await rows_of(request, state, caller, [Reference(known)]))[0] if known else None
    async with state.database.transaction(caller.hospital) as tx:
        located = await reading.places(tx)
        at = await present(tx, state)
    view = admission_form(
        words,
        key=uuid4().hex,
        wards={reference: place_name(words, body) for reference, body in located.items() if is_ward(body)},
        today=at.now.astimezone(ZONE).date().isoformat(),
        patient=patient,
        values=values,
        errors={name: field_error(words, name) for name in sorted(wrong or ())},
    )
    status = HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK
    return pages.page(request, "admissions/new.html", words.gettext("New admission"), status=status, form=view)
