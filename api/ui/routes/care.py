"""The doors to records that are not open by themselves, and the queue of those who look at it afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response
from pydantic import ValidationError

from api.caller import Caller
from api.commands.care import (
    BreakGlass,
    Review,
    StatedPurpose,
    read_broken,
    submit_break_glass,
    submit_purpose,
    submit_review,
)
from api.deps import allow
from api.present import present
from api.state import State
from api.ui import pages, reading
from api.ui.routes.said import notice_of
from api.ui.views.care import DoorView, purposes, reasons, uses, verdicts
from domain.ids import Reference
from rules.access import Action
from store.care.glass import Verdict

router = APIRouter(include_in_schema=False)

Key = Annotated[str, Form(pattern=r"^[\x21-\x7e]{1,80}$")]
Typed = Annotated[str, Form(max_length=4000)]
Next = Annotated[str, Query(alias="next", max_length=2000)]


@router.get("/patients/{patient_id}/glass")
async def show_glass(
    request: Request,
    patient_id: str,
    caller: Annotated[Caller, allow(Action.BREAK_GLASS, step_up=True)],
    then: Annotated[str, Query(alias="next")] = "",
) -> Response:
    return _glass(request, patient_id, then)


@router.post("/patients/{patient_id}/glass")
async def break_glass(
    request: Request,
    state: State,
    *,
    patient_id: str,
    caller: Annotated[Caller, allow(Action.BREAK_GLASS, step_up=True)],
    key: Key,
    reason: Typed = "",
    words: Typed = "",
    then: Annotated[str, Form(alias="next")] = "",
) -> Response:
    typed = {"patient": Reference.to("Patient", patient_id), "reason": reason, "words": words}
    try:
        order = BreakGlass.model_validate(typed)
    except ValidationError as invalid:
        wrong = {str(error["loc"][-1]) for error in invalid.errors(include_input=False, include_context=False)}
        return _glass(request, patient_id, then, reason=reason, words=words, wrong=wrong)
    await submit_break_glass(state, caller, key, order)
    return pages.go(_then(patient_id, then))


@router.get("/patients/{patient_id}/purpose")
async def show_purpose(
    request: Request,
    patient_id: str,
    caller: Annotated[Caller, allow(Action.STATE_PURPOSE)],
    then: Annotated[str, Query(alias="next")] = "",
) -> Response:
    return _purpose(request, patient_id, then)


@router.post("/patients/{patient_id}/purpose")
async def state_purpose(
    request: Request,
    state: State,
    *,
    patient_id: str,
    caller: Annotated[Caller, allow(Action.STATE_PURPOSE)],
    key: Key,
    purpose: Typed = "",
    then: Annotated[str, Form(alias="next")] = "",
) -> Response:
    try:
        order = StatedPurpose.model_validate({"patient": Reference.to("Patient", patient_id), "purpose": purpose})
    except ValidationError:
        return _purpose(request, patient_id, then, wrong={"purpose"})
    await submit_purpose(state, caller, key, order)
    return pages.go(_then(patient_id, then))


@router.get("/break-glass")
async def show_queue(
    request: Request,
    state: State,
    caller: Annotated[Caller, allow(Action.REVIEW_BREAK_GLASS)],
    show: str = "open",
    said: str = "",
) -> Response:
    words, reviewed = pages.words_of(request), show == "reviewed"
    async with state.database.transaction(caller.hospital) as tx:
        at = await present(tx, state)
        found = await read_broken(tx, state, caller, reviewed=reviewed)
        patients = await reading.patients(tx, [each.patient for each in found])
        actors = [each.actor for each in found] + [each.reviewed_by for each in found]
        names = await reading.names(tx, words, actors)
    listed = uses(words, found, patients, names, at.now, reader=caller.actor)
    return pages.page(
        request,
        "care/queue.html",
        words.gettext("Emergency access"),
        notice=notice_of(words, said),
        uses=listed,
        verdicts=verdicts(words),
        reviewed=reviewed,
        key=uuid4().hex,
    )


@router.post("/break-glass/{use_id}/review")
async def review(
    state: State,
    *,
    use_id: UUID,
    caller: Annotated[Caller, allow(Action.REVIEW_BREAK_GLASS)],
    key: Key,
    verdict: Annotated[Verdict, Form()],
    remark: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    order = Review(verdict=verdict, remark=remark)
    await submit_review(state, caller, f"{key}-{use_id.hex[:8]}", use_id, order)
    return pages.go("/break-glass", said="reviewed")


def _glass(
    request: Request,
    patient_id: str,
    next_: str,
    *,
    reason: str = "",
    words: str = "",
    wrong: set[str] | None = None,
) -> Response:
    said = pages.words_of(request)
    _ = said.gettext
    sentences = {"reason": _("Choose a reason."), "words": _("Write what happened, in at least ten characters.")}
    view = DoorView(
        key=uuid4().hex,
        next=_then(patient_id, next_),
        choices=reasons(said),
        chosen=reason,
        words=words,
        errors=_errors(sentences, wrong),
    )
    address = f"/patients/{Reference.to('Patient', patient_id).id}/glass"
    title = _("Open this record in an emergency")
    return pages.page(request, "care/glass.html", title, status=_status(wrong), door=view, address=address)


def _purpose(request: Request, patient_id: str, next_: str, *, wrong: set[str] | None = None) -> Response:
    said = pages.words_of(request)
    _ = said.gettext
    view = DoorView(
        key=uuid4().hex,
        next=_then(patient_id, next_),
        choices=purposes(said),
        chosen="",
        words="",
        errors=_errors({"purpose": _("Choose a purpose.")}, wrong),
    )
    address = f"/patients/{Reference.to('Patient', patient_id).id}/purpose"
    title = _("Say why you open this record")
    return pages.page(request, "care/purpose.html", title, status=_status(wrong), door=view, address=address)


def _then(patient_id: str, next_: str) -> str:
    """Where the person wanted to go, else the record that was opened."""
    return pages.local_address(next_ or f"/patients/{Reference.to('Patient', patient_id).id}")


def _errors(sentences: Mapping[str, str], wrong: set[str] | None) -> dict[str, str]:
    return {name: sentences[name] for name in sorted(wrong or ()) if name in sentences}


def _status(wrong: set[str] | None) -> int:
    return HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK
