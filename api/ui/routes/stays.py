"""One stay: where it stands, why it waits, and its story."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from api.accesses import accessed
from api.caller import Caller
from api.care import refuse_beyond
from api.commands.admissions import submit_cancel
from api.deps import allow
from api.present import present
from api.state import State
from api.ui import pages, reading
from api.ui.routes.said import notice_of
from api.ui.views.journal import named_in
from api.ui.views.stays import StayFacts, stay_view
from domain.admission import AdmissionState, CancelReason, admission_id
from domain.errors import NotFound
from domain.ids import Reference
from rules.access import Action, may
from store import journal, processes, records, worklist
from store.audit import AuditAction
from store.database import Transaction
from store.worklist import Task

router = APIRouter(include_in_schema=False)


@router.get("/stays/{encounter_id}")
async def show_stay(
    request: Request,
    state: State,
    encounter_id: str,
    caller: Annotated[Caller, allow(Action.READ_STAY)],
    said: str = "",
) -> Response:
    words, encounter = pages.words_of(request), Reference.to("Encounter", encounter_id)
    async with state.database.transaction(caller.hospital) as tx:
        at = await present(tx, state)
        stay = await records.read(tx, encounter)
        patient = Reference(stay.body["subject"]["reference"])
        await refuse_beyond(tx, caller, Action.READ_STAY, patient, at.now)
        admission = await _admission(tx, encounter)
        task = await _open_task(tx, admission)
        lines = await journal.read(tx, encounter)
        actors = [who for line in lines for who in named_in(line)] + ([task.owner] if task else [])
        facts = StayFacts(
            encounter=stay.body,
            patient=(await records.read(tx, patient)).body,
            admission=admission,
            task=task,
            candidates=sorted(await worklist.candidates(tx, task.ref)) if task else (),
            journal=lines,
            names=await reading.names(tx, words, actors),
        )
        if not pages.is_part(request):
            await accessed(tx, caller, AuditAction.READ, "stay", at=at.real, entities=[encounter], patients=[patient])
    view = stay_view(
        words,
        facts,
        at.now,
        key=uuid4().hex,
        may_cancel=may(caller.roles, Action.CANCEL_ADMISSION),
        may_work=task is not None and not set(facts.candidates).isdisjoint(caller.roles),
    )
    title = words.gettext("Stay of {name}").format(name=view.patient.name)
    template = "stays/_refreshed.html" if pages.is_part(request) else "stays/show.html"
    return pages.page(request, template, title, live=True, notice=notice_of(words, said), stay=view)


@router.post("/stays/{encounter_id}/cancel")
async def cancel(
    state: State,
    encounter_id: str,
    caller: Annotated[Caller, allow(Action.CANCEL_ADMISSION)],
    reason: Annotated[CancelReason, Form()],
    key: Annotated[str, Form(pattern=r"^[\x21-\x7e]{1,80}$")],
) -> Response:
    outcome = await submit_cancel(state, caller, key, Reference.to("Encounter", encounter_id), reason)
    if outcome.status == HTTPStatus.ACCEPTED:
        return pages.go(f"/kept/{key}")
    return pages.go(f"/stays/{encounter_id}", said="cancelled")


async def _admission(tx: Transaction, encounter: Reference) -> AdmissionState | None:
    """The admission that led to the stay; None for a stay that came from elsewhere."""
    try:
        row = await processes.get(tx, admission_id(tx.hospital, encounter))
    except NotFound:
        return None
    return AdmissionState.model_validate(row.snapshot.state)


async def _open_task(tx: Transaction, admission: AdmissionState | None) -> Task | None:
    if admission is None or admission.bed_task is None:
        return None
    task = await worklist.get(tx, admission.bed_task.ref)
    return task if task.status.open else None
