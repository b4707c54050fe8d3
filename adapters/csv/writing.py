"""Tables as CSV (RFC 4180) that a spreadsheet shows as they are: it must not take a text for a formula.

A cell that begins with `=`, `+`, `-`, `@`, a tab or a line's end is a formula to Excel and its kin, their full-width
forms too; one that only has spaces before it to some. Such a cell gets an apostrophe in front; a number stays one.
Every cell is quoted, so that no separator of another country's programs begins a new one.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence

_FORMULA = re.compile(r"[\s\0\ufeff\"']*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n\0]")
_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)?")


def table(rows: Iterable[Sequence[str]]) -> str:
    """Lines of quoted cells, each ended by a line feed."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([shown(cell) for cell in row] for row in rows)
    return text.getvalue()


def shown(cell: str) -> str:
    """The cell as a spreadsheet takes it for text."""
    if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell
