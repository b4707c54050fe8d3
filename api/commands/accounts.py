"""Who may sign in, as administrators keep it: accounts made, closed, reset, their roles, where they are signed in.

Nobody does any of it to their own account, so there is always an administrator left, and nobody raises themselves.
A password is never chosen for somebody: a set-up link lets them choose it, once, within a day (`store/sign_ins.py`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field, StringConstraints

from api.accesses import accessed
from api.caller import Caller
from api.commands.dispatch import Outcome, Planned
from api.commands.shapes import Body, answer
from api.deps import IdempotencyKey, allow
from api.state import AppState, State
from domain.errors import Conflict, Invalid, OwnAccount
from domain.roles import Role
from rules.access import Action
from store import accounts, attempts, second_factors, sign_ins
from store.accounts import Account
from store.audit import AuditAction
from store.database import Transaction

router = APIRouter(prefix="/commands/accounts", tags=["accounts"])

Reason = Annotated[str, StringConstraints(min_length=3, max_length=500)]
Roles = Annotated[list[Role], Field(min_length=1, max_length=len(Role))]
Manager = Annotated[Caller, allow(Action.MANAGE_ACCOUNTS, step_up=True)]
Change = Callable[[Transaction, datetime], Awaitable[str]]
"""Does it, and says what was done, for the audit."""


class NewAccount(Body):
    """`name`: without the hospital.  `external`: how the hospital's own sign-on knows the person."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,60}$")]
    display_ko: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    display_en: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    roles: Roles
    external: Annotated[str, StringConstraints(max_length=200)] = ""


class Why(Body):
    """`reason`: for whoever reads the audit."""

    reason: Reason


class NewRoles(Why):
    roles: Roles


class Reset(Why):
    """`second_factor`: the telephone is lost, too: the next sign-in sets a new one up."""

    second_factor: bool = False


@dataclass(frozen=True)
class Kept:
    """An account as the list shows it. held_up: a browser or place waits after failures."""

    account: Account
    second_factor: bool
    held_up: bool


@router.get("")
async def list_accounts(state: State, caller: Annotated[Caller, allow(Action.SEE_ACCOUNTS)]) -> dict[str, Any]:
    """All accounts of the hospital."""
    async with state.database.transaction(caller.hospital) as tx:
        found = await read_accounts(tx, state, caller)
    return {"accounts": [_as_json(each) for each in found]}


@router.post("", status_code=HTTPStatus.CREATED)
async def create(body: NewAccount, key: IdempotencyKey, state: State, caller: Manager) -> JSONResponse:
    """Make an account that nothing opens yet: a link lets its person choose a password."""
    return answer(await submit_new(state, caller, key, body))


@router.post("/{account}/roles")
async def change_roles(
    account: str, body: NewRoles, key: IdempotencyKey, state: State, caller: Manager
) -> JSONResponse:
    """Replace the roles. What was signed in ends: it had other rights."""
    return answer(await submit_roles(state, caller, key, account, body))


@router.post("/{account}/close")
async def close(account: str, body: Why, key: IdempotencyKey, state: State, caller: Manager) -> JSONResponse:
    """Let nobody in any more. Sessions end; what the person did stays under their name."""
    return answer(await submit_open(state, caller, key, account, body, disabled=True))


@router.post("/{account}/open")
async def open_again(account: str, body: Why, key: IdempotencyKey, state: State, caller: Manager) -> JSONResponse:
    """Open a closed account."""
    return answer(await submit_open(state, caller, key, account, body, disabled=False))


@router.post("/{account}/reset")
async def reset(account: str, body: Reset, key: IdempotencyKey, state: State, caller: Manager) -> JSONResponse:
    """Let no password open it any more, and forget its failures. A new link follows."""
    return answer(await submit_reset(state, caller, key, account, body))


@router.post("/{account}/sessions/end")
async def end_sessions(account: str, body: Why, key: IdempotencyKey, state: State, caller: Manager) -> JSONResponse:
    """Sign the person out everywhere."""
    return answer(await submit_end_sessions(state, caller, key, account, body))


@router.post("/{account}/link")
async def make_link(account: str, state: State, caller: Manager) -> dict[str, Any]:
    """A link to choose a password with. Earlier ones end. It is told once and kept nowhere, so it takes no key."""
    return {"account": account, "link": await new_link(state, caller, account)}


async def read_accounts(tx: Transaction, state: AppState, caller: Caller) -> list[Kept]:
    now = state.now()
    with_factor = await second_factors.confirmed_accounts(tx)
    held_up = set(await attempts.waiting(tx, now))
    found = await accounts.accounts(tx)
    await accessed(tx, caller, AuditAction.QUERY, Action.SEE_ACCOUNTS.value, at=now)
    return [Kept(each, each.name in with_factor, each.name in held_up) for each in found]


async def read_account(tx: Transaction, state: AppState, caller: Caller, name: str) -> Kept:
    """Raises NotFound."""
    now = state.now()
    found = await accounts.account(tx, name)
    await accessed(tx, caller, AuditAction.READ, f"account:{name}", at=now)
    held_up = name in await attempts.waiting(tx, now)
    return Kept(found, await second_factors.confirmed(tx, name), held_up)


async def submit_new(state: AppState, caller: Caller, key: str, body: NewAccount) -> Outcome:
    name = f"{body.name}@{caller.hospital}"

    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        try:
            await accounts.create_account(
                tx,
                name=name,
                display_ko=body.display_ko,
                display_en=body.display_en,
                roles=body.roles,
                password_hash="",  # nothing matches it: the person chooses one
                external=body.external or None,
            )
        except Conflict:
            taken = name in {each.name for each in await accounts.accounts(tx)}
            field = "/name" if taken else "/external"
            raise Invalid("another account has this name", field=field) from None
        await accessed(tx, caller, AuditAction.CREATE, f"account/created:{name}", at=state.now())
        return Planned.answered(HTTPStatus.CREATED, {"account": name})

    # The ledger keeps a digest only: no name of a person stands in it.
    return await state.dispatcher.submit(
        caller, key=key, command="create-account", body=body.model_dump(mode="json"), plan=plan
    )


async def submit_roles(state: AppState, caller: Caller, key: str, account: str, body: NewRoles) -> Outcome:
    async def change(tx: Transaction, _now: datetime) -> str:
        await accounts.change_roles(tx, account, body.roles)
        return "roles"

    return await _submit(state, caller, key, body, account=account, change=change)


async def submit_open(state: AppState, caller: Caller, key: str, account: str, body: Why, *, disabled: bool) -> Outcome:
    async def change(tx: Transaction, _now: datetime) -> str:
        await accounts.disable(tx, account, disabled=disabled)
        return "closed" if disabled else "opened"

    return await _submit(state, caller, key, body, account=account, change=change, what="close" if disabled else "open")


async def submit_reset(state: AppState, caller: Caller, key: str, account: str, body: Reset) -> Outcome:
    async def change(tx: Transaction, now: datetime) -> str:
        await accounts.forget_password(tx, account)
        await attempts.forget_account(tx, account)
        if body.second_factor and await second_factors.remove(tx, account):
            detail = f"second-factor/reset:{account}"
            await accessed(tx, caller, AuditAction.DELETE, detail, at=now, reason=body.reason)
        return "reset"

    return await _submit(state, caller, key, body, account=account, change=change)


async def submit_end_sessions(state: AppState, caller: Caller, key: str, account: str, body: Why) -> Outcome:
    async def change(tx: Transaction, _now: datetime) -> str:
        await accounts.account(tx, account)
        await accounts.end_sessions(tx, account)
        await accounts.end_tokens(tx, account)
        return "signed-out"

    return await _submit(state, caller, key, body, account=account, change=change, what="sign-out")


async def new_link(state: AppState, caller: Caller, account: str) -> str:
    """Its address. Raises NotFound, OwnAccount."""
    _refuse_own(caller, account)
    async with state.database.transaction(caller.hospital) as tx:
        await accounts.account(tx, account)
        await accessed(tx, caller, AuditAction.UPDATE, f"account/link:{account}", at=state.now())
        return f"{state.public_url}/setup/{await sign_ins.make_link(tx, account, state.now())}"


async def _submit(
    state: AppState, caller: Caller, key: str, body: Why, *, account: str, change: Change, what: str = ""
) -> Outcome:
    _refuse_own(caller, account)

    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        now = state.now()
        await accounts.account(tx, account)
        done = await change(tx, now)
        await accessed(tx, caller, AuditAction.UPDATE, f"account/{done}:{account}", at=now, reason=body.reason)
        return Planned.answered(HTTPStatus.OK, {"account": account, "done": done})

    command = f"account-{what or type(body).__name__.lower()}"
    content = {"account": account, **body.model_dump(mode="json")}
    return await state.dispatcher.submit(caller, key=key, command=command, body=content, plan=plan)


def _refuse_own(caller: Caller, account: str) -> None:
    """Nor that of the colleague for whom the caller acts."""
    if account in {caller.actor, caller.on_behalf_of}:
        raise OwnAccount("nobody manages their own account", account=account)


def _as_json(each: Kept) -> dict[str, Any]:
    """Never a hash."""
    one = each.account
    return {
        "account": one.name,
        "display": {"ko": one.display_ko, "en": one.display_en},
        "roles": sorted(one.roles),
        "closed": one.disabled,
        "has_password": bool(one.password_hash),
        "external": one.external,
        "second_factor": each.second_factor,
        "held_up": each.held_up,
    }
