"""Encryption at rest: AES-256-GCM under keys of a ring, a derived key for each purpose and hospital.

What is sealed is bound to its place by associated data: bytes moved to another row, hospital or version do not open.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from domain.errors import Misconfigured, SealBroken

_KEY = 32  # bytes, AES-256
_NONCE = 12  # bytes; random, so one derived key is good for 2^32 messages (NIST SP 800-38D, 8.3)
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


@dataclass(frozen=True)
class Sealed:
    """`data` is nonce and ciphertext with its tag; `key_id` names the key of the ring."""

    key_id: str
    data: bytes


@dataclass(frozen=True)
class KeyRing:
    """Master keys by id. New content is sealed with `current`; the others still open what they sealed."""

    current: str
    keys: Mapping[str, bytes] = field(repr=False)
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

    def derive(self, key_id: str, purpose: str, hospital: str) -> bytes:
        """The 32-byte key of a purpose in a hospital: HKDF-SHA256 of the master key. Raises SealBroken without it."""
        place = (key_id, purpose, hospital)
        derived = self._derived.get(place)
        if derived is None:
            master = self.keys.get(key_id)
            if master is None:
                raise SealBroken("its key is not in the ring", key_id=key_id)
            info = f"phis/{purpose}/{hospital}".encode()
            derived = HKDF(algorithm=SHA256(), length=_KEY, salt=None, info=info).derive(master)
            self._derived[place] = derived
        return derived

    def cipher(self, key_id: str, purpose: str, hospital: str) -> AESGCM:
        """The cipher under a derived key. Raises SealBroken without it."""
        place = (key_id, purpose, hospital)
        cipher = self._ciphers.get(place)
        if cipher is None:
            cipher = self._ciphers[place] = AESGCM(self.derive(*place))
        return cipher


def seal(ring: KeyRing, plaintext: bytes, associated: bytes, *, purpose: str = "general", hospital: str = "") -> Sealed:
    """Encrypt under the current key, bound to `associated`."""
    nonce = os.urandom(_NONCE)
    return Sealed(
        ring.current, nonce + ring.cipher(ring.current, purpose, hospital).encrypt(nonce, plaintext, associated)
    )


def open_(ring: KeyRing, sealed: Sealed, associated: bytes, *, purpose: str = "general", hospital: str = "") -> bytes:
    """Decrypt. Raises SealBroken for another key, another place or changed bytes."""
    cipher = ring.cipher(sealed.key_id, purpose, hospital)
    try:
        return cipher.decrypt(sealed.data[:_NONCE], sealed.data[_NONCE:], associated)
    except (InvalidTag, ValueError) as broken:  # ValueError: too short to hold a nonce
        raise SealBroken("sealed content was changed or moved", key_id=sealed.key_id) from broken


def place(*parts: str) -> bytes:
    """Associated data of a place: each part preceded by its length, so that no two places share one spelling."""
    encoded = [part.encode() for part in parts]
    return b"".join([len(part).to_bytes(4, "big") + part for part in encoded])
