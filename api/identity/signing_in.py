"""Signing in, proof by proof: what was shown, what is still missing, and the session at the end.

Every door ends here: the password, the hospital's own sign-on, a set-up link. A session begins with a new secret, never
with one that a browser brought.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request

from api.accesses import request_id
from api.deps import cookie_name
from api.identity import codes, devices
from api.identity.failures import Attempts
from api.state import AppState
from domain.errors import NotFound, NotSignedIn
from domain.ids import HospitalCode
from rules.passwords import Weakness, weakness
from rules.proofs import Missing, missing, must_have_second_factor
from store import accounts, audit, hospitals, second_factors, sign_ins
from store.accounts import Account
from store.audit import AuditAction
from store.database import Transaction
from store.sign_ins import Proof, SecondFactorRule, SignIn

_HOSPITAL: TypeAdapter[str] = TypeAdapter(HospitalCode)


@dataclass(frozen=True)
class Signed:
    """Where a sign-in stands. session: the cookie's value, once nothing is missing.  under_way: of what goes on else.

    marks: the next value of the device's cookie.
    """

    hospital: str
    account: str
    next: str
    session: str = ""
    under_way: str = ""
    marks: str = ""


def sign_in_cookie(state: AppState) -> str:
    """The cookie of a sign-in under way."""
    return "__Host-phis-signin" if state.secure_cookies else "phis-signin"


async def with_password(
    request: Request, state: AppState, *, hospital: str, name: str, password: str, next_: str
) -> Signed | None:
    """Check account and password. None: something of it is wrong, and takes as long whatever it is.

    Raises TooManyAttempts, Unavailable.
    """
    try:
        _HOSPITAL.validate_python(hospital)
    except ValidationError:
        await state.passwords.verify(password, None)
        return None
    async with state.database.transaction(hospital) as tx:
        account = await _open_account(tx, hospital, name)
        known = await _exists(tx, hospital)
    attempts = Attempts(request, state, hospital, name, known=account.name if account else None)
    if known:
        await attempts.begin()
    right = await state.passwords.verify(password, account.password_hash if account is not None else None)
    if not known:
        return None
    if not right or account is None:
        await attempts.failed("session")
        return None
    async with state.database.transaction(hospital) as tx:
        await attempts.succeeded(tx)
        return await go_on(tx, request, state, account, [Proof.PASSWORD], method="password", next_=next_)


async def with_code(request: Request, state: AppState, hospital: str, hashed: bytes, code: str) -> Signed | None:
    """The second proof of a sign-in under way. None for a wrong code. Raises NotSignedIn, TooManyAttempts."""
    now = state.now()
    async with state.database.transaction(hospital) as tx:
        sign_in = await sign_ins.under_way(tx, hashed, now)
    attempts = Attempts(request, state, hospital, sign_in.account, known=sign_in.account, what="code")
    await attempts.begin()
    async with state.database.transaction(hospital) as tx:
        sign_in = await sign_ins.under_way(tx, hashed, now, lock=True)
        if await codes.accept(tx, sign_in.account, code, now):
            await attempts.succeeded(tx)
            return await _further(tx, request, state, sign_in, Proof.SECOND_FACTOR)
    await attempts.failed("session/code")
    return None


async def with_new_password(
    request: Request, state: AppState, hospital: str, hashed: bytes, password: str
) -> Signed | Weakness:
    """Choose the password that an administrator's had to be replaced by. Raises NotSignedIn."""
    now = state.now()
    async with state.database.transaction(hospital) as tx:
        sign_in = await sign_ins.under_way(tx, hashed, now)
        account = await accounts.account(tx, sign_in.account)
        if await what_is_missing(tx, account, sign_in.proofs) is not Missing.NEW_PASSWORD:
            raise NotSignedIn("the sign-in asks for something else")
        found = await weakness_of(tx, account, password)
    if found is not None:
        return found
    if await state.passwords.verify(password, account.password_hash):
        return Weakness.SAME
    made = await state.passwords.hash(password)
    async with state.database.transaction(hospital) as tx:
        sign_in = await sign_ins.under_way(tx, hashed, now, lock=True)
        await accounts.change_password(tx, account.name, made)
        await _note(tx, request, state, account.name, "password/changed")
        changed = await accounts.account(tx, account.name)
        return await go_on(tx, request, state, changed, sign_in.proofs, method=sign_in.method, next_=sign_in.next)


async def with_first_code(
    request: Request, state: AppState, hospital: str, hashed: bytes, code: str
) -> tuple[Signed, list[str]] | None:
    """Confirm a second factor on the way in; also its recovery codes. None for a wrong code. Raises NotSignedIn."""
    now = state.now()
    async with state.database.transaction(hospital) as tx:
        sign_in = await sign_ins.under_way(tx, hashed, now, lock=True)
        account = await accounts.account(tx, sign_in.account)
        if await what_is_missing(tx, account, sign_in.proofs) is not Missing.SECOND_FACTOR:
            raise NotSignedIn("the sign-in asks for something else")
        made = await codes.confirm(tx, sign_in.account, code, now)
        if made is None:
            return None
        await _note(tx, request, state, sign_in.account, "second-factor/confirmed")
        return await _further(tx, request, state, sign_in, Proof.SECOND_FACTOR), made


async def with_link(
    request: Request, state: AppState, hospital: str, hashed: bytes, password: str
) -> Signed | Weakness:
    """Choose a password with a set-up link, which is used up by it. Raises NotSignedIn."""
    now = state.now()
    async with state.database.transaction(hospital) as tx:
        account = await accounts.account(tx, await sign_ins.account_of_link(tx, hashed, now))
        found = await weakness_of(tx, account, password)
    if found is not None:
        return found
    made = await state.passwords.hash(password)
    async with state.database.transaction(hospital) as tx:
        name = await sign_ins.use_link(tx, hashed, now)
        await accounts.change_password(tx, name, made)
        await _note(tx, request, state, name, "password/set-up")
        account = await accounts.account(tx, name)
        return await go_on(tx, request, state, account, [Proof.PASSWORD], method="password", next_="/")


async def go_on(
    tx: Transaction,
    request: Request,
    state: AppState,
    account: Account,
    proofs: Collection[Proof],
    *,
    method: str,
    next_: str,
    fresh: bool = False,
) -> Signed:
    """A session if nothing is missing, else a sign-in that goes on. What the browser had before ends.

    fresh: the proof is one that counts for what reaches far, without a second factor.
    """
    now = state.now()
    await _forget_cookies(tx, request, state)
    marks = devices.marks_with(request.cookies.get(devices.cookie_name(state), ""), tx.keys, tx.hospital, account.name)
    if await what_is_missing(tx, account, proofs) is not None:
        secret = await sign_ins.begin(tx, account.name, proofs, now, method=method, next_=next_)
        await _note(tx, request, state, account.name, f"sign-in/{method}")
        return Signed(tx.hospital, account.name, next_, under_way=secret)
    secret = await accounts.start_session(
        tx,
        account.name,
        now,
        lasts=state.session_length,
        method=method,
        proved=fresh or Proof.SECOND_FACTOR in proofs,
        address=request.client.host if request.client else None,
        agent=request.headers.get("user-agent"),
    )
    await _note(tx, request, state, account.name, "session", action=AuditAction.LOGIN)
    return Signed(tx.hospital, account.name, next_, session=secret, marks=marks)


async def what_is_missing(tx: Transaction, account: Account, proofs: Collection[Proof]) -> Missing | None:
    return missing(
        has_factor=await second_factors.confirmed(tx, account.name),
        factor_shown=Proof.SECOND_FACTOR in proofs,
        must_change=account.must_change and Proof.PASSWORD in proofs,
        must_have=await must_have(tx, account),
    )


async def must_have(tx: Transaction, account: Account) -> bool:
    asked = await sign_ins.rule(tx) is SecondFactorRule.ROLES
    return must_have_second_factor(account.roles, asked=asked)


async def weakness_of(tx: Transaction, account: Account, password: str) -> Weakness | None:
    """Why an account may not have this password."""
    hospital = await hospitals.get(tx, tx.hospital)
    about = (account.name, account.display_ko, account.display_en, hospital.code, hospital.name_ko, hospital.name_en)
    beside = await must_have(tx, account) or await second_factors.confirmed(tx, account.name)
    return weakness(password, about, second_factor=beside)


async def _further(tx: Transaction, request: Request, state: AppState, sign_in: SignIn, proof: Proof) -> Signed:
    account = await accounts.account(tx, sign_in.account)
    proofs = {*sign_in.proofs, proof}
    await sign_ins.end(tx, sign_in.secret_hash)
    return await go_on(tx, request, state, account, proofs, method=sign_in.method, next_=sign_in.next)


async def _forget_cookies(tx: Transaction, request: Request, state: AppState) -> None:
    """End what this browser was signed in to before, if it was this hospital's."""
    for name, end in ((cookie_name(state), accounts.end_session), (sign_in_cookie(state), sign_ins.end)):
        secret = request.cookies.get(name, "")
        if secret.startswith(f"{tx.hospital}."):
            await end(tx, accounts.secret_hash(secret))


async def _open_account(tx: Transaction, hospital: str, name: str) -> Account | None:
    try:
        account = await accounts.account(tx, name)
    except NotFound:
        return None
    return None if account.disabled else account


async def _exists(tx: Transaction, hospital: str) -> bool:
    try:
        await hospitals.get(tx, hospital)
    except NotFound:
        return False
    return True


async def _note(
    tx: Transaction,
    request: Request,
    state: AppState,
    actor: str,
    detail: str,
    *,
    action: AuditAction = AuditAction.EXECUTE,
) -> None:
    address = request.client.host if request.client else None
    asked = request_id(request.headers.get("x-request-id"))
    await audit.record(tx, action=action, actor=actor, detail=detail, address=address, at=state.now(), request=asked)
