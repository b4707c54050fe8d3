"""Encryption at rest: AES-256-GCM, a derived key for each purpose and hospital.

Envelopes: the ring holds master keys, from outside of the database. A hospital's data keys lie in the database, wrapped
by a master key (`store.data_keys`); from each, and from a master key where a hospital has none, a key for each purpose
is derived. What is sealed is bound to its place by associated data: bytes moved to another row, hospital or version do
not open.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from domain.errors import Misconfigured, SealBroken

_KEY = 32  # bytes, AES-256
_NONCE = 12  # bytes; random, so one derived key is good for 2^32 messages (NIST SP 800-38D, 8.3)
_WRAPPING = "data-key"
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


class Sealed(NamedTuple):
    """`data` is nonce and ciphertext with its tag; `key_id` names the key of the ring."""

    key_id: str
    data: bytes


@dataclass(frozen=True)
class SealedColumn:
    """Where sealed bytes stand, for those who seal them anew: `key` and `data` are columns, `order` the rest of the
    primary key with its types, `place` the associated data of a row by its hospital.
    """

    table: str
    order: Mapping[str, str]
    key: str
    data: str
    purpose: str
    place: Callable[[str, Mapping[str, Any]], bytes]

    @property
    def name(self) -> str:
        return f"{self.table}.{self.data}"


@dataclass(frozen=True)
class DataKeys:
    """A hospital's keys as they stand: ids of data keys hold a dot, so that they are never a master key's.

    sealing: seals what is new; None for the ring's current key.  searching: whose hashes may stand in the search
    tables.  opened: data keys by id.  locked: data keys whose master key is not in the ring, and that key's id.
    """

    sealing: str | None
    searching: tuple[str, ...]
    opened: Mapping[str, bytes] = field(repr=False)
    locked: Mapping[str, str]


@dataclass(frozen=True)
class KeyRing:
    """Master keys by id, and what was learned of hospitals' data keys. `current` seals; the others still open."""

    current: str
    keys: Mapping[str, bytes] = field(repr=False)
    _hospitals: dict[str, DataKeys] = field(default_factory=dict, init=False, repr=False, compare=False)
    _derived: dict[tuple[str, str, str], bytes] = field(default_factory=dict, init=False, repr=False, compare=False)
    _ciphers: dict[tuple[str, str, str], AESGCM] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for key_id, key in self.keys.items():
            if not _KEY_ID.fullmatch(key_id):
                raise Misconfigured("A key's id is 1 to 32 letters, digits, '-' or '_'.")
            if len(key) != _KEY:
                raise Misconfigured(f"Key {key_id} is {len(key)} bytes long, it must be {_KEY} random bytes.")
        if self.current not in self.keys:
            raise Misconfigured("The key ring is empty, or its current key is missing.")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `id:base64,id2:base64`; the first key is the current one. Raises Misconfigured, never showing a key."""
        keys: dict[str, bytes] = {}
        for number, part in enumerate(text.strip().split(","), start=1):
            key_id, colon, encoded = part.strip().partition(":")
            try:
                key = base64.b64decode(encoded, validate=True)
            except (binascii.Error, ValueError):
                colon, key = "", b""
            if not colon:
                raise Misconfigured(f"Entry {number} of the key ring does not read id:base64.")
            if key_id in keys:
                raise Misconfigured(f"The key ring names key {key_id} twice.")
            keys[key_id] = key
        return cls(next(iter(keys)), keys)

    @classmethod
    def generate(cls, key_id: str = "k1") -> Self:
        """A ring with one fresh key."""
        return cls(key_id, {key_id: os.urandom(_KEY)})

    @property
    def text(self) -> str:
        """What `parse` reads: a secret."""
        ids = [self.current, *(key_id for key_id in self.keys if key_id != self.current)]
        return ",".join(f"{key_id}:{base64.b64encode(self.keys[key_id]).decode()}" for key_id in ids)

    def copy(self) -> KeyRing:
        """The same master keys, for a database of its own."""
        return KeyRing(self.current, self.keys)

    def learn(self, hospital: str, known: DataKeys) -> None:
        """Use a hospital's data keys from now on; one that is gone opens nothing any more."""
        before = self._hospitals.get(hospital)
        self._hospitals[hospital] = known
        for gone in set(before.opened if before else ()) - set(known.opened):
            for place in [place for place in self._derived if place[0] == gone and place[2] == hospital]:
                del self._derived[place]
                self._ciphers.pop(place, None)

    def lacking(self) -> list[tuple[str, str]]:
        """Hospitals with data keys that do not open, and the master keys that these need."""
        return [(code, master) for code, known in self._hospitals.items() for master in known.locked.values()]

    def sealing(self, hospital: str) -> str:
        """The id of the key that seals what is new in a hospital."""
        known = self._hospitals.get(hospital)
        return (known.sealing if known else None) or self.current

    def searching(self, hospital: str) -> tuple[str, ...]:
        """The keys whose hashes may stand in a hospital's search tables."""
        known = self._hospitals.get(hospital)
        return known.searching if known else tuple(self.keys)

    def derive(self, key_id: str, purpose: str, hospital: str) -> bytes:
        """The 32-byte key of a purpose in a hospital: HKDF-SHA256 of a master or data key. Raises SealBroken."""
        place = (key_id, purpose, hospital)
        derived = self._derived.get(place)
        if derived is None:
            info = f"phis/{purpose}/{hospital}".encode()
            derived = HKDF(algorithm=SHA256(), length=_KEY, salt=None, info=info).derive(self._key(key_id, hospital))
            self._derived[place] = derived
        return derived

    def cipher(self, key_id: str, purpose: str, hospital: str) -> AESGCM:
        """The cipher under a derived key. Raises SealBroken without it."""
        place = (key_id, purpose, hospital)
        cipher = self._ciphers.get(place)
        if cipher is None:
            cipher = self._ciphers[place] = AESGCM(self.derive(*place))
        return cipher

    def wrap(self, key: bytes, key_id: str, hospital: str) -> Sealed:
        """A hospital's data key, encrypted by the current master key."""
        return seal(self, key, place("data_key", hospital, key_id), purpose=_WRAPPING, hospital=hospital, fixed=True)

    def unwrap(self, wrapped: Sealed, key_id: str, hospital: str) -> bytes:
        """Raises SealBroken without its master key, and for bytes of another hospital."""
        return open_(self, wrapped, place("data_key", hospital, key_id), purpose=_WRAPPING, hospital=hospital)

    def _key(self, key_id: str, hospital: str) -> bytes:
        known = self._hospitals.get(hospital)
        if known is not None and key_id in known.locked:
            said = "its data key is wrapped by a master key that is not in the ring"
            raise SealBroken(said, key_id=f"{key_id}/{known.locked[key_id]}")
        found = known.opened.get(key_id) if known is not None and "." in key_id else self.keys.get(key_id)
        if found is None:
            raise SealBroken("its key is not in the ring" if "." not in key_id else "its key is gone", key_id=key_id)
        return found


def seal(
    ring: KeyRing,
    plaintext: bytes,
    associated: bytes,
    *,
    purpose: str = "general",
    hospital: str = "",
    fixed: bool = False,
) -> Sealed:
    """Encrypt under the key that seals in the hospital, bound to `associated`.

    fixed: under the ring's current key, for what is never sealed anew: rows that nobody may change, and what lies in
    other systems.
    """
    nonce = os.urandom(_NONCE)
    key_id = ring.current if fixed else ring.sealing(hospital)
    return Sealed(key_id, nonce + ring.cipher(key_id, purpose, hospital).encrypt(nonce, plaintext, associated))


def open_(ring: KeyRing, sealed: Sealed, associated: bytes, *, purpose: str = "general", hospital: str = "") -> bytes:
    """Decrypt. Raises SealBroken for another key, another place or changed bytes."""
    cipher = ring.cipher(sealed.key_id, purpose, hospital)
    try:
        return cipher.decrypt(sealed.data[:_NONCE], sealed.data[_NONCE:], associated)
    except (InvalidTag, ValueError) as broken:  # ValueError: too short to hold a nonce
        raise SealBroken("sealed content was changed or moved", key_id=sealed.key_id) from broken


_LENGTHS = [size.to_bytes(4, "big") for size in range(256)]


def place(*parts: str) -> bytes:
    """Associated data of a place: each part preceded by its length, so that no two places share one spelling."""
    encoded = [part.encode() for part in parts]
    return b"".join([_length(part) + part for part in encoded])


def _length(part: bytes) -> bytes:
    size = len(part)
    return _LENGTHS[size] if size < len(_LENGTHS) else size.to_bytes(4, "big")
