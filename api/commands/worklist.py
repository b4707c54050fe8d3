"""Taking tasks, giving them back, finishing them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from adapters.fhir import tasks
from api.accesses import Shown, accessed
from api.caller import Caller
from api.commands.dispatch import Outcome, Planned
from api.commands.shapes import Body, answer
from api.deps import IdempotencyKey, allow
from api.places import is_usable_bed
from api.present import Present, present
from api.state import AppState, State
from domain.admission import AssignBed
from domain.commands import CommandRef
from domain.errors import AlreadyDone, BedTaken, Invalid, NotFound, NotOwner, StaleRevision
from domain.ids import Reference, WorkflowId
from domain.journal import JournalEntry, JournalKey
from domain.worklist import TaskKind
from rules.access import Action
from store import beds, journal, records, worklist
from store.audit import AuditAction
from store.database import Transaction
from store.setup import showing
from store.worklist import Task

router = APIRouter(prefix="/commands/worklist", tags=["worklist"])

CLAIM, RELEASE, COMPLETE = "claim-task", "release-task", "complete-task"

LIMIT = 200
"""A list longer than this is no list to work from; the most urgent stand in it."""


class AtRevision(Body):
    """The task's revision as the person saw it: what changed since is not overwritten."""

    revision: int


class Completion(AtRevision):
    """The answer to a task: "assign a bed" takes a bed, "refused" only that it was seen."""

    bed: Reference | None = None


@router.get("")
async def list_tasks(state: State, caller: Annotated[Caller, allow(Action.SEE_WORKLIST)]) -> dict[str, Any]:
    """Open tasks of the caller's roles, the most urgent first."""
    async with state.database.transaction(caller.hospital) as tx:
        at = await present(tx, state)
        found = await read_list(tx, caller, at)
    return {"at": at.now.isoformat(), "tasks": [_as_json(task) for task in found]}


@router.post("/{task_id}/claim")
async def claim(
    task_id: str,
    body: AtRevision,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.WORK_TASK)],
) -> JSONResponse:
    """Take a task that nobody has."""
    return answer(await submit_claim(state, caller, key, Reference.to("Task", task_id), body.revision))


@router.post("/{task_id}/release")
async def release(
    task_id: str,
    body: AtRevision,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.WORK_TASK)],
) -> JSONResponse:
    """Give a task back."""
    return answer(await submit_release(state, caller, key, Reference.to("Task", task_id), body.revision))


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


async def read_list(tx: Transaction, caller: Caller, at: Present, *, shown: Shown | None = None) -> list[Task]:
    """The caller's list, written down as one access to all its patients; with `shown`, only if it shows a new one."""
    found = await worklist.for_roles(tx, caller.roles, actor=caller.actor, limit=LIMIT, now=at.now)
    patients = [task.patient for task in found]
    if patients and (shown is None or shown.anew(caller.session, patients, at.real)):
        await accessed(tx, caller, AuditAction.QUERY, "worklist", at=at.real, patients=patients)
    return found


async def submit_claim(state: AppState, caller: Caller, key: str, ref: Reference, revision: int) -> Outcome:
    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        at = await present(tx, state)
        before = await worklist.get(tx, ref, lock=True)
        task = await worklist.claim(tx, ref, actor=caller.actor, roles=caller.roles, revision=revision, now=at.now)
        if task.revision != before.revision:
            stored = await records.read(tx, ref)
            await records.update(
                tx, tasks.claimed(stored.body, caller.actor, at.now), if_match=stored.version, now=at.now
            )
            await _tell(tx, caller, task, key=JournalKey.TASK_CLAIMED, detail=CLAIM, at=at)
        return Planned.answered(HTTPStatus.OK, _as_json(task))

    body = {"task": ref, "revision": revision}
    return await state.dispatcher.submit(caller, key=key, command=CLAIM, body=body, plan=plan)


async def submit_release(state: AppState, caller: Caller, key: str, ref: Reference, revision: int) -> Outcome:
    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        at = await present(tx, state)
        task = await worklist.release(tx, ref, actor=caller.actor, revision=revision, now=at.now)
        stored = await records.read(tx, ref)
        await records.update(tx, tasks.released(stored.body, at.now), if_match=stored.version, now=at.now)
        await _tell(tx, caller, task, key=JournalKey.TASK_RELEASED, detail=RELEASE, at=at)
        return Planned.answered(HTTPStatus.OK, _as_json(task))

    body = {"task": ref, "revision": revision}
    return await state.dispatcher.submit(caller, key=key, command=RELEASE, body=body, plan=plan)


async def submit_completion(state: AppState, caller: Caller, key: str, ref: Reference, body: Completion) -> Outcome:
    async def plan(tx: Transaction, command_id: UUID) -> Planned:
        at = await present(tx, state)
        task = await worklist.get(tx, ref)
        _refuse_what_is_hopeless(task, caller, body.revision)
        if task.kind is TaskKind.COMMAND_REFUSED:
            return await _seen(tx, caller, task, at)
        if body.bed is None:
            raise Invalid("this task is answered with a bed", field="/bed")
        await showing.turn(tx, at.now)
        await _refuse_bed(tx, body.bed)
        about = [ref, body.bed]
        await accessed(tx, caller, AuditAction.EXECUTE, COMPLETE, at=at.real, entities=about, patients=[task.patient])
        command = CommandRef(id=command_id, actor=caller.actor, received_at=at.now)
        order = AssignBed(command=command, task=ref, revision=body.revision, bed=body.bed)
        return Planned.update(task.workflow_id, "assign_bed", order.model_dump(mode="json"))

    content = {"task": ref, "revision": body.revision, "bed": body.bed}
    return await state.dispatcher.submit(caller, key=key, command=COMPLETE, body=content, plan=plan)


async def _seen(tx: Transaction, caller: Caller, task: Task, at: Present) -> Planned:
    """The author has read that a command of theirs was refused; no process waits for it."""
    done = await worklist.complete(tx, task.ref, actor=caller.actor, revision=task.revision, now=at.now)
    stored = await records.read(tx, task.ref)
    body = tasks.completed(stored.body, caller.actor, at.now)
    await records.update(tx, body, if_match=stored.version, now=at.now)
    await accessed(tx, caller, AuditAction.EXECUTE, COMPLETE, at=at.real, entities=[task.ref], patients=[task.patient])
    return Planned.answered(HTTPStatus.OK, _as_json(done))


def _refuse_what_is_hopeless(task: Task, caller: Caller, revision: int) -> None:
    # The effect decides under the row's lock. Asking here first spares the process every order that cannot succeed.
    if not task.status.open:
        by = {"by": task.closed_by} if task.closed_by else {}
        at = {"at": task.closed_at.isoformat()} if task.closed_at else {}
        raise AlreadyDone("the task has ended", status=task.status, **by, **at)
    if task.owner != caller.actor:
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


async def _tell(tx: Transaction, caller: Caller, task: Task, *, key: JournalKey, detail: str, at: Present) -> None:
    await journal.write(
        tx,
        workflow_id=task.workflow_id,
        step=f"{detail}/{task.ref}#{task.revision}",
        subject=WorkflowId.parse(task.workflow_id).subject,
        patient=task.patient,
        entries=[JournalEntry(key=key, params={"task": task.ref})],
        actor=caller.actor,
        occurred_at=at.now,
        recorded_at=at.real,
    )
    await accessed(tx, caller, AuditAction.EXECUTE, detail, at=at.real, entities=[task.ref], patients=[task.patient])


def _as_json(task: Task) -> dict[str, Any]:
    """A task for clients: references and codes; names are read from the records with the client's own rights."""
    return {
        "task": task.ref,
        "kind": task.kind,
        "status": task.status,
        "priority": task.priority,
        "patient": task.patient,
        "focus": task.focus,
        "encounter": WorkflowId.parse(task.workflow_id).subject,
        "ward": task.ward,
        "owner": task.owner,
        "owner_since": task.owner_since.isoformat() if task.owner_since else None,
        "due_at": task.due_at.isoformat(),
        "escalated": task.escalated,
        "opened_at": task.opened_at.isoformat(),
        "revision": task.revision,
    }
