"""Accounts of the hospital, for administrators; auditors look."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from pydantic import ValidationError

from api.caller import Caller
from api.commands import accounts as commands
from api.commands.accounts import Manager
from api.deps import allow
from api.state import AppState, State
from api.ui import pages
from api.ui.routes.said import notice_of
from api.ui.views.accounts import Typed, account_rows, account_view, field_error, new_account_view
from domain.errors import Invalid
from rules.access import Action, may
from store import accounts

router = APIRouter(prefix="/admin/accounts", include_in_schema=False)

Key = Annotated[str, Form(pattern=r"^[\x21-\x7e]{1,80}$")]
Text = Annotated[str, Form(max_length=600)]
RoleBoxes = Annotated[list[str] | None, Form(max_length=30)]
Submit = Callable[[], Awaitable[object]]
Viewer = Annotated[Caller, allow(Action.SEE_ACCOUNTS)]


@router.get("")
async def show_list(request: Request, state: State, caller: Viewer, said: str = "") -> Response:
    words = pages.words_of(request)
    async with state.database.transaction(caller.hospital) as tx:
        found = await commands.read_accounts(tx, state, caller)
    return pages.page(
        request,
        "accounts/index.html",
        words.gettext("Accounts"),
        notice=notice_of(words, said),
        rows=account_rows(words, found),
        may_change=may(caller.roles, Action.MANAGE_ACCOUNTS),
    )


@router.get("/new")
async def show_new(
    request: Request, caller: Annotated[Caller, allow(Action.MANAGE_ACCOUNTS, step_up=True)]
) -> Response:
    return _new(request, caller, Typed())


@router.post("/new")
async def create(
    request: Request,
    state: State,
    caller: Manager,
    *,
    key: Key,
    name: Text = "",
    display_ko: Text = "",
    display_en: Text = "",
    external: Text = "",
    role: RoleBoxes = None,
) -> Response:
    values = {"name": name, "display_ko": display_ko, "display_en": display_en, "external": external}
    try:
        body = commands.NewAccount.model_validate(values | {"roles": role or []})
        outcome = await commands.submit_new(state, caller, key, body)
    except (ValidationError, Invalid) as wrong:
        typed = Typed("new", values, frozenset(role or ()))
        return _new(request, caller, _wrong(request, typed, wrong))
    account = str(outcome.answer["account"])
    return await _link(request, state, caller, account)


@router.get("/{account}")
async def show_account(request: Request, state: State, caller: Viewer, account: str, said: str = "") -> Response:
    return await _account(request, state, caller, account, said=said)


@router.post("/{account}/roles")
async def change_roles(
    request: Request,
    state: State,
    caller: Manager,
    *,
    account: str,
    key: Key,
    reason: Text = "",
    role: RoleBoxes = None,
) -> Response:
    async def submit() -> object:
        body = commands.NewRoles.model_validate({"reason": reason, "roles": role or []})
        return await commands.submit_roles(state, caller, key, account, body)

    return await _done(
        request,
        state,
        caller,
        typed=Typed("roles", {"reason": reason}, frozenset(role or ())),
        account=account,
        submit=submit,
    )


@router.post("/{account}/close")
async def close(
    request: Request, state: State, caller: Manager, *, account: str, key: Key, reason: Text = ""
) -> Response:
    async def submit() -> object:
        body = commands.Why.model_validate({"reason": reason})
        return await commands.submit_open(state, caller, key, account, body, disabled=True)

    typed = Typed("close", {"reason": reason})
    return await _done(request, state, caller, typed=typed, account=account, submit=submit)


@router.post("/{account}/open")
async def open_again(
    request: Request, state: State, caller: Manager, *, account: str, key: Key, reason: Text = ""
) -> Response:
    async def submit() -> object:
        body = commands.Why.model_validate({"reason": reason})
        return await commands.submit_open(state, caller, key, account, body, disabled=False)

    typed = Typed("open", {"reason": reason})
    return await _done(request, state, caller, typed=typed, account=account, submit=submit)


@router.post("/{account}/sessions/end")
async def end_sessions(
    request: Request, state: State, caller: Manager, *, account: str, key: Key, reason: Text = ""
) -> Response:
    async def submit() -> object:
        body = commands.Why.model_validate({"reason": reason})
        return await commands.submit_end_sessions(state, caller, key, account, body)

    return await _done(
        request, state, caller, typed=Typed("sessions", {"reason": reason}), account=account, submit=submit
    )


@router.post("/{account}/reset")
async def reset(
    request: Request,
    state: State,
    caller: Manager,
    *,
    account: str,
    key: Key,
    reason: Text = "",
    second_factor: Annotated[str, Form(max_length=3)] = "",
) -> Response:
    async def submit() -> object:
        body = commands.Reset.model_validate({"reason": reason, "second_factor": second_factor == "yes"})
        return await commands.submit_reset(state, caller, key, account, body)

    typed = {"reason": reason, "second_factor": second_factor}
    answer = await _done(request, state, caller, typed=Typed("reset", typed), account=account, submit=submit)
    return await _link(request, state, caller, account) if answer.status_code == HTTPStatus.SEE_OTHER else answer


@router.post("/{account}/link")
async def make_link(request: Request, state: State, caller: Manager, account: str) -> Response:
    return await _link(request, state, caller, account)


async def _done(
    request: Request, state: AppState, caller: Caller, *, typed: Typed, account: str, submit: Submit
) -> Response:
    """Back to the account, or the form again with what is wrong beside its fields."""
    try:
        await submit()
    except (ValidationError, Invalid) as wrong:
        return await _account(request, state, caller, account, typed=_wrong(request, typed, wrong))
    return pages.go(f"/admin/accounts/{account}", said=f"account-{typed.form}")


def _wrong(request: Request, typed: Typed, wrong: ValidationError | Invalid) -> Typed:
    """What was typed, with a sentence for each field that is wrong."""
    if isinstance(wrong, Invalid):
        names = {wrong.params["field"].strip("/")}
    else:
        found = wrong.errors(include_input=False, include_context=False)
        names = {str(error["loc"][0]) for error in found if error["loc"]}
    errors = {name: field_error(pages.words_of(request), name) for name in sorted(names)}
    return replace(typed, errors=errors)


def _new(request: Request, caller: Caller, typed: Typed) -> Response:
    words = pages.words_of(request)
    view = new_account_view(words, caller.hospital, key=uuid4().hex, typed=typed)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if typed.errors else HTTPStatus.OK
    return pages.page(request, "accounts/new.html", words.gettext("New account"), status=status, view=view)


async def _account(
    request: Request, state: AppState, caller: Caller, account: str, *, said: str = "", typed: Typed | None = None
) -> Response:
    words, now = pages.words_of(request), state.now()
    async with state.database.transaction(caller.hospital) as tx:
        kept = await commands.read_account(tx, state, caller, account)
        sessions = await accounts.sessions_of(tx, account, now)
    view = account_view(
        words,
        caller,
        kept,
        sessions,
        now=now,
        key=uuid4().hex,
        may_change=may(caller.roles, Action.MANAGE_ACCOUNTS),
        typed=typed or Typed(),
    )
    status = HTTPStatus.UNPROCESSABLE_ENTITY if typed and typed.errors else HTTPStatus.OK
    notice = notice_of(words, said)
    return pages.page(request, "accounts/show.html", view.row.person, status=status, notice=notice, view=view)


async def _link(request: Request, state: AppState, caller: Caller, account: str) -> Response:
    """The page that shows a set-up link, the only time that anybody sees it."""
    link = await commands.new_link(state, caller, account)
    title = pages.words_of(request).gettext("A link to choose a password")
    return pages.page(request, "accounts/link.html", title, link=link, account=account)
