"""One provider: what it says of itself, where a browser is sent, and what its answer means.

OpenID Connect Core 1.0, 3.1; Discovery 1.0, 4; PKCE, RFC 7636; the issuer in the answer, RFC 9207; RFC 9700 throughout.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any
from urllib.parse import quote

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from adapters.jose.assertions import peek, seconds_of, verified
from adapters.outgoing import Outgoing
from domain.errors import Invalid, Unavailable

ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"})
"""Signatures with public keys. A provider's list is taken from these, never from what its tokens say."""

_CLOCKS = timedelta(minutes=1)
_OLDEST = timedelta(minutes=10)
_STRONG = frozenset({"mfa", "otp", "hwk"})  # RFC 8176: more than a password was shown


@dataclass(frozen=True)
class Provider:
    """claim: which claim names the person; an account's external name is compared with it."""

    hospital: str
    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    algorithms: tuple[str, ...] = ("RS256",)
    claim: str = "sub"


@dataclass(frozen=True)
class Endpoints:
    """What a provider publishes. names_itself: its answers carry `iss`."""

    authorization: str
    token: str
    keys: str
    names_itself: bool


@dataclass(frozen=True)
class Journey:
    """What a browser's way there and back is bound to."""

    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    redirect: str


@dataclass(frozen=True)
class Person:
    """external: how the provider knows the person.  strong: with more than a password.  fresh: just now."""

    external: str
    strong: bool
    fresh: bool


async def discover(provider: Provider, outgoing: Outgoing) -> Endpoints:
    """Raises Unavailable, and Invalid for a description that is not this provider's."""
    said = await outgoing.get_json(f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration")
    if not isinstance(said, Mapping) or said.get("issuer") != provider.issuer:
        raise Invalid("the provider describes another issuer")
    found = [said.get(name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
    if not all(isinstance(one, str) for one in found):
        raise Invalid("the provider's description lacks an endpoint")
    authorization, token, keys = (str(one) for one in found)
    for url in (authorization, token, keys):
        outgoing.refuse_elsewhere(url)
    return Endpoints(authorization, token, keys, said.get("authorization_response_iss_parameter_supported") is True)


def address(provider: Provider, endpoints: Endpoints, journey: Journey, *, anew: bool) -> str:
    """Where the browser is sent. anew: the person shows the password again, whatever session is there."""
    more = {"prompt": "login", "max_age": "0"} if anew else {}
    uri = prepare_grant_uri(
        endpoints.authorization,
        client_id=provider.client_id,
        response_type="code",
        redirect_uri=journey.redirect,
        scope="openid profile",
        state=journey.state,
        nonce=journey.nonce,
        code_challenge=str(create_s256_code_challenge(journey.verifier)),  # type: ignore[no-untyped-call]  # no types there
        code_challenge_method="S256",
        **more,
    )
    return str(uri)


def refuse_mix_up(provider: Provider, endpoints: Endpoints, issuer: str | None) -> None:
    """Raises Invalid when another provider has answered (RFC 9207, 2.4)."""
    if issuer is None and not endpoints.names_itself:
        return
    if issuer != provider.issuer:
        raise Invalid("another provider has answered")


async def exchange(provider: Provider, endpoints: Endpoints, journey: Journey, code: str, outgoing: Outgoing) -> str:
    """The identity token for a code. Raises Unavailable, also when the provider refuses the code."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": journey.redirect,
        "code_verifier": journey.verifier,
        "client_id": provider.client_id,
    }
    secret = (quote(provider.client_id, safe=""), quote(provider.client_secret, safe=""))  # RFC 6749, 2.3.1
    answer = await outgoing.post_form(endpoints.token, form, auth=secret if provider.client_secret else None)
    token = answer.get("id_token") if isinstance(answer, Mapping) else None
    if not isinstance(token, str):
        raise Unavailable("the provider gives no identity token", part="sign-on")
    return token


def key_id_of(token: str) -> str:
    """Which key a token says it was signed with. Raises Invalid."""
    return peek(token).key_id


def person_of(provider: Provider, token: str, keys: Mapping[str, Any], nonce: str, now: datetime) -> Person:
    """Whom an identity token names (Core, 3.1.3.7). Raises Invalid for one that does not hold or is not for us."""
    claims = verified(token, keys, provider.algorithms)
    _refuse_others(provider, claims)
    present = now.timestamp()
    expires, issued = seconds_of(claims, "exp"), seconds_of(claims, "iat")
    if expires is None or expires <= present - _CLOCKS.total_seconds():
        raise Invalid("the identity token has expired")
    if issued is None or not -_OLDEST.total_seconds() <= issued - present <= _CLOCKS.total_seconds():
        raise Invalid("the identity token is not of this moment")
    given = claims.get("nonce")
    if not isinstance(given, str) or not compare_digest(given.encode(), nonce.encode()):
        raise Invalid("the identity token answers another question")
    external = claims.get(provider.claim)
    if not isinstance(external, str) or not external:
        raise Invalid("the identity token does not name the person")
    methods = claims.get("amr")
    shown = seconds_of(claims, "auth_time")
    return Person(
        external,
        strong=isinstance(methods, list) and not _STRONG.isdisjoint(str(one) for one in methods),
        fresh=shown is not None and abs(present - shown) <= _CLOCKS.total_seconds() * 2,
    )


def _refuse_others(provider: Provider, claims: Mapping[str, Any]) -> None:
    if claims.get("iss") != provider.issuer:
        raise Invalid("the identity token is of another issuer")
    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if provider.client_id not in named:
        raise Invalid("the identity token is for another client")
    authorized = claims.get("azp")
    if (len(named) > 1 or authorized is not None) and authorized != provider.client_id:
        raise Invalid("the identity token is for another client")
