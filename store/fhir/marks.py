"""Marks of a resource's search rows, one a table, kept beside it: an update sees which tables' rows stay the same.

A mark is a hash under a key of the hospital, so nobody can write two resources whose rows have one mark. Marks begin
with the version that they are of: a release that does not know them leaves them behind, and then they say nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from hashlib import blake2b
from typing import Any

from store.database import Transaction
from store.fhir.rows import TABLES

_SIZE = 8
_NONE = bytes(_SIZE)
_PURPOSE = "marks"


class Change(Enum):
    """What an update does to a resource's rows in one table."""

    NOTHING = "nothing"
    REMOVE = "remove"
    INSERT = "insert"
    COMPARE = "compare"


def marks(tx: Transaction, version: int, key_id: str, parameters: Sequence[Mapping[str, Any]]) -> bytes:
    """The marks of a version, by its rows as parameters of a statement in the order of TABLES; empty for no rows.

    key_id: the key of its body, under which its tokens stand as well.
    """
    key = tx.keys.derive(key_id, _PURPOSE, tx.hospital)
    return version.to_bytes(_SIZE, "big") + b"".join([_mark(key, each) for each in parameters])


def _mark(key: bytes, parameters: Mapping[str, str]) -> bytes:
    if not parameters:
        return _NONE
    return blake2b("\n".join(parameters.values()).encode(), digest_size=_SIZE, key=key).digest()


def changes(before: bytes | None, version: int, after: bytes) -> tuple[Change, ...]:
    """What each table needs. before: what is kept with `version`, which is replaced.  after: the new marks."""
    new = _each(after)
    if before is None or len(before) != len(after) or before[:_SIZE] != version.to_bytes(_SIZE, "big"):
        return tuple(Change.REMOVE if mark == _NONE else Change.COMPARE for mark in new)
    return tuple(map(_change, _each(before), new))


def _change(old: bytes, new: bytes) -> Change:
    if old == new:
        return Change.NOTHING
    if old == _NONE:
        return Change.INSERT
    return Change.REMOVE if new == _NONE else Change.COMPARE


def _each(marks: bytes) -> list[bytes]:
    return [marks[_SIZE * number : _SIZE * (number + 1)] for number in range(1, len(TABLES) + 1)]
