"""Who is asking, and may they: every route names its policy here, and a route without one stops the start."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Header, Request
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import BaseRoute, Mount
from starlette.staticfiles import StaticFiles

from api.accesses import request_id
from api.caller import Caller
from api.state import AppState, state_of
from api.strict import refuse_unknown_fields, refuse_unknown_parameters
from domain.errors import FilesChanged, Forbidden, Misconfigured, NotFound, NotSignedIn, ProofNeeded
from rules.access import Action, may, roles_for
from store import accounts, hospitals

PROOF_LASTS = timedelta(minutes=10)
"""How long a proof opens what asks for a fresh one."""

_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,80}$",
        description="Names this command: the same key again gets the first answer and changes nothing.",
    ),
]


def cookie_name(state: AppState) -> str:
    """`__Host-` binds the cookie to this very origin; browsers accept that prefix over TLS only."""
    return "__Host-phis" if state.secure_cookies else "phis"


class Policy:
    """A route's policy: signed in, and a role that may do this.

    step_up: a person must have proved within the last minutes to be still there: a code of the second factor, or the
    password where there is none. A client's token is a proof by itself: nobody has left its desk.
    """

    def __init__(self, action: Action, *, step_up: bool = False) -> None:
        self.action = action
        self.step_up = step_up

    async def __call__(self, request: Request) -> Caller:
        state = state_of(request)
        caller = await _identify(request, state)
        request.state.caller = caller
        if caller.csrf is not None and request.method in _CHANGING:
            await _refuse_forgery(request, state, caller.csrf)
        if not may(caller.roles, self.action):
            raise Forbidden(self.action.value, action=self.action.value, roles=_names(self.action))
        if request.method in _CHANGING and self.action is not Action.USE_SCREENS and state.manifest().refuses_writes:
            raise FilesChanged("installed files are not as they were signed")
        if self.step_up:
            refuse_without_fresh_proof(state, caller, self.action)
        refuse_unknown_parameters(request)
        if request.method in _CHANGING:
            await refuse_unknown_fields(request)
        return caller


class Public:
    """A route's policy: anybody. Changing requests must still come from our own pages.

    any_field: what the route does not know is passed over, where a standard says so.
    """

    def __init__(self, *, any_field: bool = False) -> None:
        self.any_field = any_field

    async def __call__(self, request: Request) -> None:
        refuse_unknown_parameters(request)
        if request.method in _CHANGING:
            refuse_other_origins(request, state_of(request))
            if not self.any_field:
                await refuse_unknown_fields(request)


def allow(action: Action, *, step_up: bool = False) -> Any:
    """A route's policy. `step_up=True` asks for a fresh proof, and afterwards goes on with what was being done."""
    return Depends(Policy(action, step_up=step_up))


def refuse_without_fresh_proof(state: AppState, caller: Caller, action: Action) -> None:
    """Raises ProofNeeded for a person whose last proof is too old. For decisions that a route's policy cannot know."""
    if caller.csrf is None:
        return
    if caller.proved_at is None or state.now() - caller.proved_at > PROOF_LASTS:
        raise ProofNeeded("a fresh proof is needed", action=action.value)


public: Any = Depends(Public())
public_with_any_field: Any = Depends(Public(any_field=True))


async def known_caller(request: Request) -> Caller | None:
    """The caller of a public route, if one is signed in."""
    try:
        caller = await _identify(request, state_of(request))
    except NotSignedIn:
        return None
    request.state.caller = caller
    return caller


async def still_stands(state: AppState, caller: Caller) -> bool:
    """Whether the session or token of an open stream has neither ended nor lost its rights."""
    now = state.now()
    try:
        async with state.database.transaction(caller.hospital) as tx:
            if caller.csrf is not None:
                roles = (await accounts.session(tx, caller.session, now, used=False)).may_act_as
            else:
                roles = (await accounts.token(tx, caller.session, now)).roles
    except NotSignedIn:
        return False
    return roles == caller.roles


def refuse_other_origins(request: Request, state: AppState) -> None:
    """Raises Forbidden for a request that another site's page made a browser send.

    Browsers say where a request comes from (Fetch Metadata, or Origin where they are older); programs say neither.
    """
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    own = {urlsplit(state.public_url).netloc, request.headers.get("host", "")}
    if (site is not None and site != "same-origin") or (
        site is None and origin is not None and urlsplit(origin).netloc not in own
    ):
        raise Forbidden("the request comes from another site")


async def _refuse_forgery(request: Request, state: AppState, csrf: str) -> None:
    refuse_other_origins(request, state)
    given = request.headers.get("x-csrf-token")
    # Only forms of screens carry it as a field: a body of FHIR is read later, and by somebody else.
    form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    if given is None and form and "route" in request.scope:
        given = str((await request.form()).get("csrf", ""))
    if given is None or not secrets.compare_digest(given.encode(), csrf.encode()):
        raise Forbidden("the form's token does not belong to this session")


async def _identify(request: Request, state: AppState) -> Caller:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    bearer = scheme.lower() == "bearer"
    secret = given.strip() if bearer else request.cookies.get(cookie_name(state), "")
    code, hashed, now = accounts.hospital_of_secret(secret), accounts.secret_hash(secret), state.now()
    address = request.client.host if request.client else None
    asked = request_id(request.headers.get("x-request-id"))
    async with state.database.transaction(code) as tx:
        try:
            hospital = await hospitals.get(tx, code)
        except NotFound:
            raise NotSignedIn from None
        displays = {"ko": hospital.name_ko, "en": hospital.name_en}
        if bearer:
            token = await accounts.token(tx, hashed, now)
            return Caller(
                code, token.label, token.roles, {}, displays, address, hashed, small=hospital.small, request=asked
            )
        session = await accounts.session(tx, hashed, now)
        display = {"ko": session.display_ko, "en": session.display_en}
        return Caller(
            code,
            session.account,
            session.may_act_as,
            display,
            displays,
            address,
            hashed,
            session.csrf,
            session.proved_at,
            hospital.small,
            session.on_behalf_of,
            asked,
        )


def _names(action: Action) -> str:
    return ",".join(sorted(role.value for role in roles_for(action)))


def refuse_routes_without_policy(routes: list[BaseRoute], free: type[StaticFiles]) -> None:
    """Raises Misconfigured naming a route that nobody thought about. Files of kind `free` are for everybody."""
    for context in iter_route_contexts(routes):
        route = context.original_route
        if isinstance(route, Mount) and isinstance(route.app, free):
            continue
        if not isinstance(route, APIRoute) or not _has_policy(route):
            raise Misconfigured(f"the route {context.path} declares no policy; give it allow(Action.…) or public")


def _has_policy(route: APIRoute) -> bool:
    pending = list(route.dependant.dependencies)
    while pending:
        one = pending.pop()
        if isinstance(one.call, Policy | Public):
            return True
        pending.extend(one.dependencies)
    return False
