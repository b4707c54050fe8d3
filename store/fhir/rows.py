"""The search rows of resources on their way into the tables: as arrays, one statement a table.

Under row security `INSERT … SELECT FROM unnest(…)` is as fast as anything, and COPY is refused (engine room, 9).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from store.search.extract import Rows


@dataclass(frozen=True)
class SearchTable:
    """A search table: its columns without hospital and resource, and their types, in the order of `Rows`."""

    name: str
    short: str
    columns: tuple[str, ...]
    types: tuple[str, ...]

    def arrays(self) -> str:
        """Parameters of a statement, one array a column, by name."""
        return ", ".join(f"%({self.short}{number})s::{kind}[]" for number, kind in enumerate(self.types))

    def parameters(self, rows: Iterable[tuple[Any, ...]]) -> dict[str, str]:
        """The arrays, as `arrays` names them, in the rows' order."""
        columns = list(zip(*rows, strict=True)) or [()] * len(self.types)
        return {f"{self.short}{number}": array(kind, columns[number]) for number, kind in enumerate(self.types)}

    @property
    def listed(self) -> str:
        return ", ".join(self.columns)


TABLES = (
    SearchTable("search_string", "s", ("parameter", "value", "exact"), ("int8", "text", "int8")),
    SearchTable("search_token", "t", ("parameter", "code", "system"), ("int8", "int8", "int8")),
    SearchTable("search_reference", "r", ("parameter", "target", "kind"), ("int8", "uuid", "text")),
    SearchTable("search_date", "d", ("parameter", "low", "high"), ("int8", "timestamptz", "timestamptz")),
    SearchTable("search_quantity", "q", ("parameter", "unit", "low", "high"), ("int8", "int8", "int8", "int8")),
)


def by_table(rows: Rows) -> tuple[set[Any], ...]:
    """Rows in the order of TABLES."""
    return rows.strings, rows.tokens, rows.references, rows.dates, rows.quantities


def array(kind: str, values: Sequence[Any]) -> str:
    """An array as PostgreSQL's literal, which is faster than any adapter; texts in quotes."""
    if kind == "text":
        return "{" + ",".join(['"' + each.replace("\\", r"\\").replace('"', r"\"") + '"' for each in values]) + "}"
    return "{" + ",".join(map(str, values)) + "}"
