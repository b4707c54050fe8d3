"""A version of a resource, and its body sealed and opened (engine room, 10)."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Any

import zstandard

from domain.errors import SealBroken
from domain.ids import Reference
from store.database import AnyTransaction, Transaction
from store.fhir.text import parse
from store.sealing import Sealed, SealedColumn, open_, place, seal

COLUMNS = "type, id, version, last_updated, owner, deleted, key_id, body"
"""What `opened` needs of `resource` or `resource_history`."""

LONGEST = 64 * 1024 * 1024
"""Bytes of a resource's text, when it is opened: more than any request may bring."""

_PURPOSE = "body"

SEALED = SealedColumn(
    table="resource_history",
    order={"type": "text", "id": "text", "version": "int"},
    key="key_id",
    data="body",
    purpose=_PURPOSE,
    place=lambda hospital, row: place(hospital, row["type"], row["id"], str(row["version"])),
)
"""Earlier versions; the newest are sealed anew with their search rows (`store.resealing`)."""


class _Zstd(threading.local):
    """A compressor may serve one thread at a time."""

    def __init__(self) -> None:
        self.packing = zstandard.ZstdCompressor(level=3)
        self.unpacking = zstandard.ZstdDecompressor()


_zstd = _Zstd()


@dataclass(frozen=True)
class Version:
    """`text` is the client's with id and meta, empty for a deletion. `owner`: the process whose state it carries."""

    reference: Reference
    version: int
    last_updated: datetime
    owner: str | None
    deleted: bool
    text: bytes

    @property
    def name(self) -> str:
        """Its version-specific reference, `Patient/1/_history/2`."""
        return f"{self.reference}/_history/{self.version}"

    @cached_property
    def body(self) -> dict[str, Any]:
        """The resource, parsed when first asked for; decimals keep their digits."""
        return parse(self.text) if self.text else {}


@dataclass(frozen=True)
class Head:
    """The newest version without its body. `number` names the resource in the search tables.

    marks: of its rows there (`store.fhir.marks`), where they are known and were asked for.
    """

    version: int
    last_updated: datetime
    owner: str | None
    deleted: bool
    number: int
    marks: bytes | None = None


def sealed(tx: Transaction, ref: Reference, version: int, text: bytes) -> Sealed:
    """The text compressed and encrypted, bound to hospital, type, id and version."""
    return seal(
        tx.keys, _zstd.packing.compress(text), _place(tx.hospital, ref, version), purpose=_PURPOSE, hospital=tx.hospital
    )


def opened(tx: Transaction, row: dict[str, Any]) -> Version:
    """A version from its row. Raises SealBroken."""
    ref, version = Reference.kept(row["type"], row["id"]), row["version"]
    text = _text(tx, tx.hospital, ref, version, Sealed(row["key_id"], row["body"]))
    return Version(ref, version, row["last_updated"], row["owner"], row["deleted"], text)


def _text(tx: AnyTransaction, hospital: str, ref: Reference, version: int, body: Sealed) -> bytes:
    try:
        packed = open_(tx.keys, body, _place(hospital, ref, version), purpose=_PURPOSE, hospital=hospital)
    except SealBroken as broken:
        raise SealBroken(str(broken), reference=ref, version=str(version), **broken.params) from broken
    return _zstd.unpacking.decompress(packed, max_output_size=LONGEST)


def _place(hospital: str, ref: Reference, version: int) -> bytes:
    kind, _, id_ = ref.partition("/")
    return _place_of(hospital, kind) + place(id_, str(version))


@lru_cache(maxsize=1024)
def _place_of(hospital: str, kind: str) -> bytes:
    return place(hospital, kind)
