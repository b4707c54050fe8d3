"""Files of exports, in the database: compressed and sealed in pieces like bodies, so that any server gives them out.

Each piece is bound to its place, and says beside it which patients it tells of, for the audit of whoever reads it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

import zstandard
from pydantic import BaseModel

from domain.errors import NotFound
from domain.ids import Reference
from store.database import Transaction
from store.fhir.versions import LONGEST
from store.sealing import Sealed, SealedColumn, open_, place, seal

LARGEST_FILE = 20_000
"""Resources of a file."""

LONGEST_FILE = 64 * 1024 * 1024
"""Bytes of a file's text, about: a batch is not torn apart."""

_REMOVED_AT_ONCE = 100
_PURPOSE = "export"

SEALED = SealedColumn(
    table="export_piece",
    order={"job": "uuid", "file": "int", "number": "int"},
    key="key_id",
    data="body",
    purpose=_PURPOSE,
    place=lambda hospital, row: place(hospital, "export", *(str(row[name]) for name in ("job", "file", "number"))),
)


class FileKind(StrEnum):
    """The lists of the manifest (hl7.org/fhir/uv/bulkdata/export.html#response---complete-status)."""

    OUTPUT = "output"
    DELETED = "deleted"
    ERROR = "error"


class File(BaseModel, frozen=True):
    number: int
    kind: FileKind
    type: str
    resources: int
    bytes: int
    pieces: int


@dataclass(frozen=True)
class Lines:
    """NDJSON for one file: `count` resources, each with its line's end."""

    kind: FileKind
    type: str
    text: bytes
    count: int
    patients: Collection[Reference] = ()


async def append(tx: Transaction, job: UUID, lines: Lines) -> None:
    """Add to the kind's and type's last file, or begin another where that one is full."""
    row = await tx.one(
        "select number, resources, bytes, pieces from export_file where hospital = %s and job = %s and kind = %s "
        "and type = %s order by number desc limit 1",
        [tx.hospital, job, lines.kind, lines.type],
    )
    if row is None or row["resources"] + lines.count > LARGEST_FILE or row["bytes"] + len(lines.text) > LONGEST_FILE:
        row = await tx.one(
            """
            insert into export_file (hospital, job, number, kind, type, resources, bytes, pieces)
            select %(hospital)s, %(job)s, coalesce(max(number), 0) + 1, %(kind)s, %(type)s, 0, 0, 0
            from export_file where hospital = %(hospital)s and job = %(job)s
            returning number, pieces
            """,
            {"hospital": tx.hospital, "job": job, "kind": lines.kind, "type": lines.type},
        )
    assert row is not None  # noqa: S101  # found or made
    file, number = row["number"], row["pieces"] + 1
    sealed = seal(
        tx.keys,
        zstandard.ZstdCompressor(level=3).compress(lines.text),
        _place(tx, job, file, number),
        purpose=_PURPOSE,
        hospital=tx.hospital,
    )
    await tx.execute(
        """
        insert into export_piece (hospital, job, file, number, key_id, body, patients)
        values (%s, %s, %s, %s, %s, %b, %s)
        """,
        [tx.hospital, job, file, number, sealed.key_id, sealed.data, sorted(lines.patients)],
    )
    await tx.execute(
        """
        update export_file set resources = resources + %s, bytes = bytes + %s, pieces = pieces + 1
        where hospital = %s and job = %s and number = %s
        """,
        [lines.count, len(lines.text), tx.hospital, job, file],
    )


async def files(tx: Transaction, job: UUID) -> list[File]:
    """The files of a job, in the order they were begun."""
    return await tx.rows(
        File, "select * from export_file where hospital = %s and job = %s order by number", [tx.hospital, job]
    )


async def file(tx: Transaction, job: UUID, number: int) -> File:
    """Raises NotFound."""
    found = await tx.rows(
        File,
        "select * from export_file where hospital = %s and job = %s and number = %s",
        [tx.hospital, job, number],
    )
    if not found:
        raise NotFound("no such file")
    return found[0]


async def patients(tx: Transaction, job: UUID, number: int) -> list[Reference]:
    """Everybody that a file tells of."""
    rows = await tx.all(
        """
        select distinct patient from export_piece, unnest(patients) as patient
        where hospital = %s and job = %s and file = %s
        """,
        [tx.hospital, job, number],
    )
    return [Reference(row["patient"]) for row in rows]


async def piece(tx: Transaction, job: UUID, number: int, piece_number: int) -> bytes:
    """A piece of a file's text, counted from 1. Raises NotFound, SealBroken."""
    row = await tx.one(
        "select key_id, body from export_piece where hospital = %s and job = %s and file = %s and number = %s",
        [tx.hospital, job, number, piece_number],
    )
    if row is None:
        raise NotFound("the file is gone")
    packed = open_(
        tx.keys,
        Sealed(row["key_id"], row["body"]),
        _place(tx, job, number, piece_number),
        purpose=_PURPOSE,
        hospital=tx.hospital,
    )
    return zstandard.ZstdDecompressor().decompress(packed, max_output_size=2 * LONGEST)


async def remove(tx: Transaction, job: UUID) -> bool:
    """Remove a part of a job's files, few pieces at once; False when none are left."""
    gone = await tx.all(
        """
        delete from export_piece where hospital = %(hospital)s and (job, file, number) in (
            select job, file, number from export_piece where hospital = %(hospital)s and job = %(job)s limit %(most)s
        ) returning 1 as one
        """,
        {"hospital": tx.hospital, "job": job, "most": _REMOVED_AT_ONCE},
    )
    if gone:
        return True
    await tx.execute("delete from export_file where hospital = %s and job = %s", [tx.hospital, job])
    return False


def _place(tx: Transaction, job: UUID, *numbers: int) -> bytes:
    return place(tx.hospital, "export", str(job), *map(str, numbers))
