"""Finishing tasks: each kind has its answer, and what the process does with it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from adapters.fhir import tasks
from api.accesses import accessed
from api.caller import Caller
from api.commands.dispatch import Outcome, Planned
from api.commands.shapes import answer
from api.commands.worklist.shapes import AtRevision, as_json, noted, person_of
from api.deps import IdempotencyKey, allow
from api.places import is_usable_bed
from api.present import Present, present
from api.state import AppState, State
from domain.admission import AssignBed
from domain.commands import CommandRef
from domain.errors import AlreadyDone, BedTaken, Invalid, NotFound, NotOwner, StaleRevision
from domain.ids import Reference
from domain.worklist import TaskKind
from rules.access import Action
from store import beds, records, worklist
from store.audit import AuditAction
from store.database import Transaction
from store.setup import showing
from store.worklist import Person, Task

router = APIRouter(prefix="/commands/worklist")

COMPLETE = "complete-task"


class Completion(AtRevision):
    """The answer to a task: "assign a bed" takes a bed, "refused" only that it was seen."""

    bed: Reference | None = None


@router.post("/{task_id}/complete")
async def complete(
    task_id: str,
    body: Completion,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.WORK_TASK)],
) -> JSONResponse:
    """Finish a task that the caller has taken."""
    return answer(await submit_completion(state, caller, key, Reference.to("Task", task_id), body))


async def submit_completion(state: AppState, caller: Caller, key: str, ref: Reference, body: Completion) -> Outcome:
    async def plan(tx: Transaction, command_id: UUID) -> Planned:
        at = await present(tx, state)
        task = await worklist.get(tx, ref)
        by = await person_of(tx, caller, at.now)
        _refuse_what_is_hopeless(task, by, body.revision)
        if task.kind is TaskKind.COMMAND_REFUSED:
            return await _seen(tx, caller, by, task, at)
        if body.bed is None:
            raise Invalid("this task is answered with a bed", field="/bed")
        await showing.turn(tx, at.now)
        await _refuse_bed(tx, body.bed)
        about = [ref, body.bed]
        await accessed(tx, caller, AuditAction.EXECUTE, COMPLETE, at=at.real, entities=about, patients=[task.patient])
        command = CommandRef(id=command_id, actor=caller.actor, received_at=at.now, also=caller.on_behalf_of)
        order = AssignBed(command=command, task=ref, revision=body.revision, bed=body.bed)
        return Planned.update(task.workflow_id, "assign_bed", order.model_dump(mode="json"))

    content = {"task": ref, "revision": body.revision, "bed": body.bed}
    return await state.dispatcher.submit(caller, key=key, command=COMPLETE, body=content, plan=plan)


async def _seen(tx: Transaction, caller: Caller, by: Person, task: Task, at: Present) -> Planned:
    """The author has read that a command of theirs was refused; no process waits for it."""
    done = await worklist.complete(tx, task.ref, by=by, revision=task.revision, now=at.now)
    stored = await records.read(tx, task.ref)
    body = tasks.completed(stored.body, caller.actor, at.now)
    await records.update(tx, body, if_match=stored.version, now=at.now)
    await noted(tx, caller, task, detail=COMPLETE, at=at)
    return Planned.answered(HTTPStatus.OK, as_json(done))


def _refuse_what_is_hopeless(task: Task, by: Person, revision: int) -> None:
    # The effect decides under the row's lock. Asking here first spares the process every order that cannot succeed.
    if not task.status.open:
        who = {"by": task.closed_by} if task.closed_by else {}
        at = {"at": task.closed_at.isoformat()} if task.closed_at else {}
        raise AlreadyDone("the task has ended", status=task.status, **who, **at)
    if not by.has(task):
        raise NotOwner("the task is not the caller's", **({"by": task.owner} if task.owner else {}))
    if task.revision != revision:
        raise StaleRevision("the task has changed", expected=str(revision), actual=str(task.revision))


async def _refuse_bed(tx: Transaction, bed: Reference) -> None:
    try:
        found = await records.read(tx, bed)
    except NotFound:
        raise Invalid("no such bed in this hospital", field="/bed") from None
    if bed.resource_type != "Location" or not is_usable_bed(found.body):
        raise Invalid("this place is not a bed in use", field="/bed")
    if bed in await beds.occupied(tx):
        raise BedTaken("the bed has an occupant", bed=bed)
