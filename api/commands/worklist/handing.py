"""Handing a task to somebody: delegated and returned by its owner, reassigned by who is responsible, forwarded."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field

from adapters.fhir.tasks import Remark
from api.caller import Caller
from api.care import refuse_beyond
from api.commands.dispatch import Outcome, Planned
from api.commands.shapes import answer
from api.commands.worklist.shapes import AtRevision, as_json, colleague, person_of, reflect, tell
from api.deps import IdempotencyKey, allow
from api.present import present
from api.state import AppState, State
from domain.errors import Invalid, NotFound
from domain.ids import Reference
from domain.journal import JournalKey
from domain.roles import Role
from domain.worklist import ReassignReason
from rules.access import Action
from store import records, worklist
from store.database import Transaction
from store.worklist import owning

router = APIRouter(prefix="/commands/worklist")

DELEGATE, RETURN, REASSIGN, FORWARD = "delegate-task", "return-task", "reassign-task", "forward-task"


class Delegation(AtRevision):
    """to: a colleague's account."""

    to: Annotated[str, Field(max_length=120)]


class Reassignment(AtRevision):
    """to: the account that gets the task; null gives it back to its candidates.  words: for people, with the task."""

    to: Annotated[str, Field(max_length=120)] | None = None
    reason: ReassignReason
    words: Annotated[str, Field(max_length=1000)] = ""


class Forwarding(AtRevision):
    """roles: who may take it from now on.  place: only those who work there; null for the whole house."""

    roles: Annotated[list[Role], Field(min_length=1, max_length=10)]
    place: Reference | None = None


@router.post("/{task_id}/delegate")
async def delegate(
    task_id: str,
    body: Delegation,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.WORK_TASK)],
) -> JSONResponse:
    """Give one's task to a colleague, who may return it."""
    return answer(await submit_delegation(state, caller, key, Reference.to("Task", task_id), body))


@router.post("/{task_id}/return")
async def give_back(
    task_id: str,
    body: AtRevision,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.WORK_TASK)],
) -> JSONResponse:
    """Return a delegated task to the colleague it came from."""
    return answer(await submit_return(state, caller, key, Reference.to("Task", task_id), body))


@router.post("/{task_id}/reassign")
async def reassign(
    task_id: str,
    body: Reassignment,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.REASSIGN_TASK)],
) -> JSONResponse:
    """Give a task to another, whoever has it, with a reason."""
    return answer(await submit_reassignment(state, caller, key, Reference.to("Task", task_id), body))


@router.post("/{task_id}/forward")
async def forward(
    task_id: str,
    body: Forwarding,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.WORK_TASK)],
) -> JSONResponse:
    """Send a task on to other roles or another place."""
    return answer(await submit_forwarding(state, caller, key, Reference.to("Task", task_id), body))


async def submit_delegation(state: AppState, caller: Caller, key: str, ref: Reference, body: Delegation) -> Outcome:
    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        at = await present(tx, state)
        by, to = await person_of(tx, caller, at.now), await colleague(tx, body.to, at.now)
        task = await owning.delegate(tx, ref, to, by=by, revision=body.revision, now=at.now)
        await reflect(tx, task, at)
        params = {"to": to.account}
        await tell(tx, caller, task, key=JournalKey.TASK_DELEGATED, detail=DELEGATE, at=at, params=params)
        return Planned.answered(HTTPStatus.OK, as_json(task))

    content = {"task": ref, **body.model_dump(mode="json")}
    return await state.dispatcher.submit(caller, key=key, command=DELEGATE, body=content, plan=plan)


async def submit_return(state: AppState, caller: Caller, key: str, ref: Reference, body: AtRevision) -> Outcome:
    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        at = await present(tx, state)
        task = await owning.give_back(
            tx, ref, by=await person_of(tx, caller, at.now), revision=body.revision, now=at.now
        )
        await reflect(tx, task, at)
        params = {"to": task.owner or ""}
        await tell(tx, caller, task, key=JournalKey.TASK_RETURNED, detail=RETURN, at=at, params=params)
        return Planned.answered(HTTPStatus.OK, as_json(task))

    content = {"task": ref, "revision": body.revision}
    return await state.dispatcher.submit(caller, key=key, command=RETURN, body=content, plan=plan)


async def submit_reassignment(state: AppState, caller: Caller, key: str, ref: Reference, body: Reassignment) -> Outcome:
    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        at = await present(tx, state)
        before = await worklist.get(tx, ref, lock=True)
        await refuse_beyond(tx, caller, Action.REASSIGN_TASK, before.patient, at.now)
        to = await colleague(tx, body.to, at.now) if body.to else None
        task = await owning.reassign(tx, ref, to, revision=body.revision, now=at.now)
        remark = Remark(author=caller.actor, text=body.words) if body.words else None
        await reflect(tx, task, at, remark=remark)
        params = {"from": before.owner or "", "to": body.to or "", "why": body.reason.value}
        await tell(tx, caller, task, key=JournalKey.TASK_REASSIGNED, detail=REASSIGN, at=at, params=params)
        return Planned.answered(HTTPStatus.OK, as_json(task))

    content = {"task": ref, **body.model_dump(mode="json")}
    return await state.dispatcher.submit(caller, key=key, command=REASSIGN, body=content, plan=plan)


async def submit_forwarding(state: AppState, caller: Caller, key: str, ref: Reference, body: Forwarding) -> Outcome:
    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        at = await present(tx, state)
        await _must_be_a_place(tx, body.place)
        by, roles = await person_of(tx, caller, at.now), sorted(set(body.roles))
        task = await owning.forward(tx, ref, roles, place=body.place, by=by, revision=body.revision)
        await reflect(tx, task, at, roles=roles)
        params = {"role": ",".join(roles)} | ({"ward": body.place} if body.place else {})
        await tell(tx, caller, task, key=JournalKey.TASK_FORWARDED, detail=FORWARD, at=at, params=params)
        return Planned.answered(HTTPStatus.OK, as_json(task))

    content = {"task": ref, **body.model_dump(mode="json")}
    return await state.dispatcher.submit(caller, key=key, command=FORWARD, body=content, plan=plan)


async def _must_be_a_place(tx: Transaction, place: Reference | None) -> None:
    if place is None:
        return
    try:
        found = place.resource_type == "Location" and await records.read(tx, place)
    except NotFound:
        found = False
    if not found:
        raise Invalid("no such place in this hospital", field="/place")
