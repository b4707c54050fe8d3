"""POST /auth/token: a client shows an assertion that it signed, and gets a token for some minutes (RFC 7523)."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from api.auth.assertions import ENDPOINT, Claimed, checked, claimed, published_keys
from api.deps import public_with_any_field
from api.state import AppState, State
from domain.errors import Invalid, NotFound
from rules.scopes import intersection
from store import accounts, audit, clients, hospitals
from store.audit import AuditAction
from store.clients import Client
from store.database import Transaction

router = APIRouter(include_in_schema=False)

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class _Refused(Exception):
    """One of RFC 6749's errors (5.2)."""

    def __init__(self, code: str, description: str, status: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(code)
        self.code = code
        self.description = description
        self.status = status


@router.post(ENDPOINT, dependencies=[public_with_any_field])  # RFC 6749, 3.2: unknown parameters are ignored
async def token(request: Request, state: State) -> Response:
    """The scope of the answer is what was requested and is allowed; a client reads what it got."""
    try:
        form = await _form(request)
        secret, client, granted = await _issue(request, state, form)
    except _Refused as refused:
        body = {"error": refused.code, "error_description": refused.description}
        return JSONResponse(body, refused.status, headers=_NO_STORE)
    given = {
        "access_token": secret,
        "token_type": "bearer",
        "expires_in": client.token_seconds,
        "scope": granted,
    }
    return JSONResponse(given, headers=_NO_STORE)


async def _form(request: Request) -> dict[str, str]:
    if not request.headers.get("content-type", "").lower().startswith("application/x-www-form-urlencoded"):
        raise _Refused("invalid_request", "the body is application/x-www-form-urlencoded")
    found: dict[str, str] = {}
    for name, value in (await request.form()).multi_items():
        if name in found or not isinstance(value, str):
            raise _Refused("invalid_request", f"{name} is given twice")
        found[name] = value
    if "grant_type" not in found:
        raise _Refused("invalid_request", "grant_type is missing")
    if found["grant_type"] != "client_credentials":
        raise _Refused("unsupported_grant_type", "the grant is client_credentials")
    if found.get("client_assertion_type") != _ASSERTION_TYPE or not found.get("client_assertion"):
        raise _unknown("a client shows an assertion of type jwt-bearer")
    if not found.get("scope"):
        raise _Refused("invalid_scope", "scope is missing")
    return found


async def _issue(request: Request, state: AppState, form: dict[str, str]) -> tuple[str, Client, str]:
    try:
        claim = claimed(form["client_assertion"])
        client = await _client(state, claim)
    except (Invalid, NotFound) as wrong:
        raise _unknown("the client is not known, or its assertion is none") from wrong
    try:
        await _check(request, state, claim, client)
    except Invalid as wrong:
        async with state.database.transaction(claim.hospital) as tx:
            await _note(tx, request, state, client.id, allowed=False)
        raise _unknown(str(wrong)) from wrong
    granted = intersection(form["scope"], client.scope)
    async with state.database.transaction(claim.hospital) as tx:
        await _note(tx, request, state, client.id, allowed=bool(granted))
        until = state.now() + timedelta(seconds=client.token_seconds)
        secret = await accounts.issue_token(tx, client.id, [], granted, until) if granted else ""
    if not granted:
        raise _Refused("invalid_scope", "nothing of what was requested is allowed to this client")
    return secret, client, granted


async def _check(request: Request, state: AppState, claim: Claimed, client: Client) -> None:
    """Raises Invalid for an assertion that does not hold, is used a second time, or is a closed client's."""
    now = state.now()
    keys = client.keys or await published_keys(request, state.outgoing).of(
        client.keys_url or "", claim.said.key_id, now
    )
    jti, expires = checked(claim, client, keys, f"{state.public_url}{ENDPOINT}", now)
    if client.disabled:
        raise Invalid("the client is closed")
    async with state.database.transaction(claim.hospital) as tx:
        if not await clients.use_assertion(tx, client.id, jti, expires):
            raise Invalid("the assertion was used already")


async def _client(state: AppState, claim: Claimed) -> Client:
    async with state.database.transaction(claim.hospital) as tx:
        await hospitals.get(tx, claim.hospital)
        return await clients.client(tx, claim.client)


async def _note(tx: Transaction, request: Request, state: AppState, actor: str, *, allowed: bool) -> None:
    await audit.record(
        tx,
        action=AuditAction.LOGIN,
        actor=actor,
        outcome="allowed" if allowed else "denied",
        detail="client-token",
        address=request.client.host if request.client else None,
        at=state.now(),
    )


def _unknown(description: str) -> _Refused:
    return _Refused("invalid_client", description, HTTPStatus.UNAUTHORIZED)
