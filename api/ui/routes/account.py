"""A person's own account: change the password, set the second factor up, see and end one's sessions."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from api.accesses import accessed
from api.caller import Caller
from api.deps import allow
from api.identity import codes, signing_in
from api.identity.failures import Attempts
from api.state import AppState, State
from api.ui import pages
from api.ui.routes.signing_in import Code, NewPassword, factor_form, recovery_codes
from api.ui.views.account import own_account
from api.ui.views.frame import Notice
from api.ui.views.session import PasswordForm, weakness_sentence
from domain.errors import Conflict, NotFound
from rules.access import Action
from rules.passwords import Weakness, shortest
from store import accounts, second_factors
from store.audit import AuditAction

router = APIRouter(include_in_schema=False)

Self = Annotated[Caller, allow(Action.USE_SCREENS)]
ProvedSelf = Annotated[Caller, allow(Action.USE_SCREENS, step_up=True)]


@router.get("/account")
async def own_page(request: Request, state: State, caller: Self, said: str = "") -> Response:
    words = pages.words_of(request)
    _ = words.gettext
    now = state.now()
    async with state.database.transaction(caller.hospital) as tx:
        account = await accounts.account(tx, caller.actor)
        view = own_account(
            words,
            caller,
            await accounts.sessions_of(tx, caller.actor, now),
            now=now,
            has_password=bool(account.password_hash),
            has_factor=await second_factors.confirmed(tx, caller.actor),
            must_have_factor=await signing_in.must_have(tx, account),
            recovery_left=await second_factors.recovery_codes_left(tx, caller.actor),
        )
    notices = {
        "password": _("Your password is changed. Other browsers are signed out."),
        "ended": _("Signed out there."),
        "factor": _("The second factor is removed."),
    }
    notice = Notice("done", notices[said]) if said in notices else None
    return pages.page(request, "account/show.html", _("My account"), notice=notice, account=view)


@router.get("/account/password")
async def password_page(request: Request, state: State, caller: Self) -> Response:
    return await _password_form(request, state, caller)


@router.post("/account/password")
async def change_password(
    request: Request,
    state: State,
    caller: Self,
    *,
    present: Annotated[str, Form(max_length=1000)],
    password: NewPassword,
) -> Response:
    """The present password is asked for: an open browser alone must not be enough. Other sessions end."""
    words = pages.words_of(request)
    async with state.database.transaction(caller.hospital) as tx:
        account = await accounts.account(tx, caller.actor)
        weak = await signing_in.weakness_of(tx, account, password)
    attempts = Attempts(request, state, caller.hospital, account.name, known=account.name)
    await attempts.begin()
    if not await state.passwords.verify(present, account.password_hash):
        await attempts.failed("password")
        wrong = words.gettext("The present password is not right.")
        return await _password_form(request, state, caller, error=wrong)
    if weak is None and present == password:
        weak = Weakness.SAME
    made = "" if weak else await state.passwords.hash(password)
    async with state.database.transaction(caller.hospital) as tx:
        await attempts.succeeded(tx)
        if weak is None:
            await accounts.change_password(tx, caller.actor, made, but=caller.session)
            await accessed(tx, caller, AuditAction.EXECUTE, "password/changed", at=state.now())
    if weak is not None:
        return await _password_form(request, state, caller, weak=weak)
    return pages.go("/account", said="password")


@router.get("/account/second-factor")
async def second_factor_page(request: Request, state: State, caller: ProvedSelf) -> Response:
    return await _factor_form(request, state, caller)


@router.post("/account/second-factor")
async def confirm_second_factor(request: Request, state: State, caller: ProvedSelf, code: Code) -> Response:
    now = state.now()
    async with state.database.transaction(caller.hospital) as tx:
        made = await codes.confirm(tx, caller.actor, code, now)
        if made is not None:
            await accounts.proved(tx, caller.session, now)
            await accounts.end_sessions(tx, caller.actor, but=caller.session)
            await accessed(tx, caller, AuditAction.EXECUTE, "second-factor/confirmed", at=now)
    if made is None:
        _ = pages.words_of(request).gettext
        error = _("This code is not right. Check the clock of your telephone.")
        return await _factor_form(request, state, caller, error)
    return recovery_codes(request, made, "/account", state=state)


@router.post("/account/second-factor/remove")
async def remove_second_factor(state: State, caller: ProvedSelf) -> Response:
    """Whoever must have one sets the next up at once; else at the next sign-in."""
    async with state.database.transaction(caller.hospital) as tx:
        await second_factors.remove(tx, caller.actor)
        await accounts.end_sessions(tx, caller.actor, but=caller.session)
        await accessed(tx, caller, AuditAction.EXECUTE, "second-factor/removed", at=state.now())
        must = await signing_in.must_have(tx, await accounts.account(tx, caller.actor))
    return pages.go("/account/second-factor") if must else pages.go("/account", said="factor")


@router.post("/account/recovery-codes")
async def renew_recovery_codes(request: Request, state: State, caller: ProvedSelf) -> Response:
    async with state.database.transaction(caller.hospital) as tx:
        if not await second_factors.confirmed(tx, caller.actor):
            raise Conflict("there is no second factor")
        made = await codes.renew_recovery_codes(tx, caller.actor)
        await accessed(tx, caller, AuditAction.EXECUTE, "second-factor/recovery-codes", at=state.now())
    return recovery_codes(request, made, "/account", state=state)


@router.post("/account/sessions/end")
async def end_others(state: State, caller: Self) -> Response:
    """Sign out everywhere else."""
    async with state.database.transaction(caller.hospital) as tx:
        await accounts.end_sessions(tx, caller.actor, but=caller.session)
        await accessed(tx, caller, AuditAction.LOGOUT, "sessions", at=state.now())
    return pages.go("/account", said="ended")


@router.post("/account/sessions/{name}/end")
async def end_one(state: State, caller: Self, name: str) -> Response:
    async with state.database.transaction(caller.hospital) as tx:
        mine = await accounts.sessions_of(tx, caller.actor, state.now())
        found = next((one for one in mine if one.name == name), None)
        if found is None:
            raise NotFound("no such session")
        await accounts.end_session(tx, found.secret_hash)
        await accessed(tx, caller, AuditAction.LOGOUT, "session", at=state.now())
    return pages.go("/signin" if found.secret_hash == caller.session else "/account", said="ended")


async def _password_form(
    request: Request, state: AppState, caller: Caller, *, error: str = "", weak: Weakness | None = None
) -> Response:
    words = pages.words_of(request)
    _ = words.gettext
    async with state.database.transaction(caller.hospital) as tx:
        account = await accounts.account(tx, caller.actor)
        beside = await signing_in.must_have(tx, account) or await second_factors.confirmed(tx, account.name)
    if not account.password_hash:
        raise Conflict("this account has no password of ours")
    least = shortest(second_factor=beside)
    form = PasswordForm(
        action="/account/password",
        csrf=caller.csrf or "",
        title=_("Change your password"),
        lead=_("Other browsers are signed out by it."),
        account=account.name,
        shortest=least,
        asks_present=True,
        wrong_present=bool(error),
        error=weakness_sentence(words, weak, least) if weak else error,
    )
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.error else HTTPStatus.OK
    return pages.page(request, "session/password.html", form.title, status=status, form=form)


async def _factor_form(request: Request, state: AppState, caller: Caller, error: str = "") -> Response:
    async with state.database.transaction(caller.hospital) as tx:
        if await second_factors.confirmed(tx, caller.actor):
            raise Conflict("there is a second factor: remove it first")
        account = await accounts.account(tx, caller.actor)
        form = await factor_form(
            tx, state, account, action="/account/second-factor", csrf=caller.csrf or "", error=error
        )
    status = HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK
    title = pages.words_of(request).gettext("Set up a second factor")
    return pages.page(request, "session/second_factor.html", title, status=status, form=form)
