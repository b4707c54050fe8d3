"""Signing in with the hospital's own sign-on: the way there, and what the way back proves."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.requests import Request

from adapters.oidc import provider as oidc
from adapters.oidc.provider import Endpoints, Journey, Person, Provider
from api.auth.assertions import published_keys
from api.identity import signing_in
from api.identity.failures import UNKNOWN
from api.identity.signing_in import Signed
from api.state import AppState
from domain.errors import Forbidden, Invalid, NoAccountHere, NotFound, SignOnRefused
from store import accounts, audit, single_sign_on
from store.audit import AuditAction
from store.sign_ins import Proof
from store.single_sign_on import Way

_KEPT = timedelta(minutes=10)


def browser_cookie(state: AppState) -> str:
    """What binds the way back to the browser that left."""
    return "__Host-phis-signon" if state.secure_cookies else "phis-signon"


@dataclass(frozen=True)
class Leaving:
    """address: where the browser goes.  browser: the cookie's value."""

    address: str
    browser: str


async def leave(request: Request, state: AppState, hospital: str, next_: str, *, anew: bool) -> Leaving:
    """Raises NotFound for a hospital without a sign-on, Unavailable, SignOnRefused."""
    provider = _provider(state, hospital)
    endpoints = await _endpoints(request, state, provider)
    journey = Journey(
        state=secrets.token_urlsafe(32),
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(48),
        redirect=_redirect(state, hospital),
    )
    browser = secrets.token_urlsafe(32)
    way = Way(issuer=provider.issuer, nonce=journey.nonce, verifier=journey.verifier, next=next_)
    async with state.database.transaction(hospital) as tx:
        await single_sign_on.leave(tx, way, state=journey.state, browser=browser, now=state.now())
    return Leaving(oidc.address(provider, endpoints, journey, anew=anew), browser)


async def come_back(
    request: Request, state: AppState, hospital: str, *, code: str, given_state: str, issuer: str | None
) -> Signed:
    """Raises SignOnRefused, NoAccountHere, NotFound, Unavailable. Every refusal is in the audit."""
    provider = _provider(state, hospital)
    browser = request.cookies.get(browser_cookie(state), "")
    async with state.database.transaction(hospital) as tx:
        way = await single_sign_on.come_back(tx, state=given_state, browser=browser, now=state.now())
    try:
        if way is None or way.issuer != provider.issuer:
            raise Invalid("no browser has left so")  # noqa: TRY301  (told like every other refusal)
        person = await _person(request, state, provider, way, given_state, code=code, issuer=issuer)
    except (Invalid, Forbidden) as wrong:
        await _denied(request, state, hospital, UNKNOWN)
        raise SignOnRefused("the sign-on's answer does not hold") from wrong
    return await _begin(request, state, hospital, person, way.next)


async def _person(
    request: Request, state: AppState, provider: Provider, way: Way, given_state: str, *, code: str, issuer: str | None
) -> Person:
    endpoints = await _endpoints(request, state, provider)
    oidc.refuse_mix_up(provider, endpoints, issuer)
    if not code:
        raise Invalid("the provider refused")
    journey = Journey(given_state, way.nonce, way.verifier, _redirect(state, provider.hospital))
    token = await oidc.exchange(provider, endpoints, journey, code, state.outgoing)
    now = state.now()
    keys = await published_keys(request, state.outgoing).of(endpoints.keys, oidc.key_id_of(token), now)
    return oidc.person_of(provider, token, keys, way.nonce, now)


async def _begin(request: Request, state: AppState, hospital: str, person: Person, next_: str) -> Signed:
    proofs = [Proof.SINGLE_SIGN_ON, *([Proof.SECOND_FACTOR] if person.strong else [])]
    async with state.database.transaction(hospital) as tx:
        try:
            account = await accounts.account_of_external(tx, person.external)
        except NotFound:
            account = None
        if account is not None and not account.disabled:
            return await signing_in.go_on(
                tx, request, state, account, proofs, method="single-sign-on", next_=next_, fresh=person.fresh
            )
    await _denied(request, state, hospital, UNKNOWN if account is None else account.name)
    raise NoAccountHere("no open account has this external name")


def _provider(state: AppState, hospital: str) -> Provider:
    found = state.providers.get(hospital)
    if found is None:
        raise NotFound("this hospital has no sign-on of its own")
    return found


def _redirect(state: AppState, hospital: str) -> str:
    """An address for each hospital: an answer to one can never be taken for an answer to another."""
    return f"{state.public_url}/signin/sso/{hospital}/callback"


async def _endpoints(request: Request, state: AppState, provider: Provider) -> Endpoints:
    """What the provider publishes, kept for ten minutes."""
    kept: dict[str, tuple[datetime, Endpoints]] | None = getattr(request.app.state, "sign_on_endpoints", None)
    if kept is None:
        kept = request.app.state.sign_on_endpoints = {}
    since, endpoints = kept.get(provider.issuer, (None, None))
    now = state.now()
    if since is not None and endpoints is not None and now - since < _KEPT:
        return endpoints
    try:
        endpoints = await oidc.discover(provider, state.outgoing)
    except (Invalid, Forbidden) as wrong:
        raise SignOnRefused("the sign-on describes itself wrongly") from wrong
    kept[provider.issuer] = (now, endpoints)
    return endpoints


async def _denied(request: Request, state: AppState, hospital: str, actor: str) -> None:
    address = request.client.host if request.client else None
    async with state.database.transaction(hospital) as tx:
        await audit.record(
            tx,
            action=AuditAction.LOGIN,
            actor=actor,
            outcome="denied",
            detail="single-sign-on",
            address=address,
            at=state.now(),
        )
