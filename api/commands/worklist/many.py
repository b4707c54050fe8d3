"""One action on many tasks: each is a command of its own, with an answer of its own."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import Field, model_validator

from api import problems
from api.caller import Caller
from api.commands.dispatch import Outcome
from api.commands.shapes import Body, Instant
from api.commands.worklist.handing import Delegation, submit_delegation
from api.commands.worklist.owning import submit_claim, submit_release, submit_start
from api.commands.worklist.remarks import Snooze, submit_snooze
from api.denials import denied
from api.deps import IdempotencyKey, allow
from api.state import AppState, State
from api.ui.language import language_of
from domain.errors import Forbidden, OutOfReach, Refused, Unavailable
from domain.ids import Reference
from rules.access import Action

router = APIRouter(prefix="/commands/worklist")

MOST = 100
"""Tasks of one request: what a person can have looked at."""


class BulkAction(StrEnum):
    CLAIM = "claim"
    START = "start"
    RELEASE = "release"
    DELEGATE = "delegate"
    SNOOZE = "snooze"


class Item(Body):
    """task: a reference, Task/1.  revision: as the person saw it."""

    task: Reference
    revision: int


class Bulk(Body):
    """to: for `delegate`.  until: for `snooze`; null shows the tasks again."""

    action: BulkAction
    items: Annotated[list[Item], Field(min_length=1, max_length=MOST)]
    to: Annotated[str, Field(max_length=120)] = ""
    until: Instant | None = None

    @model_validator(mode="after")
    def _complete(self) -> Bulk:
        if self.action is BulkAction.DELEGATE and not self.to:
            raise ValueError("name the colleague in `to`")
        if len({item.task for item in self.items}) < len(self.items):
            raise ValueError("a task stands twice among the items")
        return self


@router.post("/bulk")
async def bulk(
    request: Request,
    body: Bulk,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.WORK_TASK)],
) -> JSONResponse:
    """Do the same to many tasks. What is refused for one is said beside it and hinders no other."""
    language = language_of(request)
    items = [await _one(state, caller, key, body, item, language) for item in body.items]
    done = sum(item["status"] < HTTPStatus.BAD_REQUEST for item in items)
    content = {"done": done, "refused": len(items) - done, "items": items}
    return JSONResponse(content, headers={"Cache-Control": "no-store"})


async def _one(state: AppState, caller: Caller, key: str, body: Bulk, item: Item, language: str) -> dict[str, Any]:  # noqa: PLR0917
    try:
        outcome = await _submit(state, caller, _key_of(key, item.task), body, item)
    except (Refused, Unavailable) as refused:
        if isinstance(refused, Forbidden | OutOfReach):
            await denied(state, caller, f"{body.action}-task", entities=[item.task])
        problem = problems.render(refused, language)
        return {"task": item.task, "status": problem["status"], "problem": problem}
    return {"task": item.task, "status": int(outcome.status), "answer": outcome.answer}


async def _submit(state: AppState, caller: Caller, key: str, body: Bulk, item: Item) -> Outcome:
    match body.action:
        case BulkAction.CLAIM:
            return await submit_claim(state, caller, key, item.task, item.revision)
        case BulkAction.START:
            return await submit_start(state, caller, key, item.task, item.revision)
        case BulkAction.RELEASE:
            return await submit_release(state, caller, key, item.task, item.revision)
        case BulkAction.DELEGATE:
            given = Delegation(revision=item.revision, to=body.to)
            return await submit_delegation(state, caller, key, item.task, given)
        case BulkAction.SNOOZE:
            return await submit_snooze(state, caller, key, item.task, Snooze(until=body.until))


def _key_of(key: str, task: Reference) -> str:
    """The key of one item: the same request again finds each item's first answer, also after a crash half-way."""
    return hashlib.sha256(f"{key}\n{task}".encode()).hexdigest()
