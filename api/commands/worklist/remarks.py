"""What people add to a task without changing whose it is: comments, attachments, and putting it off."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field

from adapters.fhir.tasks import Remark, attached, comments, remarked
from api.caller import Caller
from api.commands.dispatch import Outcome, Planned
from api.commands.shapes import Body, Instant, answer
from api.commands.worklist.shapes import as_json, noted, person_of, tell
from api.deps import IdempotencyKey, allow
from api.present import present
from api.state import AppState, State
from domain.errors import Forbidden, Invalid, NotFound
from domain.ids import Reference
from domain.journal import JournalKey
from rules.access import Action
from store import records, worklist
from store.database import Transaction
from store.worklist import Person, Task, lists, owning
from store.worklist.tasks import change, still_open

router = APIRouter(prefix="/commands/worklist")

COMMENT, ATTACH, SNOOZE = "comment-task", "attach-to-task", "snooze-task"


class Comment(Body):
    """text: for colleagues; it stands in the FHIR Task as a note."""

    text: Annotated[str, Field(min_length=1, max_length=4000)]


class Attachment(Body):
    """reference: a record of the same patient, such as DocumentReference/1; it is referred to, not copied."""

    reference: Reference


class Snooze(Body):
    """until: hospital time; null shows the task again at once."""

    until: Instant | None


@router.post("/{task_id}/comment")
async def comment(
    task_id: str, body: Comment, key: IdempotencyKey, state: State, caller: Annotated[Caller, allow(Action.WORK_TASK)]
) -> JSONResponse:
    """Add a comment that all who see the task can read."""
    return answer(await submit_comment(state, caller, key, Reference.to("Task", task_id), body.text))


@router.post("/{task_id}/attach")
async def attach(
    task_id: str,
    body: Attachment,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.WORK_TASK)],
) -> JSONResponse:
    """Point from the task to a record of the patient."""
    return answer(await submit_attachment(state, caller, key, Reference.to("Task", task_id), body.reference))


@router.post("/{task_id}/snooze")
async def snooze(
    task_id: str, body: Snooze, key: IdempotencyKey, state: State, caller: Annotated[Caller, allow(Action.WORK_TASK)]
) -> JSONResponse:
    """Put a task off on one's own list. No clock stops: its ladder climbs on, and a climb shows it again."""
    return answer(await submit_snooze(state, caller, key, Reference.to("Task", task_id), body))


async def submit_comment(state: AppState, caller: Caller, key: str, ref: Reference, text: str) -> Outcome:
    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        at = await present(tx, state)
        task = await _seen(tx, await person_of(tx, caller, at.now), ref)
        stored = await records.read(tx, ref)
        body = remarked(stored.body, Remark(author=caller.actor, text=text), at.now)
        await records.update(tx, body, if_match=stored.version, now=at.now)
        task = await change(tx, task, comments=comments(body))
        await tell(tx, caller, task, key=JournalKey.TASK_COMMENTED, detail=COMMENT, at=at)
        return Planned.answered(HTTPStatus.OK, as_json(task))

    content = {"task": ref, "text": text}
    return await state.dispatcher.submit(caller, key=key, command=COMMENT, body=content, plan=plan)


async def submit_attachment(state: AppState, caller: Caller, key: str, ref: Reference, record: Reference) -> Outcome:
    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        at = await present(tx, state)
        task = await _seen(tx, await person_of(tx, caller, at.now), ref)
        await _must_be_of(tx, task, record)
        stored = await records.read(tx, ref)
        await records.update(tx, attached(stored.body, record, at.now), if_match=stored.version, now=at.now)
        task = await change(tx, task)
        await noted(tx, caller, task, detail=ATTACH, at=at)
        return Planned.answered(HTTPStatus.OK, as_json(task))

    content = {"task": ref, "reference": record}
    return await state.dispatcher.submit(caller, key=key, command=ATTACH, body=content, plan=plan)


async def submit_snooze(state: AppState, caller: Caller, key: str, ref: Reference, body: Snooze) -> Outcome:
    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        at = await present(tx, state)
        if body.until is not None and body.until <= at.now:
            raise Invalid("put it off until a time to come", field="/until")
        task = await _seen(tx, await person_of(tx, caller, at.now), ref)
        await lists.snooze(tx, task, caller.actor, body.until)
        return Planned.answered(HTTPStatus.OK, as_json(task))

    content = {"task": ref, "until": body.until.isoformat() if body.until else None}
    return await state.dispatcher.submit(caller, key=key, command=SNOOZE, body=content, plan=plan)


async def _seen(tx: Transaction, person: Person, ref: Reference) -> Task:
    """The open task, locked. Raises NotFound, AlreadyDone, Forbidden for one that is not on the person's list."""
    task = await worklist.get(tx, ref, lock=True)
    still_open(task)
    if not await owning.is_for(tx, task, person):
        raise Forbidden("none of the roles may take this task", task=ref)
    return task


async def _must_be_of(tx: Transaction, task: Task, record: Reference) -> None:
    try:
        found = await records.read(tx, record)
    except NotFound:
        raise Invalid("no such record", field="/reference") from None
    about = {"subject", "patient", "for"}
    patients = {found.body[name].get("reference") for name in about if isinstance(found.body.get(name), dict)}
    if record != task.patient and task.patient not in patients:
        raise Invalid("only records of the task's patient are attached", field="/reference")
