"""Two records of one person: asking for their merge on a patient's page, and the list where a colleague decides."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from pydantic import ValidationError

from api.caller import Caller
from api.commands.patients.finding import Asked, find
from api.commands.patients.merging import Decision, Wanted, read_merges, submit_decision, submit_request
from api.deps import allow
from api.state import AppState, State
from api.ui import pages, reading
from api.ui.routes.patients import patient_page, rows_of
from api.ui.routes.said import notice_of
from api.ui.views.names import Names
from api.ui.views.patients import merge_row
from domain.errors import Conflict, Invalid
from domain.ids import Reference
from rules.access import Action, may

router = APIRouter(include_in_schema=False)

Key = Annotated[str, Form(pattern=r"^[\x21-\x7e]{1,80}$")]


@router.get("/patients/merges")
async def show_merges(
    request: Request,
    state: State,
    caller: Annotated[Caller, allow(Action.REQUEST_MERGE)],
    show: str = "waiting",
    said: str = "",
) -> Response:
    words, waiting = pages.words_of(request), show != "decided"
    asked = await read_merges(state, caller, waiting=waiting)
    both = sorted({each for one in asked for each in (one.source, one.target)})
    rows = {each.reference: each for each in await rows_of(request, state, caller, both)}
    async with state.database.transaction(caller.hospital) as tx:
        people = await reading.people(tx, words, [name for one in asked for name in (one.asked_by, one.decided_by)])
    now = state.now()
    merges = [merge_row(words, one, rows, Names(people=people), me=caller.actor, now=now) for one in asked]
    return pages.page(
        request,
        "patients/merges.html",
        words.gettext("Records to merge"),
        notice=notice_of(words, said),
        merges=merges,
        waiting=waiting,
        may_decide=may(caller.roles, Action.MERGE_PATIENTS),
        key=uuid4().hex,
    )


@router.post("/patients/merges/{merge_id}/decide")
async def decide(
    state: State,
    *,
    merge_id: UUID,
    caller: Annotated[Caller, allow(Action.MERGE_PATIENTS)],
    key: Key,
    decision: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    try:
        chosen = Decision.model_validate({"decision": decision})
    except ValidationError:
        raise Invalid("merge or refuse", field="decision") from None
    await submit_decision(state, caller, key, merge_id, chosen)
    return pages.go("/patients/merges", said="merged" if chosen.decision == "merge" else "merge-refused")


@router.post("/patients/{patient_id}/merge")
async def ask(
    request: Request,
    state: State,
    *,
    patient_id: str,
    caller: Annotated[Caller, allow(Action.REQUEST_MERGE)],
    key: Key,
    other: Annotated[str, Form(max_length=100)] = "",
    reason: Annotated[str, Form(max_length=40)] = "",
) -> Response:
    """`other`: number of the record that ends, as it stands on the other's page."""
    words, who = pages.words_of(request), Reference.to("Patient", patient_id)
    errors: dict[str, str] = {}
    found = await _numbered(state, caller, other)
    if found is None or found == who:
        errors["other"] = words.gettext("Enter the patient number of another record.")
    if not reason:
        errors["reason"] = words.gettext("Choose one.")
    if not errors:
        try:
            wanted = Wanted.model_validate({"source": found, "target": who, "reason": reason})
            await submit_request(state, caller, key, wanted)
            return pages.go(f"/patients/{patient_id}", said="merge-asked")
        except ValidationError:
            errors["reason"] = words.gettext("Choose one.")
        except Invalid:
            errors["other"] = words.gettext("Enter the patient number of another record.")
        except Conflict:
            errors["other"] = words.gettext("A request for that record waits already.")
    view = await patient_page(request, state, caller, who, values={"other": other, "reason": reason}, errors=errors)
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return pages.page(request, "patients/show.html", view.row.view.name, status=status, view=view)


async def _numbered(state: AppState, caller: Caller, number: str) -> Reference | None:
    """The one patient with the number; None for nobody or several."""
    try:
        found = await find(state, caller, Asked(text=number, limit=2))
    except Invalid:
        return None
    bare = number.strip().lstrip("0")
    exact = [
        each
        for each, body in found.bodies.items()
        if body and any(str(one.get("value", "")).lstrip("0") == bare for one in body.get("identifier", []))
    ]
    return exact[0] if len(exact) == 1 and bare else None
