"""Signing in and out, and choosing a language."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from api.accesses import accessed
from api.caller import Caller
from api.deps import allow, cookie_name, known_caller, public
from api.identity import signing_in
from api.state import AppState, State
from api.ui import language, pages
from api.ui.routes.signing_in import go_on
from api.ui.views.session import SignInForm
from api.ui.views.stays import Choice
from api.ui.words import Language
from domain.errors import TooManyAttempts
from rules.access import Action
from store import accounts, hospitals
from store.audit import AuditAction

router = APIRouter(include_in_schema=False)

_LAST_HOSPITAL = "phis-hospital"
_YEAR = 365 * 24 * 3600


@router.get("/signin", dependencies=[public])
async def sign_in_page(request: Request, state: State, next: str = "/") -> Response:  # noqa: A002 - the address says so
    if await known_caller(request) is not None:
        return pages.go(pages.local_address(next))
    ended = next != "/" and cookie_name(state) in request.cookies
    return await _form(request, state, next_=next, hospital=request.cookies.get(_LAST_HOSPITAL, ""), ended=ended)


@router.post("/signin", dependencies=[public])
async def sign_in(
    request: Request,
    state: State,
    *,
    hospital: Annotated[str, Form(max_length=31)],
    account: Annotated[str, Form(max_length=100)],
    password: Annotated[str, Form(max_length=200)],
    language_: Annotated[Language, Form(alias="language")] = Language.KO,
    next_: Annotated[str, Form(alias="next", max_length=2000)] = "/",
) -> Response:
    """One answer for every way to be wrong, and after the same time: nobody learns which accounts exist."""
    name, wanted = _full_name(account, hospital), pages.local_address(next_)
    try:
        signed = await signing_in.with_password(
            request, state, hospital=hospital, name=name, password=password, next_=wanted
        )
    except TooManyAttempts as held_up:
        refusal = await pages.refusal_sentences(request, held_up)
        error = f"{refusal.title}. {refusal.detail} {refusal.advice}"
        answer = await _form(
            request, state, next_=wanted, hospital=hospital, account=account, error=error, status=refusal.status
        )
        answer.headers["Retry-After"] = held_up.params["seconds"]
        return answer
    if signed is None:
        error = pages.words_of(request).gettext("Account or password is not right. Nothing else is told for safety.")
        return await _form(request, state, next_=wanted, hospital=hospital, account=account, error=error)
    answer = go_on(state, signed)
    answer.set_cookie(
        _LAST_HOSPITAL, hospital, max_age=_YEAR, httponly=True, secure=state.secure_cookies, samesite="lax"
    )
    language.remember(answer, language_, secure=state.secure_cookies)
    return answer


@router.post("/signout")
async def sign_out(state: State, caller: Annotated[Caller, allow(Action.USE_SCREENS)]) -> Response:
    async with state.database.transaction(caller.hospital) as tx:
        await accounts.end_session(tx, caller.session)
        await accessed(tx, caller, AuditAction.LOGOUT, "session", at=state.now())
    answer = pages.go("/signin")
    answer.delete_cookie(cookie_name(state), secure=state.secure_cookies, httponly=True, samesite="lax")
    return answer


@router.post("/language", dependencies=[public])
async def choose_language(
    state: State,
    chosen: Annotated[Language, Form(alias="language")],
    next_: Annotated[str, Form(alias="next", max_length=2000)] = "/",
) -> Response:
    answer = pages.go(pages.local_address(next_))
    language.remember(answer, chosen, secure=state.secure_cookies)
    return answer


def _full_name(account: str, hospital: str) -> str:
    """People may leave out the hospital that they have just chosen."""
    name = account.strip()
    return name if "@" in name else f"{name}@{hospital}"


async def _form(
    request: Request,
    state: AppState,
    *,
    next_: str,
    hospital: str,
    account: str = "",
    error: str = "",
    status: int | None = None,
    ended: bool = False,
) -> Response:
    _ = pages.words_of(request).gettext
    async with state.database.system() as tx:
        known = await hospitals.all_of_them(tx)
    korean = language.language_of(request) is Language.KO
    form = SignInForm(
        hospitals=tuple(Choice(one.code, one.name_ko if korean else one.name_en) for one in known),
        hospital=hospital,
        account=account,
        next=pages.local_address(next_),
        error=error,
        waits=status == HTTPStatus.TOO_MANY_REQUESTS,
        ended=ended,
        sso=tuple(
            Choice(f"/signin/sso/{one.code}?next={quote(pages.local_address(next_), safe='')}", name)
            for one in known
            if one.code in state.providers
            for name in [_("{name}: own sign-on").format(name=one.name_ko if korean else one.name_en)]
        ),
    )
    shown = status or (HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK)
    return pages.page(request, "session/signin.html", _("Sign in"), status=shown, form=form)
