"""Packs read and checked whole: signature, every row, and that everything an entry needs is in the pack, too.

A folder serves hospitals of three sizes: the column `least` says from which on a row belongs to the pack. Places, which
differ altogether, have a table for each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from adapters.csv import reading as csv
from adapters.packs.signing import MANIFEST, Manifest, verified
from adapters.packs.sizes import Size
from domain.errors import Invalid
from domain.setup import rows, whole
from domain.setup.kinds import Kind
from domain.setup.rows import RowError, Wanted

LEAST = "least"


@dataclass(frozen=True)
class Pack:
    """`entries` in an order in which each comes after what it needs is known to be there."""

    manifest: Manifest
    size: Size
    entries: Sequence[Wanted]


def shipped() -> Path:
    """The folder of our own pack."""
    return Path(str(files("adapters.packs"))) / "data"


def read(folder: Path, size: Size, trusted: Ed25519PublicKey | None = None) -> Pack:
    """Read a pack. trusted: whose key; None for the installed one. Takes some tenths of a second.

    Raises Invalid: a broken signature, another key, a changed or missing table, a row that is wrong (with table, row
    and field), an entry that needs another that is not there.
    """
    tables = {file.name: _bytes(file) for file in sorted(folder.glob("*.csv"))}
    manifest = verified(_bytes(folder / MANIFEST), tables, trusted)
    return Pack(manifest, size, entries(tables, size))


def entries(tables: Mapping[str, bytes], size: Size) -> list[Wanted]:
    """The entries of one size, every row looked at. Raises Invalid, see `read`."""
    found: list[Wanted] = []
    for kind in Kind:
        for name in (f"{kind}.csv", f"{kind}-{size}.csv"):
            if name in tables:
                found += of_table(kind, tables[name], size, name)
    if missing := whole.lacking(found):
        first = missing[0]
        raise Invalid(f"{first.code}: {first.reason}", field=f"{first.kind}.csv")
    return found


def of_table(kind: Kind, content: bytes, size: Size | None, name: str) -> list[Wanted]:
    """The entries of one table. size None: a table without the column `least`. Raises Invalid."""
    try:
        head, read_rows = csv.read(content.decode("utf-8"))
    except UnicodeDecodeError:
        raise Invalid("not UTF-8", field=name) from None
    errors = rows.unknown(kind, [column for column in head if column != LEAST])
    sizes = list(Size)
    kept = []
    for row in read_rows:
        least = row.cells.pop(LEAST, "")
        if least and least not in sizes:
            errors.append(RowError(row.number, row.cells.get("code", ""), LEAST, "clinic, general or tertiary"))
        elif not least or size is None or sizes.index(Size(least)) <= sizes.index(size):
            kept.append((row.number, row.cells))
    wanted, wrong = rows.read(kind, kept)
    if errors := [*errors, *wrong]:
        first = errors[0]
        raise Invalid(f"row {first.row}, {first.field or first.code}: {first.reason}", field=name)
    return wanted


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as refused:
        raise Invalid(f"{file} cannot be read ({refused.strerror})", field=file.name) from None
