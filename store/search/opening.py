"""Searches that only bodies answer: what is asked of texts within chains, and orders by texts.

Words of health stand in no table (`store.search.words`). What a search asks of them itself is asked of each body that
it finds; within a chain, `_has` or `_filter` that comes too late, so there the bodies are opened before.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cmp_to_key
from typing import Any

from domain import resident_numbers
from store.database import Transaction
from store.search.including import Found
from store.search.normal import normal
from store.search.paging import Cursor, key_type
from store.search.query import AllOf, AnyOf, Chain, Condition, Has, Not, Opened, Query, SortKey
from store.search.rechecking import bodies_within, only_bodies_tell
from store.search.values import strings
from store.search.words import FORMERLY

Row = dict[str, Any]
Find = Callable[[tuple[str, ...], Condition], Awaitable[tuple[int, ...]]]
"""The numbers of resources of the types, or of any, that meet a condition. Raises TooCostly."""

_FAR = {"infinity": datetime.max.replace(tzinfo=UTC), "-infinity": datetime.min.replace(tzinfo=UTC)}


def needed(query: Query) -> bool:
    """Whether hidden texts or bodies have to do with the query at all."""
    return any(map(_of_texts, query.conditions))


def _of_texts(condition: Condition) -> bool:
    match condition:
        case Chain():
            return any(_of_texts(inner) for _, inner in condition.ways)
        case Has() | Not():
            return _of_texts(condition.condition)
        case AllOf() | AnyOf():
            return any(map(_of_texts, condition.conditions))
    parameter = getattr(condition, "parameter", None)
    return only_bodies_tell(condition) or (parameter is not None and parameter.words)


async def any_unmoved(tx: Transaction) -> bool:
    """Whether texts stand where an earlier release has put them: they are moved in the background."""
    row = await tx.one(
        """
        select exists (select from search_string where hospital = %s and parameter = any(%s::int8[])) as left_over
        """,
        [tx.hospital, list(FORMERLY.values())],
    )
    return row is not None and bool(row["left_over"])


async def settled(query: Query, find: Find) -> Query:
    """The query with nothing inside of other conditions that only bodies tell. Raises TooCostly."""
    # What is joined by `and` at the top stands there as well by itself.
    apart = [one for each in query.conditions for one in (each.conditions if isinstance(each, AllOf) else (each,))]
    listed = [one if only_bodies_tell(one) else await _settled(one, query.types, find) for one in apart]
    return replace(query, conditions=tuple(listed))


async def _settled(condition: Condition, types: tuple[str, ...], find: Find) -> Condition:
    if not bodies_within(condition):
        return condition
    match condition:
        case Chain():
            ways = [(kind, await _settled(inner, (kind,), find)) for kind, inner in condition.ways]
            return replace(condition, ways=tuple(ways))
        case Has():
            return replace(condition, condition=await _settled(condition.condition, (condition.resource_type,), find))
        case Not():
            return replace(condition, condition=await _settled(condition.condition, types, find))
        case AllOf() | AnyOf():
            inner = [await _settled(each, types, find) for each in condition.conditions]
            return replace(condition, conditions=tuple(inner))
    return Opened(await find(types, condition))


def with_words(found: Found, row: Row, sort: tuple[SortKey, ...]) -> Row:
    """The row with the keys that stand in the body: of several texts the least, or descending the greatest."""
    keys = {}
    for index, key in enumerate(sort):
        if key.parameter.words:
            values = (value for place in key.parameter.places for value in place.values(found.version.body))
            texts = [normal(resident_numbers.masked_text(text)) for value in values for text in strings(value)]
            keys[f"k{index}"] = (max if key.descending else min)(texts, default=None)
    return row | keys


def in_order(
    rows: Iterable[tuple[Found, Row]], sort: tuple[SortKey, ...], cursor: Cursor | None
) -> list[tuple[Found, Row]]:
    """As the database puts rows in order: byte by byte, without a value last; those after the cursor."""

    def compare(one: list[Any], other: list[Any]) -> int:
        for key, mine, yours in zip(sort, one, other, strict=False):
            if mine != yours:
                if mine is None or yours is None:
                    return 1 if mine is None else -1
                return (1 if mine > yours else -1) * (-1 if key.descending else 1)
        return int(one[-1] > other[-1]) - int(one[-1] < other[-1])

    def comparable(*keys: Any, number: Any) -> list[Any]:
        return [*(_comparable(key, value) for key, value in zip(sort, keys, strict=True)), number]

    def keys(one: tuple[Found, Row]) -> list[Any]:
        return comparable(*(one[1][f"k{index}"] for index in range(len(sort))), number=one[1]["number"])

    placed = cmp_to_key(compare)
    listed = sorted(rows, key=lambda each: placed(keys(each)))
    if cursor is None:
        return listed
    seen = comparable(*cursor.keys[:-1], number=cursor.keys[-1])
    return [each for each in listed if compare(keys(each), seen) > 0]


def _comparable(key: SortKey, value: Any) -> Any:
    if key_type(key) == "timestamptz" and isinstance(value, str):
        return _FAR.get(value) or datetime.fromisoformat(value)
    return value
