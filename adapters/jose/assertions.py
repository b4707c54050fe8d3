"""Signed claims (JWT, RFC 7519): read only with the algorithms and keys that were named beforehand."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError

from adapters.jose.keys import key_set
from domain.errors import Invalid

LONGEST = 16_384  # characters
_PARTS = 3


@dataclass(frozen=True)
class Unverified:
    """What a token says of itself. Good for finding the key, and for nothing else."""

    algorithm: str
    key_id: str
    claims: Mapping[str, Any]


def peek(token: str) -> Unverified:
    """Raises Invalid for anything that is not a compact JWS with claims."""
    parts = token.split(".")
    if len(token) > LONGEST or len(parts) != _PARTS:
        raise Invalid("not a signed token")
    header, claims = _json(parts[0]), _json(parts[1])
    key_id = header.get("kid")
    return Unverified(str(header.get("alg", "")), key_id if isinstance(key_id, str) else "", claims)


def verified(token: str, keys: Mapping[str, Any], algorithms: Collection[str]) -> dict[str, Any]:
    """The claims of a token, if one of `keys` has signed it with one of `algorithms`; the key is the one it names.

    Raises Invalid. Times, issuer and audience are the caller's to check. `none` and shared keys are never accepted:
    `algorithms` names public ones only.
    """
    said = peek(token)
    if said.algorithm not in algorithms or not said.algorithm.startswith(("RS", "ES", "PS")):
        raise Invalid("the algorithm is not accepted")
    named = [key for key in keys.get("keys", ()) if key.get("kid") == said.key_id]
    if not said.key_id or not named:
        raise Invalid("no key of this name")
    try:
        claims = jwt.decode(token, key_set({"keys": named}), algorithms=list(algorithms)).claims
    except (JoseError, ValueError, TypeError) as wrong:
        raise Invalid("the signature does not hold") from wrong
    return dict(claims)


def seconds_of(claims: Mapping[str, Any], name: str) -> float | None:
    """A NumericDate; None where it is missing. Raises Invalid for anything else."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Invalid(f"`{name}` is not a number of seconds")
    return float(value)


def _json(part: str) -> dict[str, Any]:
    try:
        read = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError, RecursionError) as wrong:
        raise Invalid("not a signed token") from wrong
    if not isinstance(read, dict):
        raise Invalid("not a signed token")
    return read
