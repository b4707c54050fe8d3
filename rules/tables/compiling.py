"""Tables as JSONLogic, and back.

Every row's condition is an `and` with one part for each column, `true` where the column does not matter, so that the
table comes back with its columns in order. The text stays linear in the rows: where rows must be counted or compared,
the answers of matching rows are merged into a list and reduced.
"""

from __future__ import annotations

from typing import Any, Final

from rules.cells import Cell, compile_cell, decompile_cell
from rules.language import LARGEST_NUMBER
from rules.tables.model import HitPolicy, Row, Table

NO_ROW: Final = "no-row"
"""What logic answers when no row matches and there is no `otherwise`; the engine knows it as indeterminate."""
ROWS_DISAGREE: Final = "rows-disagree"
"""What logic answers when rows match that must not match together."""
NO_NUMBER: Final = LARGEST_NUMBER
"""The same as `no-row`, where the answer is a number."""

_ACCUMULATOR: Final = {"var": "accumulator"}
_CURRENT: Final = {"var": "current"}
_NOTHING_YET: Final = {"==": [_ACCUMULATOR, NO_ROW]}
_UNIQUE: Final = {"if": [_NOTHING_YET, _CURRENT, ROWS_DISAGREE]}
_ANY: Final = {"if": [_NOTHING_YET, _CURRENT, {"==": [_ACCUMULATOR, _CURRENT]}, _ACCUMULATOR, ROWS_DISAGREE]}
_COLLECT: Final = {"if": [{"in": [_CURRENT, _ACCUMULATOR]}, _ACCUMULATOR, {"merge": [_ACCUMULATOR, [_CURRENT]]}]}


def compile_table(table: Table) -> Any:
    """The table as JSONLogic."""
    conditions = [_condition(table, row) for row in table.rows]
    match table.hit:
        case HitPolicy.FIRST:
            chain = [part for pair in zip(conditions, (row.then for row in table.rows), strict=True) for part in pair]
            return {"if": [*chain, NO_ROW if table.otherwise is None else table.otherwise]}
        case HitPolicy.RULE_ORDER:
            return _matching(table, conditions)
        case HitPolicy.COLLECT:
            return {"reduce": [_matching(table, conditions), _COLLECT, []]}
        case HitPolicy.SUM:
            return {"+": [0, *({"if": [c, row.then, 0]} for c, row in zip(conditions, table.rows, strict=True))]}
        case HitPolicy.COUNT:
            return {"length": [{"merge": [{"if": [condition, [1], []]} for condition in conditions]}]}
        case HitPolicy.PRIORITY:
            start = NO_ROW if table.otherwise is None else table.otherwise
            return {"reduce": [_matching(table, conditions), _better(table.priorities), start]}
        case _:
            step, start = _REDUCED[table.hit]
            reduced = {"reduce": [_matching(table, conditions), step, start]}
            return reduced if table.otherwise is None else {"if": [{"or": conditions}, reduced, table.otherwise]}


def decompile_table(logic: Any) -> Table | None:
    """The table that compiles to `logic`, or None when no table does."""
    for read in (_as_first, _as_sum, _as_count, _as_priority, _as_reduced, _as_rule_order):
        found = read(logic)
        if found is None:
            continue
        try:
            table = _assembled(**found)
        except ValueError:
            continue
        if table is not None and compile_table(table) == logic:
            return table
    return None


def _lowest(operator: str) -> Any:
    return {"if": [{"==": [_ACCUMULATOR, NO_NUMBER]}, _CURRENT, {operator: [_ACCUMULATOR, _CURRENT]}]}


_REDUCED: Final[dict[HitPolicy, tuple[Any, Any]]] = {
    HitPolicy.UNIQUE: (_UNIQUE, NO_ROW),
    HitPolicy.ANY: (_ANY, NO_ROW),
    HitPolicy.MIN: (_lowest("min"), NO_NUMBER),
    HitPolicy.MAX: (_lowest("max"), NO_NUMBER),
}


def _condition(table: Table, row: Row) -> Any:
    return {
        "and": [
            True if cell is None else compile_cell(column, cell)
            for column, cell in zip(table.columns, row.when, strict=True)
        ]
    }


def _matching(table: Table, conditions: list[Any]) -> Any:
    return {"merge": [{"if": [c, [row.then], []]} for c, row in zip(conditions, table.rows, strict=True)]}


def _better(priorities: tuple[str, ...]) -> Any:
    """Keeps the outcome that stands earlier in `priorities`. What stands nowhere, the start, gives way to any."""
    ranks = [[key, rank] for rank, key in enumerate(priorities)]
    return {
        "if": [
            {"<": [{"switch": [_CURRENT, ranks, len(ranks)]}, {"switch": [_ACCUMULATOR, ranks, len(ranks)]}]},
            _CURRENT,
            _ACCUMULATOR,
        ]
    }


Found = dict[str, Any]
_Rows = list[tuple[Any, Any]]


def _as_first(logic: Any) -> Found | None:
    match logic:
        case {"if": [*chain, last]} if len(chain) % 2 == 0:
            rows = list(zip(chain[::2], chain[1::2], strict=True))
            return {"hit": HitPolicy.FIRST, "rows": rows, "otherwise": None if last == NO_ROW else last}
    return None


def _as_sum(logic: Any) -> Found | None:
    match logic:
        case {"+": [0, *parts]}:
            rows = [(part["if"][0], part["if"][1]) for part in parts if _is_if(part)]
            return {"hit": HitPolicy.SUM, "rows": rows} if len(rows) == len(parts) else None
    return None


def _as_count(logic: Any) -> Found | None:
    match logic:
        case {"length": [{"merge": [*parts]}]} if all(map(_is_if, parts)):
            return {"hit": HitPolicy.COUNT, "rows": [(part["if"][0], None) for part in parts]}
    return None


def _as_priority(logic: Any) -> Found | None:
    match logic:
        case {"reduce": [merged, {"if": [{"<": [{"switch": [_, [*ranks], _]}, _]}, _, _]}, start]}:
            rows = _merged(merged)
            keys = tuple(rank[0] for rank in ranks if isinstance(rank, list) and rank)
            otherwise = None if start == NO_ROW else start
            if rows is not None:
                return {"hit": HitPolicy.PRIORITY, "rows": rows, "priorities": keys, "otherwise": otherwise}
    return None


def _as_reduced(logic: Any) -> Found | None:
    match logic:
        case {"if": [{"or": [*_]}, {"reduce": [*_]} as inner, otherwise]}:
            found = _as_reduced(inner)
            return None if found is None else found | {"otherwise": otherwise}
        case {"reduce": [merged, step, start]}:
            rows = _merged(merged)
            known = {hit: pair for hit, pair in _REDUCED.items()} | {HitPolicy.COLLECT: (_COLLECT, [])}  # noqa: C416
            for hit, (its_step, its_start) in known.items():
                if rows is not None and (step, start) == (its_step, its_start):
                    return {"hit": hit, "rows": rows}
    return None


def _as_rule_order(logic: Any) -> Found | None:
    rows = _merged(logic)
    return None if rows is None else {"hit": HitPolicy.RULE_ORDER, "rows": rows}


def _merged(logic: Any) -> _Rows | None:
    match logic:
        case {"merge": [*parts]} if all(map(_is_if, parts)):
            rows = [(part["if"][0], part["if"][1]) for part in parts]
            if all(isinstance(then, list) and len(then) == 1 for _, then in rows):
                return [(condition, then[0]) for condition, then in rows]
    return None


def _is_if(part: Any) -> bool:
    return isinstance(part, dict) and isinstance(part.get("if"), list) and len(part["if"]) == 3


def _assembled(hit: HitPolicy, rows: _Rows, otherwise: Any = None, priorities: tuple[str, ...] = ()) -> Table | None:
    columns: dict[int, str] = {}
    cells: list[tuple[list[Cell | None], Any]] = []
    for condition, then in rows:
        if not isinstance(condition, dict) or not isinstance(condition.get("and"), list):
            return None
        row: list[Cell | None] = []
        for place, part in enumerate(condition["and"]):
            if part is True:
                row.append(None)
                continue
            read = decompile_cell(part)
            if read is None or columns.setdefault(place, read[0]) != read[0]:
                return None
            row.append(read[1])
        cells.append((row, then))
    return Table(
        hit=hit,
        columns=tuple(columns[place] for place in range(len(columns)) if place in columns),
        rows=tuple(Row(when=tuple(row), then=then) for row, then in cells),
        otherwise=otherwise,
        priorities=priorities,
    )
