"""Taking a task, beginning it, giving it back, and the next one by urgency."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.caller import Caller
from api.commands.dispatch import Outcome, Planned
from api.commands.shapes import Body, answer
from api.commands.worklist.shapes import AtRevision, as_json, person_of, reflect, tell
from api.deps import IdempotencyKey, allow
from api.present import Present, present
from api.state import AppState, State
from domain.ids import Reference
from domain.journal import JournalKey
from domain.worklist import TaskFilter
from rules.access import Action
from store import worklist
from store.database import Transaction
from store.worklist import Task, lists

router = APIRouter(prefix="/commands/worklist")

NEXT, CLAIM, START, RELEASE = "take-next-task", "claim-task", "start-task", "release-task"


class NextBody(Body):
    """filter: what the next task is looked for among; everything without it."""

    filter: TaskFilter = lists.EVERYTHING


@router.post("/next")
async def take_next(
    body: NextBody, key: IdempotencyKey, state: State, caller: Annotated[Caller, allow(Action.WORK_TASK)]
) -> JSONResponse:
    """Take and begin the most urgent task that nobody has. `task` is null when nothing waits."""
    return answer(await submit_next(state, caller, key, body.filter))


@router.post("/{task_id}/claim")
async def claim(
    task_id: str,
    body: AtRevision,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.WORK_TASK)],
) -> JSONResponse:
    """Take a task that nobody has, to do it later."""
    return answer(await submit_claim(state, caller, key, Reference.to("Task", task_id), body.revision))


@router.post("/{task_id}/start")
async def start(
    task_id: str,
    body: AtRevision,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.WORK_TASK)],
) -> JSONResponse:
    """Begin a task: one's own, or one that nobody has, which is taken by it. Its ladder stands down."""
    return answer(await submit_start(state, caller, key, Reference.to("Task", task_id), body.revision))


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


async def submit_next(state: AppState, caller: Caller, key: str, only: TaskFilter) -> Outcome:
    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        at = await present(tx, state)
        task = await lists.take_next(tx, await person_of(tx, caller, at.now), now=at.now, only=only)
        if task is None:
            return Planned.answered(HTTPStatus.OK, {"task": None})
        await reflect(tx, task, at)
        await tell(tx, caller, task, key=JournalKey.TASK_CLAIMED, detail=NEXT, at=at)
        return Planned.answered(HTTPStatus.OK, as_json(task))

    body = {"filter": only.model_dump(mode="json")}
    return await state.dispatcher.submit(caller, key=key, command=NEXT, body=body, plan=plan)


async def submit_claim(state: AppState, caller: Caller, key: str, ref: Reference, revision: int) -> Outcome:
    async def taken(tx: Transaction, at: Present) -> Task:
        return await worklist.claim(tx, ref, by=await person_of(tx, caller, at.now), revision=revision, now=at.now)

    return await _submit(state, caller, key, _Change(CLAIM, ref, revision, JournalKey.TASK_CLAIMED, taken))


async def submit_start(state: AppState, caller: Caller, key: str, ref: Reference, revision: int) -> Outcome:
    async def begun(tx: Transaction, at: Present) -> Task:
        return await worklist.claim(
            tx, ref, by=await person_of(tx, caller, at.now), revision=revision, now=at.now, start=True
        )

    return await _submit(state, caller, key, _Change(START, ref, revision, JournalKey.TASK_STARTED, begun))


async def submit_release(state: AppState, caller: Caller, key: str, ref: Reference, revision: int) -> Outcome:
    async def released(tx: Transaction, at: Present) -> Task:
        return await worklist.release(tx, ref, by=await person_of(tx, caller, at.now), revision=revision, now=at.now)

    return await _submit(state, caller, key, _Change(RELEASE, ref, revision, JournalKey.TASK_RELEASED, released))


@dataclass(frozen=True)
class _Change:
    """A change of who has a task, and the line that the journal keeps of it."""

    command: str
    task: Reference
    revision: int
    line: JournalKey
    act: Callable[[Transaction, Present], Awaitable[Task]]


async def _submit(state: AppState, caller: Caller, key: str, change: _Change) -> Outcome:
    """One short transaction: the row, the FHIR Task, the journal, the audit. What changed nothing is told nowhere."""

    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        at = await present(tx, state)
        before = await worklist.get(tx, change.task, lock=True)
        task = await change.act(tx, at)
        if task.revision != before.revision:
            await reflect(tx, task, at)
            await tell(tx, caller, task, key=change.line, detail=change.command, at=at)
        return Planned.answered(HTTPStatus.OK, as_json(task))

    body = {"task": change.task, "revision": change.revision}
    return await state.dispatcher.submit(caller, key=key, command=change.command, body=body, plan=plan)
