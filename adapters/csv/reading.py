"""Reading tables that people made with a spreadsheet (RFC 4180).

UTF-8, with a byte order mark or without; commas, semicolons or tabs between cells. The apostrophe that our own tables
put before what looks like a formula goes away again, so that a table written and read is the same.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from adapters.csv.writing import shown
from domain.errors import Invalid

MOST_ROWS = 20_000
_LONGEST = 20_000  # characters of a cell


@dataclass(frozen=True)
class Row:
    """`number`: as a spreadsheet counts it, the head being 1 (a cell with line breaks is one row all the same)."""

    number: int
    cells: dict[str, str]


def read(text: str) -> tuple[list[str], list[Row]]:
    """The head and the rows; empty rows are passed over.

    Raises Invalid: no head, a name twice, a row with too many cells, a table that is no table or too long.
    """
    plain = text.removeprefix("\ufeff")
    if "\0" in plain:
        raise Invalid("this is no text table: it holds zero bytes", field="csv")
    reader = csv.reader(io.StringIO(plain, newline=""), delimiter=_delimiter(plain), strict=True)
    try:
        rows = [row for _, row in zip(range(MOST_ROWS + 2), reader, strict=False)]
    except csv.Error as broken:
        raise Invalid(f"line {reader.line_num} cannot be read: {broken}", field="csv") from None
    head = [cell.strip() for cell in rows[0]] if rows else []
    if not any(head):
        raise Invalid("the first row names the columns, and there is none", field="csv")
    if len(set(head)) != len(head):
        raise Invalid("two columns have the same name", field="csv")
    if len(rows) > MOST_ROWS + 1:
        raise Invalid(f"a table has {MOST_ROWS} rows at most: cut it in pieces", field="csv")
    return head, [_row(number, head, row) for number, row in enumerate(rows[1:], start=2) if any(map(str.strip, row))]


def _row(number: int, head: list[str], cells: list[str]) -> Row:
    if len(cells) > len(head):
        raise Invalid(f"row {number} has {len(cells)} cells, and there are {len(head)} columns", field="csv")
    if any(len(cell) > _LONGEST for cell in cells):
        raise Invalid(f"row {number} has a cell of more than {_LONGEST} characters", field="csv")
    return Row(number, dict(zip(head, map(_meant, cells + [""] * (len(head) - len(cells))), strict=True)))


def _meant(cell: str) -> str:
    text = cell.strip()
    return text[1:] if text.startswith("'") and shown(text[1:]) == text else text


def _delimiter(text: str) -> str:
    """What stands most often in the first line: Excel writes semicolons where the comma marks decimals."""
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)
