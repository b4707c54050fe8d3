"""Where a page ends and the next begins: by the keys of its last resource, so that writes between pages move nothing.

hl7.org/fhir/R4/http.html#paging. A page is found in one of three ways. `gather` begins at one of the conditions, or
finds everything and sorts it; `walk` goes along an index by id, `recent` by time, and asks of each resource whether it
matches, which is right where most do. The way stands in the cursor: a search keeps it from its first page to its last.

Keys may be names of patients, and addresses stand in the logs of proxies: a cursor is sealed (AES-256-GCM) under a key
of its hospital, and bound to its search.
"""

# ruff: noqa: S608  # statements are made of names of ours; every value is a parameter

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from domain.errors import Invalid, SealBroken
from store import sealing
from store.sealing import KeyRing, Sealed
from store.search.query import InCompartment, Query, SortKey
from store.search.sql import Sql, both, either, joined, one_of

Way = Literal["gather", "walk", "recent"]

_TYPES = {"date": "timestamptz", "string": "text", "uri": "text", "reference": "text"}
_LONGEST = 4000
_PURPOSE = "cursor"
_SHOWN = frozenset({"_count", "_total", "_summary", "_elements", "_include", "_revinclude"})


@dataclass(frozen=True)
class Cursor:
    """The keys of the last resource seen, its type and id or number last."""

    way: Way
    keys: tuple[Any, ...]

    def text(self, keys: KeyRing, hospital: str, query: Query) -> str:
        """Opens with the same keys for the same search of this hospital, and for nothing else."""
        listed = [each.isoformat() if isinstance(each, datetime) else each for each in self.keys]
        raw = json.dumps([self.way[0], *listed], separators=(",", ":"), ensure_ascii=False)
        sealed = sealing.seal(keys, raw.encode(), _search_of(query), purpose=_PURPOSE, hospital=hospital)
        return f"{sealed.key_id}.{base64.urlsafe_b64encode(sealed.data).decode().rstrip('=')}"

    @classmethod
    def parse(cls, text: str, keys: KeyRing, hospital: str, query: Query) -> Cursor:
        """Raises Invalid for one that we have not made for this search."""
        wrong = Invalid("not a page of this search", field="_cursor")
        if len(text) > _LONGEST:
            raise wrong
        key_id, _, sealed = text.rpartition(".")  # a data key's id has a point of its own
        try:
            data = base64.b64decode(sealed.encode("ascii") + b"=" * (-len(sealed) % 4), altchars=b"-_", validate=True)
            raw = sealing.open_(keys, Sealed(key_id, data), _search_of(query), purpose=_PURPOSE, hospital=hospital)
            letter, *found = json.loads(raw.decode())
        except (binascii.Error, ValueError, TypeError, SealBroken):
            raise wrong from None
        ways: dict[Any, Way] = {"g": "gather", "w": "walk", "r": "recent"}
        # Sealed by us, but perhaps by another release.
        if not isinstance(letter, str) or letter not in ways or not _fit(ways[letter], found, query.sort):
            raise wrong
        return cls(ways[letter], tuple(found))


def _search_of(query: Query) -> bytes:
    """What makes two pages pages of one search. How much of it is shown may change from one to the next."""
    asked = sorted((name, value) for name, value in query.understood if name.partition(":")[0] not in _SHOWN)
    within = [each.focus for each in query.conditions if isinstance(each, InCompartment)]
    return sealing.place(*query.types, "", *within, "", *(part for pair in asked for part in pair))


def _fit(way: Way, keys: list[Any], sort: tuple[SortKey, ...]) -> bool:
    if way == "walk":
        return len(keys) == 2 and all(isinstance(each, str) and "\x00" not in each for each in keys)
    if way == "recent":
        return len(keys) == 2 and _instant(keys[0]) and _number(keys[1])
    kinds = [key_type(each) for each in sort]
    return len(keys) == len(kinds) + 1 and _number(keys[-1]) and all(map(_fits, kinds, keys[:-1]))


def _fits(kind: str, value: Any) -> bool:
    if value is None:
        return True
    if kind == "timestamptz":
        return _instant(value)
    if kind == "int8":
        return _number(value)
    return isinstance(value, str) and "\x00" not in value


def _instant(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        return value in {"infinity", "-infinity"} or datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def key_type(key: SortKey) -> str:
    """The SQL type of what a key sorts by."""
    if key.parameter.code == "_id":
        return "text"
    return _TYPES.get(key.parameter.kind, "int8")


def sort_expression(key: SortKey, hospital: str, ranks: list[int] | None) -> Sql:  # noqa: PLR0911  # one arm a kind
    """The value of resource `r` to sort by: of several the least, or descending the greatest; NULL without one.

    ranks: hashes of a token's codes in the order of the codes, which the database cannot know.
    """
    code, kind = key.parameter.code, key.parameter.kind
    if code == "_id":
        return Sql("r.id")
    if code == "_lastUpdated":
        return Sql("r.last_updated")
    pick = "max" if key.descending else "min"
    places = one_of("x.parameter", "int8", key.parameter.numbers)
    where = f"where x.hospital = %s and x.resource = r.number and {places.text}"
    values = (hospital, *places.values)
    match kind:
        case "date":
            # Times without an end or a beginning have no place in JSON: the far ends of what a date can be.
            end = "greatest(x.low, '0001-01-01Z'::timestamptz)"
            return Sql(f"(select {pick}({end}) from search_date x {where})", values)
        case "token":
            ranked = f"(select {pick}(array_position(%s::int8[], x.code))::int8 from search_token x {where})"
            return Sql(ranked, (ranks or [], *values))
        case "reference":
            target = "join resource t on t.hospital = x.hospital and t.key = x.target"
            return Sql(f"(select {pick}(t.type || '/' || t.id) from search_reference x {target} {where})", values)
        case "number" | "quantity":
            return Sql(f"(select {pick}(x.low) from search_quantity x {where} and x.unit = 0)", values)
        case _ if key.parameter.words:
            return Sql("null::text")  # read from the bodies, which are put in order here
        case _:
            return Sql(f"(select {pick}(x.value) from search_string x {where})", values)


def after(cursor: Cursor | None, sort: tuple[SortKey, ...]) -> Sql | None:
    """The condition on columns `k0`, `k1` … and `number` that comes after the cursor; without a value is last."""
    if cursor is None:
        return None
    *keys, number = cursor.keys
    ways = []
    for index in range(len(keys) + 1):
        same = [
            Sql(f"k{before} is not distinct from %s::{key_type(sort[before])}", (keys[before],))
            for before in range(index)
        ]
        if index == len(keys):
            ways.append(both(*same, Sql("number > %s", (number,))))
        elif keys[index] is not None:
            sign = "<" if sort[index].descending else ">"
            later = Sql(f"k{index} {sign} %s::{key_type(sort[index])} or k{index} is null", (keys[index],))
            ways.append(both(*same, later))
    return either(ways)


def order(sort: tuple[SortKey, ...], alias: str = "found") -> str:
    keys = [f"{alias}.k{index} {'desc' if key.descending else 'asc'} nulls last" for index, key in enumerate(sort)]
    return ", ".join([*keys, f"{alias}.number"])


def gathered(source: Sql, sort: tuple[SortKey, ...], expressions: list[Sql], cursor: Cursor | None, limit: int) -> Sql:
    """Numbers and keys of one page of all that match. source: FROM and WHERE, over a relation `r` with its number."""
    if not sort:
        # An index holds the resources of one value in this order: it is read no further than needed.
        beyond = Sql(" and r.number > %s", (cursor.keys[-1],)) if cursor else Sql("")
        return joined([Sql("select r.number "), source, beyond, Sql(" order by r.number limit %s", (limit,))], "")
    named = [Sql(f"{each.text} as k{index}", each.values) for index, each in enumerate(expressions)]
    beyond = after(cursor, sort) or Sql("true")
    parts = [
        Sql("select * from (select "),
        joined([Sql("r.number"), *named], ", "),
        Sql(" "),
        source,
        Sql(" offset 0) found where "),
        beyond,
        Sql(f" order by {order(sort)} limit %s", (limit,)),
    ]
    return joined(parts, "")
