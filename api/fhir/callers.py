"""Who is asking over FHIR: a client's bearer token, or a browser's session as everywhere in the house.

What a token may is looked up and then remembered for a few seconds: looking it up with every read would double what a
read costs. Whether it still stands is asked with every read, in the read's own transaction (`api.fhir.standing`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.types import Scope

from api.accesses import request_id
from api.caller import Caller
from api.denials import denied
from api.deps import Policy
from api.fhir.exchange import Asker
from api.state import AppState
from domain.errors import NotFound, NotSignedIn
from rules.access import Action, rights
from rules.scopes import grants
from store import accounts, clocks, hospitals

TRUSTED = timedelta(seconds=5)
"""How long what a token may is remembered; it changes only with what ends the token."""

_REMEMBERED = 10_000


class Callers:
    """Finds out who is asking."""

    def __init__(self, state: AppState) -> None:
        self._state = state
        self._known: OrderedDict[bytes, tuple[datetime, Asker]] = OrderedDict()

    async def asker(self, scope: Scope, headers: Mapping[str, str], hospital: str, now: datetime) -> Asker:
        """Raises NotSignedIn; NotFound for a hospital that is not the caller's, like for one that does not exist."""
        scheme, _, secret = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            asker = await self._by_token(secret.strip(), _address(scope), now)
        elif "cookie" in headers:
            asker = await self._by_session(scope, now)
        else:
            raise NotSignedIn("the request carries no token")
        if asker.caller.hospital != hospital:
            await denied(self._state, asker.caller, "other-hospital", request=request_id(headers.get("x-request-id")))
            raise NotFound("no such hospital")
        return asker

    async def _by_token(self, secret: str, address: str | None, now: datetime) -> Asker:
        hashed = accounts.secret_hash(secret)
        until, known = self._known.get(hashed, (now, None))
        if known is not None and now < until and known.caller.address == address:
            return known
        self._known.pop(hashed, None)
        hospital = accounts.hospital_of_secret(secret)
        async with self._state.database.transaction(hospital) as tx:
            token = await accounts.token(tx, hashed, now)
            clock = await clocks.clock_of(tx)
            small = (await hospitals.get(tx, hospital)).small
        caller = Caller(hospital, token.label, token.roles, {}, {}, address, hashed)
        person = rights(token.roles, small=small) if accounts.is_person(token.label) else None
        asker = Asker(caller, grants(token.scope, token.roles, small=small), clock, person)
        self._known[hashed] = min(now + TRUSTED, token.expires_at), asker
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return asker

    async def _by_session(self, scope: Scope, now: datetime) -> Asker:
        # Reading is the least that FHIR needs; what is changed besides is asked of the grants, as for a token.
        caller = await Policy(Action.READ_RECORDS)(Request(scope))
        async with self._state.database.transaction(caller.hospital) as tx:
            clock = await clocks.clock_of(tx)
            small = (await hospitals.get(tx, caller.hospital)).small
        return Asker(caller, grants("", caller.roles, small=small), clock, rights(caller.roles, small=small))


def _address(scope: Scope) -> str | None:
    client = scope.get("client")
    return client[0] if client else None
