"""The page that asks for a fresh proof, and what follows."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from api.accesses import accessed
from api.caller import Caller
from api.deps import allow
from api.identity import codes
from api.identity.failures import Attempts
from api.state import AppState, State
from api.ui import pages, step_up
from rules.access import Action
from store import accounts, second_factors
from store.audit import AuditAction

router = APIRouter(include_in_schema=False)


@router.get("/step-up")
async def step_up_page(
    request: Request,
    state: State,
    caller: Annotated[Caller, allow(Action.USE_SCREENS)],
    next: str = "/",  # noqa: A002 - the address says so
) -> Response:
    return await step_up.ask(request, state, caller, next_=pages.local_address(next))


@router.post("/step-up")
async def prove(
    request: Request,
    state: State,
    caller: Annotated[Caller, allow(Action.USE_SCREENS)],
    *,
    proof: Annotated[str, Form(max_length=200)],
    next_: Annotated[str, Form(alias="next", max_length=2000)] = "/",
    again: Annotated[str, Form(max_length=25_000)] = "",
) -> Response:
    """A right proof opens what asks for one, in this session, for ten minutes."""
    if not await _right(request, state, caller, proof):
        error = pages.words_of(request).gettext("That is not right. Nothing was done.")
        return await step_up.ask(
            request, state, caller, next_=next_, again=again, error=error, status=HTTPStatus.UNPROCESSABLE_ENTITY
        )
    waiting = step_up.read_again(again) if again else None
    if waiting is None:
        return pages.go(pages.local_address(next_))
    title = pages.words_of(request).gettext("Go on with what you were doing")
    return pages.page(request, "session/again.html", title, again=waiting)


async def _right(request: Request, state: AppState, caller: Caller, proof: str) -> bool:
    """Whether the proof is the caller's: a code where there is a second factor, else the password."""
    now = state.now()
    async with state.database.transaction(caller.hospital) as tx:
        account = await accounts.account(tx, caller.actor)
        has_factor = await second_factors.confirmed(tx, caller.actor)
    what = "code" if has_factor else "password"
    attempts = Attempts(request, state, caller.hospital, account.name, known=account.name, what=what)
    await attempts.begin()
    right = False if has_factor else await state.passwords.verify(proof, account.password_hash)
    async with state.database.transaction(caller.hospital) as tx:
        if has_factor:
            right = await codes.accept(tx, account.name, proof, now)
        if right:
            await attempts.succeeded(tx)
            await accounts.proved(tx, caller.session, now)
            await accessed(tx, caller, AuditAction.EXECUTE, "step-up", at=now)
    if not right:
        await attempts.failed("step-up")
    return right
