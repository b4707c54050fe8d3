"""One link of a hospital's chain: rows that were committed within a second, hashed, chained to the link before, signed.

Where a link begins and ends is said in transaction numbers: a link holds every row from `from_xid` up to, not
including, `until_xid`, and no transaction below `until_xid` was still running when it was made. A database that was
restored on another server counts transactions anew; then one link without an end (ENDLESS) takes what was left, and
the next begins at the bottom, with rows from `floor` on.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from domain.errors import SealBroken
from store.sealing import KeyRing, place
from store.seals.content import DIGEST, LAYOUT, Row, digest

ENDLESS = 2**63 - 1
BOTTOM = -(2**63)
"""Nothing stands below: who forges a row may give it any number, and it must fall into some link."""
GENESIS = bytes(32)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Link:
    """A row of `audit_seal`.

    number: from 1, without a gap.  first: the chain's running number of its first row, from 1.  floor: rows with a
    smaller id belong to an earlier server's count.  top: the largest id sealed so far.  ids, digests: its
    rows in order, 32 bytes each.  hash: SHA-256 of all the rest and of the link before.
    """

    hospital: str
    number: int
    layout: int
    previous: bytes
    first: int
    from_xid: int
    until_xid: int
    floor: int
    top: int
    ids: Sequence[int]
    digests: bytes
    sealed_at: datetime
    key_id: str
    hash: bytes
    signature: bytes

    @property
    def last(self) -> int:
        """The chain's running number of its last row."""
        return self.first + len(self.ids) - 1

    def digest_of(self, index: int) -> bytes:
        return self.digests[index * DIGEST : (index + 1) * DIGEST]

    def computed(self) -> bytes:
        """What `hash` must be."""
        numbers = (
            self.number,
            self.layout,
            self.first,
            self.from_xid,
            self.until_xid,
            self.floor,
            self.top,
            micros(self.sealed_at),
            len(self.ids),
        )
        parts = [
            b"phis audit link",
            place(self.hospital, self.key_id),
            self.previous,
            struct.pack(f">{len(numbers)}q", *numbers),
            struct.pack(f">{len(self.ids)}q", *self.ids),
            self.digests,
        ]
        return hashlib.sha256(b"".join(parts)).digest()

    def is_signed(self, keys: KeyRing) -> bool:
        """Whether the signature is that of this link. Raises SealBroken when its key is not in the ring."""
        message = signed_words(self.hospital, self.number, (self.first, len(self.ids)), self.sealed_at, self.hash)
        return verified(keys, self.key_id, self.hospital, self.signature, message)


@dataclass(frozen=True)
class Ahead:
    """Where the next link of a hospital begins."""

    number: int = 1
    previous: bytes = GENESIS
    first: int = 1
    from_xid: int = BOTTOM
    floor: int = BOTTOM
    top: int = BOTTOM

    @classmethod
    def after(cls, link: Link) -> Ahead:
        anew = link.until_xid == ENDLESS
        return cls(
            link.number + 1,
            link.hash,
            link.last + 1,
            BOTTOM if anew else link.until_xid,
            link.top + 1 if anew else link.floor,
            link.top,
        )


def forge(keys: KeyRing, hospital: str, ahead: Ahead, rows: Sequence[Row], *, until_xid: int, at: datetime) -> Link:
    """The next link over `rows`, under the ring's current key."""
    key_id = keys.current
    link = Link(
        hospital,
        ahead.number,
        LAYOUT,
        ahead.previous,
        ahead.first,
        ahead.from_xid,
        until_xid,
        ahead.floor,
        max([ahead.top, *(row.id for row in rows)]),
        [row.id for row in rows],
        b"".join(digest(keys, key_id, hospital, row) for row in rows),
        at,
        key_id,
        b"",
        b"",
    )
    hashed = link.computed()
    message = signed_words(hospital, link.number, (link.first, len(rows)), at, hashed)
    signature = _signing_key(keys, key_id, hospital).sign(message)
    return Link(**{**vars(link), "hash": hashed, "signature": signature})


def signed_words(hospital: str, number: int, rows: tuple[int, int], at: datetime, hashed: bytes) -> bytes:
    """What a link's signature is about; its line in the second place repeats it. rows: the first's number, how many."""
    first, count = rows
    return b"phis audit checkpoint" + place(hospital) + struct.pack(">4q", number, first, count, micros(at)) + hashed


def verified(keys: KeyRing, key_id: str, hospital: str, signature: bytes, message: bytes) -> bool:
    """Raises SealBroken when the key is not in the ring."""
    try:
        public_key(keys, key_id, hospital).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def public_key(keys: KeyRing, key_id: str, hospital: str) -> Ed25519PublicKey:
    """What others need to check signatures. Raises SealBroken when the key is not in the ring."""
    return _signing_key(keys, key_id, hospital).public_key()


def micros(at: datetime) -> int:
    """Microseconds since 1970, exactly."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def knows(keys: KeyRing, key_id: str) -> bool:
    try:
        keys.derive(key_id, "audit-row", "")
    except SealBroken:
        return False
    return True


def _signing_key(keys: KeyRing, key_id: str, hospital: str) -> Ed25519PrivateKey:
    # Derived, so that the one ring is all that must be kept; it never stands in the database.
    return Ed25519PrivateKey.from_private_bytes(keys.derive(key_id, "audit-signature", hospital))
