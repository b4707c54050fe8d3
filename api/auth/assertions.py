"""Whether a client's signed assertion holds (hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html)."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request

from adapters.jose.assertions import Unverified, peek, seconds_of, verified
from adapters.jose.keys import usable
from adapters.outgoing import Outgoing
from domain.errors import Forbidden, Invalid, Unavailable
from store.clients import Client, hospital_of_client

ENDPOINT = "/auth/token"
ALGORITHMS = ("RS384", "ES384")
LONGEST_LIFE = timedelta(minutes=5)

_CLOCKS = timedelta(seconds=60)  # how far ahead of ours a client's clock may be where it says when it signed
_KEPT = timedelta(minutes=10)
_ASKED_AGAIN = timedelta(minutes=1)
_MOST_PUBLISHED = 200
_LONGEST_JTI = 200


@dataclass(frozen=True)
class Claimed:
    """Who an assertion says it is from. Nothing of it is verified yet."""

    hospital: str
    client: str
    said: Unverified
    assertion: str


def claimed(assertion: str) -> Claimed:
    """Raises Invalid for what is no assertion of a client of ours."""
    said = peek(assertion)
    issuer, subject = said.claims.get("iss"), said.claims.get("sub")
    if not isinstance(subject, str) or issuer != subject:
        raise Invalid("`iss` and `sub` are both the client's id")
    return Claimed(hospital_of_client(subject), subject, said, assertion)


def checked(claim: Claimed, client: Client, keys: dict[str, Any], endpoint: str, now: datetime) -> tuple[str, datetime]:
    """The assertion's number and until when it could be used again. Raises Invalid.

    Its number is still to be used up, in the database: that is what keeps it from being replayed elsewhere.
    """
    claims = verified(claim.assertion, keys, ALGORITHMS)
    if claims.get("iss") != client.id or claims.get("sub") != client.id:
        raise Invalid("`iss` and `sub` are both the client's id")
    audience = claims.get("aud")
    if audience not in (endpoint, [endpoint]):
        raise Invalid("`aud` is the address of the token endpoint")
    expires = _instant(claims, "exp")
    if expires is None or expires <= now or expires > now + LONGEST_LIFE:
        raise Invalid("`exp` lies at most five minutes ahead")
    for name in ("iat", "nbf"):
        begins = _instant(claims, name)
        if begins is not None and begins > now + _CLOCKS:
            raise Invalid(f"`{name}` lies ahead")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 1 <= len(jti) <= _LONGEST_JTI:
        raise Invalid("`jti` names this assertion")
    return jti, expires


class PublishedKeys:
    """Keys that clients publish, kept for ten minutes; a name that is not among them asks once more a minute later."""

    def __init__(self, outgoing: Outgoing) -> None:
        self._outgoing = outgoing
        self._kept: OrderedDict[str, tuple[datetime, dict[str, Any]]] = OrderedDict()

    async def of(self, url: str, key_id: str, now: datetime) -> dict[str, Any]:
        """Raises Invalid when there are none to be had."""
        since, keys = self._kept.get(url, (None, {"keys": []}))
        known = any(key["kid"] == key_id for key in keys["keys"])
        age = now - since if since is not None else None
        if age is not None and ((known and age < _KEPT) or (not known and age < _ASKED_AGAIN)):
            return keys
        try:
            keys = usable(await self._outgoing.get_json(url))
        except (Unavailable, Forbidden) as gone:
            raise Invalid("the published keys cannot be had") from gone
        self._kept[url] = (now, keys)
        while len(self._kept) > _MOST_PUBLISHED:
            self._kept.popitem(last=False)
        return keys


def published_keys(request: Request, outgoing: Outgoing) -> PublishedKeys:
    """The application's one."""
    kept = getattr(request.app.state, "published_keys", None)
    if not isinstance(kept, PublishedKeys):
        kept = request.app.state.published_keys = PublishedKeys(outgoing)
    return kept


def _instant(claims: dict[str, Any], name: str) -> datetime | None:
    seconds = seconds_of(claims, name)
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError) as wrong:
        raise Invalid(f"`{name}` is no time") from wrong
