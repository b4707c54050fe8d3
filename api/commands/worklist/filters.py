"""Narrowed lists that a person keeps under a name."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse

from api.caller import Caller
from api.commands.dispatch import Planned
from api.commands.shapes import Body, answer
from api.deps import IdempotencyKey, allow
from api.state import State
from domain.worklist import TaskFilter
from rules.access import Action
from store.database import Transaction
from store.worklist import lists

router = APIRouter(prefix="/commands/worklist/filters")

SAVE, FORGET = "save-filter", "forget-filter"

Name = Annotated[str, Path(min_length=1, max_length=60)]


class FilterBody(Body):
    """What the list is narrowed to; see `TaskFilter`."""

    filter: TaskFilter


@router.get("")
async def list_filters(state: State, caller: Annotated[Caller, allow(Action.SEE_WORKLIST)]) -> dict[str, Any]:
    """The caller's own, by name."""
    async with state.database.transaction(caller.hospital) as tx:
        kept = await lists.saved_filters(tx, caller.actor)
    return {"filters": [each.model_dump(mode="json", exclude_defaults=True) for each in kept]}


@router.put("/{name}")
async def save_filter(
    name: Name,
    body: FilterBody,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.SEE_WORKLIST)],
) -> JSONResponse:
    """Keep a filter, replacing the one of that name."""

    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        await lists.save_filter(tx, caller.actor, name, body.filter)
        return Planned.answered(200, {"name": name})

    content = {"name": name, "filter": body.filter.model_dump(mode="json")}
    return answer(await state.dispatcher.submit(caller, key=key, command=SAVE, body=content, plan=plan))


@router.delete("/{name}")
async def forget_filter(
    name: Name, key: IdempotencyKey, state: State, caller: Annotated[Caller, allow(Action.SEE_WORKLIST)]
) -> JSONResponse:
    """Forget a filter."""

    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        await lists.forget_filter(tx, caller.actor, name)
        return Planned.answered(200, {"name": name})

    return answer(await state.dispatcher.submit(caller, key=key, command=FORGET, body={"name": name}, plan=plan))
