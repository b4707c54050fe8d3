"""Public keys that others publish or hand over, as a JWK set (RFC 7517). A private key among them is refused."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from domain.errors import Invalid

_SMALLEST_RSA = 2048  # bits, NIST SP 800-131A
_CURVES = frozenset({"P-256", "P-384", "P-521"})
_MOST = 20
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "k", "oth"})


def public_keys(document: object) -> dict[str, Any]:
    """A JWK set with nothing but usable public keys. Raises Invalid with a sentence that names what is wrong."""
    keys = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(keys, list) or not keys or len(keys) > _MOST:
        raise Invalid(f"a JWK set has an array `keys` with 1 to {_MOST} keys", field="/keys")
    kept = []
    for place, key in enumerate(keys):
        if not isinstance(key, Mapping):
            raise Invalid("a key is an object", field=f"/keys/{place}")
        if _PRIVATE & set(key):
            raise Invalid(
                "a private or shared key: make a new pair and give the public half only", field=f"/keys/{place}"
            )
        if not isinstance(key.get("kid"), str) or not key["kid"]:
            raise Invalid("a key needs a `kid`", field=f"/keys/{place}/kid")
        if key.get("use", "sig") != "sig":
            continue
        kept.append({str(name): value for name, value in key.items()})
        _refuse_unusable(kept[-1], f"/keys/{place}")
    if not kept or len({key["kid"] for key in kept}) != len(kept):
        raise Invalid("there is no key for signatures, or two share a `kid`", field="/keys")
    return {"keys": kept}


def usable(document: object) -> dict[str, Any]:
    """The usable ones of a published set: others may stand beside them. Raises Invalid when there is none."""
    keys = document.get("keys") if isinstance(document, Mapping) else None
    kept: list[dict[str, Any]] = []
    for key in (keys if isinstance(keys, list) else [])[:_MOST]:
        try:
            kept += public_keys({"keys": [key]})["keys"]
        except Invalid:
            continue
    if not kept:
        raise Invalid("no usable public key is published", field="/keys")
    return {"keys": kept}


def key_set(keys: Mapping[str, Any]) -> KeySet:
    """Keys that verify. Raises Invalid."""
    try:
        return KeySet.import_key_set({"keys": list(keys["keys"])})
    except (JoseError, KeyError, ValueError, TypeError) as wrong:
        raise Invalid("a key cannot be read", field="/keys") from wrong


def _refuse_unusable(key: dict[str, Any], place: str) -> None:
    try:
        if key.get("kty") == "RSA":
            if _bits(str(key["n"])) < _SMALLEST_RSA:
                raise Invalid(f"an RSA key has at least {_SMALLEST_RSA} bits", field=place)
            RSAKey.import_key(key)
            return
        if key.get("kty") == "EC" and key.get("crv") in _CURVES:
            ECKey.import_key(key)
            return
    except (JoseError, ValueError, TypeError, KeyError) as wrong:
        raise Invalid("a key cannot be read", field=place) from wrong
    raise Invalid("a key is RSA, or EC on P-256, P-384 or P-521", field=place)


def _bits(number: str) -> int:
    """Bits of a number in base64url. Raises ValueError."""
    return int.from_bytes(base64.urlsafe_b64decode(number + "=" * (-len(number) % 4)), "big").bit_length()
