"""What a hospital asks of its rules, who approves them, and what was told of changed parents."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field

from api.accesses import accessed
from api.caller import Caller
from api.commands.dispatch import Planned
from api.commands.rules import books
from api.commands.shapes import Body, answer
from api.deps import IdempotencyKey, allow
from api.present import present
from api.state import State
from domain.errors import Invalid
from domain.rule_versions import PublishingPolicy
from rules.access import Action
from store.audit import AuditAction
from store.database import Transaction
from store.rules import notices, policies

router = APIRouter(prefix="/commands/rules", tags=["rules"])


class Policy(Body):
    """Fractions of 1; hours. `impact_signed`: a signed report of what the text would have decided."""

    branch_coverage: Annotated[float, Field(ge=0, le=1)]
    row_coverage: Annotated[float, Field(ge=0, le=1)]
    impact_signed: bool
    longest_disablement: Annotated[int, Field(ge=1, le=744)]


class Approvers(Body):
    """`place`: the hospital's code, or `hospital/department`. No accounts: everybody with the role."""

    place: str
    accounts: Annotated[list[str], Field(max_length=200)]


@router.get("/policy")
async def read_policy(state: State, caller: Annotated[Caller, allow(Action.READ_RULES)]) -> dict[str, Any]:
    """What the hospital asks before a rule is published."""
    async with state.database.transaction(caller.hospital) as tx:
        return (await policies.policy(tx)).model_dump()


@router.post("/policy")
async def set_policy(
    body: Policy,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.SETTLE_RULES, step_up=True)],
) -> JSONResponse:
    """Ask for more or less before a rule is published."""

    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        at = await present(tx, state)
        await policies.set_policy(tx, PublishingPolicy(**body.model_dump()), by=caller.actor, now=at.now)
        await accessed(tx, caller, AuditAction.EXECUTE, "rule-policy", at=at.real)
        return Planned.answered(200, body.model_dump())

    content = body.model_dump(mode="json")
    return answer(await state.dispatcher.submit(caller, key=key, command="rule-policy", body=content, plan=plan))


@router.post("/approvers")
async def set_approvers(
    body: Approvers,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.SETTLE_RULES, step_up=True)],
) -> JSONResponse:
    """Name the accounts that approve rules of a place."""

    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        if body.place.partition("/")[0] != caller.hospital:
            raise Invalid("a place of this hospital", field="/place")
        at = await present(tx, state)
        await policies.set_approvers(tx, body.place, body.accounts, by=caller.actor, now=at.now)
        await accessed(tx, caller, AuditAction.EXECUTE, "rule-approvers", at=at.real)
        return Planned.answered(200, {"place": body.place, "accounts": await policies.approvers(tx, body.place)})

    content = body.model_dump(mode="json")
    return answer(await state.dispatcher.submit(caller, key=key, command="rule-approvers", body=content, plan=plan))


@router.get("/notices")
async def list_notices(state: State, caller: Annotated[Caller, allow(Action.READ_RULES)]) -> dict[str, Any]:
    """Overrides whose parent is another one than they were written against, that nobody has looked at."""
    async with state.database.transaction(caller.hospital) as tx:
        at = await present(tx, state)
        await books.tell_owners(tx, at.now)  # a pack of the network may have come since
        found = await notices.waiting(tx)
    return {"notices": [each.model_dump(mode="json") for each in found]}


@router.post("/notices/{notice_id}/seen")
async def see_notice(
    notice_id: UUID, key: IdempotencyKey, state: State, caller: Annotated[Caller, allow(Action.WRITE_RULE)]
) -> JSONResponse:
    """Take note of a changed parent."""

    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        at = await present(tx, state)
        seen = await notices.see(tx, notice_id, by=caller.actor, now=at.now)
        await accessed(tx, caller, AuditAction.EXECUTE, f"rule-notice/{seen.rule}", at=at.real)
        return Planned.answered(200, seen.model_dump(mode="json"))

    content = {"notice": str(notice_id)}
    return answer(await state.dispatcher.submit(caller, key=key, command="see-rule-notice", body=content, plan=plan))
