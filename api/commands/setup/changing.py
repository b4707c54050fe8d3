"""Changing an entry: a version from now or later, its end, a second pair of eyes, a change of mind."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse
from pydantic import Field

from api.accesses import accessed
from api.caller import Caller
from api.commands.dispatch import Outcome, Planned
from api.commands.setup.keeping import Author, Change, Set
from api.commands.setup.shapes import Code, When, Words, entry_json, instant
from api.commands.shapes import Body, answer
from api.deps import IdempotencyKey, allow
from api.present import present
from api.state import AppState, State
from domain.errors import Invalid
from domain.setup.contents import content_of
from domain.setup.kinds import Kind
from domain.setup.places import HOSPITAL
from rules.access import Action
from store.audit import AuditAction
from store.database import Transaction
from store.setup import entries

router = APIRouter(prefix="/commands/setup", tags=["set-up"])


@dataclass(frozen=True)
class Named:
    """The entry that a path names."""

    kind: Kind
    code: Code


@dataclass(frozen=True)
class NamedVersion(Named):
    version: int


class NewVersion(Body):
    """`last`: the number of the last version that was seen, 0 for a new entry.  since: without it, now.

    back_dated: it shall apply to what has happened already, such as a price notified late.
    """

    content: dict[str, Any]
    last: Annotated[int, Field(ge=0)]
    since: When | None = None
    until: When | None = None
    reason: Words
    back_dated: bool = False


class End(Body):
    """`since`: from when there is no such entry any more; without it, now."""

    last: Annotated[int, Field(ge=1)]
    since: When | None = None
    reason: Words


class Withdrawal(Body):
    reason: Words


@router.post("/entries/{kind}/{code}", status_code=HTTPStatus.CREATED)
async def change_entry(
    named: Annotated[Named, Depends()],
    body: NewVersion,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.WRITE_SETUP)],
) -> JSONResponse:
    """Say what an entry is, from now or from an instant on. Where the hospital asks for it, somebody else approves."""
    return answer(await submit_change(state, caller, key, named, body))


@router.post("/entries/{kind}/{code}/end")
async def end_entry(
    named: Annotated[Named, Depends()],
    body: End,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.WRITE_SETUP)],
) -> JSONResponse:
    """End an entry. It stays readable, and a new version brings it back."""
    return answer(await submit_end(state, caller, key, named, body))


@router.post("/entries/{kind}/{code}/versions/{version}/approve")
async def approve_version(
    named: Annotated[NamedVersion, Depends()],
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.APPROVE_SETUP)],
) -> JSONResponse:
    """Let a proposed version apply from its instant on. Nobody approves what they recorded."""

    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        at = await present(tx, state)
        setup = await Set.taken(tx, at.now)
        approved = await entries.approve(tx, named.kind, named.code, named.version, by=caller.actor, now=at.now)
        await setup.decided(approved)
        await accessed(tx, caller, AuditAction.EXECUTE, f"setup-approve/{named.kind}/{named.code}", at=at.real)
        return Planned.answered(HTTPStatus.OK, entry_json(approved))

    content = {"kind": named.kind.value, "code": named.code, "version": named.version}
    return answer(await state.dispatcher.submit(caller, key=key, command="approve-setup", body=content, plan=plan))


@router.post("/entries/{kind}/{code}/versions/{version}/withdraw")
async def withdraw_version(
    named: Annotated[NamedVersion, Depends()],
    body: Withdrawal,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.WRITE_SETUP)],
) -> JSONResponse:
    """Take back what waits or has not begun."""

    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        at = await present(tx, state)
        setup = await Set.taken(tx, at.now)
        withdrawn = await entries.withdraw(tx, named.kind, named.code, named.version, by=caller.actor, now=at.now)
        await setup.decided(withdrawn)
        detail = f"setup-withdraw/{named.kind}/{named.code}"
        await accessed(tx, caller, AuditAction.EXECUTE, detail, at=at.real, reason=body.reason)
        return Planned.answered(HTTPStatus.OK, entry_json(withdrawn))

    content = {"kind": named.kind.value, "code": named.code, "version": named.version, "reason": body.reason}
    return answer(await state.dispatcher.submit(caller, key=key, command="withdraw-setup", body=content, plan=plan))


async def submit_change(state: AppState, caller: Caller, key: str, named: Named, body: NewVersion) -> Outcome:
    _refuse_second_hospital(named)

    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        at = await present(tx, state)
        wanted = content_of(named.kind, body.content)
        since = instant(body.since) or at.now
        change = Change(named.kind, named.code, wanted, since, instant(body.until), expected=body.last)
        setup = await Set.taken(tx, at.now)
        made = await setup.keep([change], Author(caller.actor, body.reason), backdated=body.back_dated)
        detail = f"setup/{named.kind}/{named.code}"
        await accessed(tx, caller, AuditAction.UPDATE if body.last else AuditAction.CREATE, detail, at=at.real)
        return Planned.answered(HTTPStatus.CREATED, entry_json(made[0]))

    content = {"kind": named.kind.value, "code": named.code, **body.model_dump(mode="json")}
    return await state.dispatcher.submit(caller, key=key, command="change-setup", body=content, plan=plan)


async def submit_end(state: AppState, caller: Caller, key: str, named: Named, body: End) -> Outcome:
    if named.kind is Kind.HOSPITAL:
        raise Invalid("the hospital itself does not end", field="/kind")

    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        at = await present(tx, state)
        setup = await Set.taken(tx, at.now)
        change = Change(named.kind, named.code, None, instant(body.since) or at.now, expected=body.last)
        made = await setup.keep([change], Author(caller.actor, body.reason))
        await accessed(tx, caller, AuditAction.UPDATE, f"setup-end/{named.kind}/{named.code}", at=at.real)
        return Planned.answered(HTTPStatus.OK, entry_json(made[0]))

    content = {"kind": named.kind.value, "code": named.code, **body.model_dump(mode="json")}
    return await state.dispatcher.submit(caller, key=key, command="end-setup", body=content, plan=plan)


def _refuse_second_hospital(named: Named) -> None:
    if named.kind is Kind.HOSPITAL and named.code != HOSPITAL:
        raise Invalid(f"a hospital has one entry of itself, {HOSPITAL}", field="/code")
