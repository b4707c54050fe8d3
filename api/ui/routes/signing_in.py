"""What follows account and password: a code, a new password, a second factor; and the set-up link of a new account."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from http import HTTPStatus
from secrets import compare_digest
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from api.deps import cookie_name, public
from api.identity import codes, devices, signing_in
from api.identity.signing_in import Signed
from api.state import AppState, State
from api.ui import pages
from api.ui.views.session import CodeForm, FactorForm, PasswordForm, RecoveryCodes, weakness_sentence
from domain.errors import Forbidden, NotFound, NotSignedIn
from rules.passwords import Weakness, shortest
from rules.proofs import Missing
from store import accounts, hospitals, second_factors, sign_ins
from store.accounts import Account
from store.database import Transaction
from store.sign_ins import SignIn

router = APIRouter(include_in_schema=False)

_REMEMBERED = timedelta(hours=12)

Csrf = Annotated[str, Form(max_length=100)]
Code = Annotated[str, Form(max_length=100)]
NewPassword = Annotated[str, Form(max_length=1000)]


@router.get("/signin/next", dependencies=[public])
async def next_step(request: Request, state: State) -> Response:
    """What is still missing of a sign-in under way."""
    return await _ask(request, state)


@router.post("/signin/code", dependencies=[public])
async def give_code(request: Request, state: State, code: Code, csrf: Csrf = "") -> Response:
    hospital, hashed = await _under_way(request, state, csrf)
    signed = await signing_in.with_code(request, state, hospital, hashed, code)
    if signed is None:
        _ = pages.words_of(request).gettext
        return await _ask(request, state, _("This code is not right, or it was used already. Wait for the next one."))
    return go_on(state, signed)


@router.post("/signin/password", dependencies=[public])
async def choose_password(request: Request, state: State, password: NewPassword, csrf: Csrf = "") -> Response:
    hospital, hashed = await _under_way(request, state, csrf)
    signed = await signing_in.with_new_password(request, state, hospital, hashed, password)
    if isinstance(signed, Weakness):
        return await _ask(request, state, weak=signed)
    return go_on(state, signed)


@router.post("/signin/second-factor", dependencies=[public])
async def set_second_factor_up(request: Request, state: State, code: Code, csrf: Csrf = "") -> Response:
    hospital, hashed = await _under_way(request, state, csrf)
    made = await signing_in.with_first_code(request, state, hospital, hashed, code)
    if made is None:
        _ = pages.words_of(request).gettext
        return await _ask(request, state, _("This code is not right. Check the clock of your telephone."))
    signed, recovery = made
    return recovery_codes(request, recovery, pages.local_address(signed.next), state=state, signed=signed)


@router.get("/setup/{secret}", dependencies=[public])
async def set_up_page(request: Request, state: State, secret: str) -> Response:
    """Looking at the page uses nothing up: programs that look at links before people do would."""
    try:
        return await _set_up(request, state, secret)
    except NotFound:
        return _link_gone(request)


@router.post("/setup/{secret}", dependencies=[public])
async def set_up(request: Request, state: State, secret: str, password: NewPassword) -> Response:
    try:
        hospital, hashed = _link(secret)
        signed = await signing_in.with_link(request, state, hospital, hashed, password)
    except (NotSignedIn, NotFound):
        return _link_gone(request)
    if isinstance(signed, Weakness):
        return await _set_up(request, state, secret, weak=signed)
    return go_on(state, signed)


def _link_gone(request: Request) -> Response:
    """The same of a link that was used, is over, or never was."""
    title = pages.words_of(request).gettext("This link opens nothing any more")
    return pages.page(request, "session/link_gone.html", title, status=HTTPStatus.NOT_FOUND)


def go_on(state: AppState, signed: Signed) -> Response:
    """To where the person wanted to go, or to what is still missing."""
    answer = pages.go("/signin/next" if signed.under_way else pages.local_address(signed.next))
    set_cookies(answer, state, signed)
    return answer


def set_cookies(answer: Response, state: AppState, signed: Signed) -> None:
    """The session's cookie, or that of a sign-in under way; never both."""
    secure = state.secure_cookies
    sign_in = signing_in.sign_in_cookie(state)
    if signed.under_way:
        lasts = int(sign_ins.LASTS.total_seconds())
        answer.set_cookie(sign_in, signed.under_way, max_age=lasts, httponly=True, secure=secure, samesite="lax")
        answer.delete_cookie(cookie_name(state), secure=secure, httponly=True, samesite="lax")
        return
    answer.set_cookie(
        cookie_name(state),
        signed.session,
        # Longer than the session: whoever comes back after its end is told that it has ended.
        max_age=int((state.session_length + _REMEMBERED).total_seconds()),
        httponly=True,
        secure=secure,
        samesite="lax",
    )
    answer.delete_cookie(sign_in, secure=secure, httponly=True, samesite="lax")
    devices.remember(answer, state, signed.marks)


def recovery_codes(
    request: Request, made: Sequence[str], next_: str, *, state: AppState, signed: Signed | None = None
) -> Response:
    """The only time that they are shown."""
    title = pages.words_of(request).gettext("Keep your recovery codes")
    answer = pages.page(request, "session/recovery_codes.html", title, codes=RecoveryCodes(tuple(made), next_))
    if signed is not None:
        set_cookies(answer, state, signed)
    return answer


async def factor_form(
    tx: Transaction, state: AppState, account: Account, *, action: str, csrf: str, error: str = ""
) -> FactorForm:
    """The page's content; the secret is made when it is first shown and stays the same when it is shown again."""
    offered = await second_factors.of(tx, account.name)
    secret = offered.secret if offered is not None and not offered.confirmed else codes.new_secret()
    if offered is None:
        await second_factors.offer(tx, account.name, secret, state.now())
    hospital = await hospitals.get(tx, tx.hospital)
    address = codes.address_of(secret, account.name, f"P-HIS {hospital.name_en}")
    return FactorForm(action, csrf, codes.picture_of(address), codes.grouped(secret), address, error)


async def _under_way(request: Request, state: AppState, csrf: str) -> tuple[str, bytes]:
    """Raises NotSignedIn, and Forbidden for a form that is not of this sign-in."""
    hospital, hashed = _credential(request, state)
    async with state.database.transaction(hospital) as tx:
        sign_in = await sign_ins.under_way(tx, hashed, state.now())
    if not compare_digest(sign_in.csrf.encode(), csrf.encode()):
        raise Forbidden("the form's token does not belong to this sign-in")
    return hospital, hashed


def _credential(request: Request, state: AppState) -> tuple[str, bytes]:
    secret = request.cookies.get(signing_in.sign_in_cookie(state), "")
    return accounts.hospital_of_secret(secret), accounts.secret_hash(secret)


async def _ask(request: Request, state: AppState, error: str = "", *, weak: Weakness | None = None) -> Response:
    _ = pages.words_of(request).gettext
    hospital, hashed = _credential(request, state)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if error or weak else HTTPStatus.OK
    async with state.database.transaction(hospital) as tx:
        sign_in = await sign_ins.under_way(tx, hashed, state.now())
        account = await accounts.account(tx, sign_in.account)
        missing = await signing_in.what_is_missing(tx, account, sign_in.proofs)
        if missing is Missing.SECOND_FACTOR:
            factor = await factor_form(
                tx, state, account, action="/signin/second-factor", csrf=sign_in.csrf, error=error
            )
            title = _("Set up a second factor")
            return pages.page(request, "session/second_factor.html", title, status=status, form=factor)
        if missing is Missing.NEW_PASSWORD:
            form = await _password_form(request, tx, account, action="/signin/password", csrf=sign_in.csrf, weak=weak)
            return pages.page(request, "session/password.html", form.title, status=status, form=form)
    if missing is None:
        return pages.go("/signin")  # what was missing is not any more: sign in anew
    return _code_page(request, sign_in, error, status)


def _code_page(request: Request, sign_in: SignIn, error: str, status: int) -> Response:
    _ = pages.words_of(request).gettext
    form = CodeForm(
        action="/signin/code",
        csrf=sign_in.csrf,
        title=_("Enter your code"),
        lead=_("Your authenticator shows six digits. A recovery code works as well, once."),
        error=error,
    )
    return pages.page(request, "session/code.html", form.title, status=status, form=form)


async def _set_up(request: Request, state: AppState, secret: str, *, weak: Weakness | None = None) -> Response:
    hospital, hashed = _link(secret)
    async with state.database.transaction(hospital) as tx:
        try:
            name = await sign_ins.account_of_link(tx, hashed, state.now())
        except NotSignedIn as gone:
            raise NotFound("no such set-up link") from gone
        account = await accounts.account(tx, name)
        form = await _password_form(request, tx, account, action=f"/setup/{secret}", csrf="", weak=weak)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if weak else HTTPStatus.OK
    return pages.page(request, "session/password.html", form.title, status=status, form=form)


def _link(secret: str) -> tuple[str, bytes]:
    """Raises NotFound: one that was used, is over, or never was, all look the same."""
    try:
        return accounts.hospital_of_secret(secret), accounts.secret_hash(secret)
    except NotSignedIn as strange:
        raise NotFound("no such set-up link") from strange


async def _password_form(
    request: Request, tx: Transaction, account: Account, *, action: str, csrf: str, weak: Weakness | None
) -> PasswordForm:
    words = pages.words_of(request)
    _ = words.gettext
    beside = await signing_in.must_have(tx, account) or await second_factors.confirmed(tx, account.name)
    least = shortest(second_factor=beside)
    return PasswordForm(
        action=action,
        csrf=csrf,
        title=_("Choose your password"),
        lead=_("Only you will know it. It must not be one that you use elsewhere."),
        account=account.name,
        shortest=least,
        error=weakness_sentence(words, weak, least) if weak else "",
    )
