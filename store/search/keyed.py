"""Hashes that search tables hold in place of values.

Token values are hashed with a key of the hospital: who steals the tables cannot try all resident numbers. References,
units and places hold nothing secret beside the ids in `resource`, and need no key.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from functools import lru_cache
from uuid import UUID

from store.sealing import KeyRing

_PURPOSE = "token"
Hash = Callable[[str], int]


@lru_cache(maxsize=16384)
def hashed(text: str) -> int:
    """A 64-bit name of a place, unit or exact spelling."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big", signed=True)


@lru_cache(maxsize=65536)
def target_key(reference: str) -> UUID:
    """The 128-bit name of a referenced thing. Of `Type/id` it is `Resource.key`: collisions cannot be made."""
    return UUID(bytes=hashlib.sha256(reference.encode()).digest()[:16])


def token_hash(keys: KeyRing, hospital: str, key_id: str | None = None) -> Hash:
    """The hash of token values under a key; by default under the one that seals now."""
    return _token_hash(keys.derive(key_id or keys.sealing(hospital), _PURPOSE, hospital))


def token_hashes(keys: KeyRing, hospital: str) -> list[Hash]:
    """One hash for each key that rows may stand under: while keys change, a search asks for all of them."""
    return [_token_hash(keys.derive(key_id, _PURPOSE, hospital)) for key_id in keys.searching(hospital)]


@lru_cache(maxsize=256)
def _token_hash(key: bytes) -> Hash:
    @lru_cache(maxsize=65536)
    def of(text: str) -> int:
        return int.from_bytes(hmac.digest(key, text.encode(), "sha256")[:8], "big", signed=True)

    return of
