"""Which tables ask for a second pair of eyes."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.accesses import accessed
from api.caller import Caller
from api.commands.dispatch import Planned
from api.commands.shapes import Body, answer
from api.deps import IdempotencyKey, allow
from api.present import present
from api.state import State
from domain.setup.kinds import Kind
from rules.access import Action
from store.audit import AuditAction
from store.database import Transaction
from store.setup import policies

router = APIRouter(prefix="/commands/setup", tags=["set-up"])


class FourEyes(Body):
    """The tables whose changes wait until somebody else approves them."""

    kinds: list[Kind]


@router.get("/four-eyes")
async def read_four_eyes(state: State, caller: Annotated[Caller, allow(Action.READ_SETUP)]) -> dict[str, Any]:
    """The tables whose changes somebody else approves."""
    async with state.database.transaction(caller.hospital) as tx:
        return {"kinds": sorted(await policies.four_eyes(tx))}


@router.post("/four-eyes")
async def set_four_eyes(
    body: FourEyes,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.SETTLE_SETUP, step_up=True)],
) -> JSONResponse:
    """Ask for a second pair of eyes for these tables and no others."""

    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        at = await present(tx, state)
        await policies.set_four_eyes(tx, body.kinds, by=caller.actor, now=at.now)
        await accessed(tx, caller, AuditAction.EXECUTE, "setup-four-eyes", at=at.real)
        return Planned.answered(200, {"kinds": sorted(set(body.kinds))})

    content = body.model_dump(mode="json")
    return answer(await state.dispatcher.submit(caller, key=key, command="setup-four-eyes", body=content, plan=plan))
