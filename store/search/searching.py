"""Running a search: a page of matches in scope, what goes along with them, the total, and where the next page begins.

hl7.org/fhir/R4/search.html. Reads only; the audit of what was seen is the caller's.
"""

# ruff: noqa: S608  # statements are made of names of ours; every value is a parameter

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from domain.errors import TooCostly
from domain.ids import Reference
from store.database import Transaction
from store.fhir.versions import Version
from store.patience import in_time
from store.search import opening, paging
from store.search.building import Builder
from store.search.including import COLUMNS, Found, found, included
from store.search.links import touching
from store.search.paging import Cursor, Way
from store.search.persons import as_one_person, only_named
from store.search.query import Chain, Condition, Has, InCompartment, InList, Matches, Query
from store.search.ranks import ranks
from store.search.rechecking import agrees, decided_by_bodies, needs_bodies
from store.search.sql import FALSE, ScopePredicate, Sql, both, either, everything, one_of

PAGE = 50
"""Matches of a page where the client names no number."""

MOST_BODIES = 5000
"""Bodies opened for a search by texts, which stand in no table."""

_BATCH = 250

Row = dict[str, Any]

_BEYOND_NUMBER = re.compile(r"\br\.(?!number\b)")


@dataclass(frozen=True)
class Page:
    """total: None where it was not asked for and is not known without counting.  next: the next page's `_cursor`."""

    matches: list[Version]
    included: list[Version]
    total: int | None
    next: str | None


@in_time()
async def search(tx: Transaction, query: Query, *, scope: ScopePredicate = everything) -> Page:
    """One page. Raises Invalid for a cursor of another search, TooCostly."""
    query = await _settled(tx, query, scope)
    if named := only_named(query):
        # Mostly nobody was merged: the page is found as if nobody were, and the question travels along.
        asked = await touching(tx, named)
        page = await _page(tx, query, scope)
        row = await asked.fetchone()
        if row is not None and not row["linked"]:
            return page
    return await _page(tx, await as_one_person(tx, query), scope)


async def _page(tx: Transaction, query: Query, scope: ScopePredicate) -> Page:
    builder = _builder(tx, query, scope)
    if query.count == 0 or query.summary == "count":
        return Page([], [], await _count(tx, query, builder), None)
    size = PAGE if query.count is None else query.count
    cursor = Cursor.parse(query.cursor, tx.keys, tx.hospital, query) if query.cursor else None
    run = _Run(tx, query, builder, cursor.way if cursor else _way(query, builder), await _expressions(tx, query))
    matches, more = await run.page(cursor, size)
    along = await included(tx, query, builder, matches) if query.includes or query.revincludes else []
    total = len(matches) if cursor is None and more is None else None
    if total is None and query.total in {"accurate", "estimate"}:
        total = await _count(tx, query, builder)
    further = more.text(tx.keys, tx.hospital, query) if more else None
    return Page([each.version for each in matches], [each.version for each in along], total, further)


@in_time()
async def count(tx: Transaction, query: Query, *, scope: ScopePredicate = everything) -> int:
    """How many match, all pages together."""
    query = await as_one_person(tx, await _settled(tx, query, scope))
    return await _count(tx, query, _builder(tx, query, scope))


@in_time()
async def references(
    tx: Transaction, query: Query, *, scope: ScopePredicate = everything, limit: int = 2
) -> list[Reference]:
    """The first few that match, for conditional interactions: none, one, or more than one."""
    query = await as_one_person(tx, await _settled(tx, replace(query, sort=()), scope))
    run = _Run(tx, query, _builder(tx, query, scope), "gather", [])
    matches, _ = await run.page(None, limit)
    return [each.version.reference for each in matches]


async def _settled(tx: Transaction, query: Query, scope: ScopePredicate) -> Query:
    """The query with what only bodies tell, within chains and the like, replaced by what was found in them."""
    if not opening.needed(query):
        return query

    async def find(types: tuple[str, ...], condition: Condition) -> tuple[int, ...]:
        inner = await as_one_person(tx, Query(types, (condition,), unmoved=query.unmoved))
        builder = _builder(tx, inner, scope)
        matches, _ = await _Run(tx, inner, builder, _way(inner, builder), []).page(None, MOST_BODIES)
        return tuple(each.number for each in matches)

    query = replace(query, unmoved=await opening.any_unmoved(tx))
    return await opening.settled(query, find)


def _builder(tx: Transaction, query: Query, scope: ScopePredicate) -> Builder:
    return Builder.of(tx, scope, linked=query.linked, unmoved=query.unmoved)


def _where(builder: Builder, query: Query) -> Sql:
    kind = query.types[0] if len(query.types) == 1 else ""
    conditions = [builder.condition(each, kind, "r") for each in query.conditions]
    if kind:
        return both(builder.visible(kind, "r"), *conditions)
    return both(builder.visible("", "r"), _any_type(builder, query), *conditions)


def _any_type(builder: Builder, query: Query) -> Sql | None:
    if not query.types:
        return None
    of_types = [(one_of("r.type", "text", [kind]), builder.scope(kind, "r")) for kind in query.types]
    if all(scope is None for _, scope in of_types):
        return one_of("r.type", "text", query.types)
    return either(both(typed, scope) for typed, scope in of_types if scope != FALSE)


async def _count(tx: Transaction, query: Query, builder: Builder) -> int:
    if needs_bodies(query.conditions):
        matches, _ = await _Run(tx, replace(query, sort=()), builder, "gather", []).page(None, MOST_BODIES)
        return len(matches)
    source = _source(builder, query)
    row = await tx.one(f"select count(*) as n {source.text}".encode(), source.values)
    return int(row["n"]) if row else 0


def _source(builder: Builder, query: Query, needed: Sequence[Sql] = ()) -> Sql:
    """FROM and WHERE of everything that matches, over `r`: the rows of one condition, or else `resource` itself.

    A row of a search table belongs to a resource that is there and of the parameter's type, so `resource` is only
    joined where a condition, the scope or a key to sort by, `needed`, asks for more than the number.
    """
    anchors = [found for each in query.conditions if (found := builder.anchor(each)) is not None]
    if not anchors:
        where = _where(builder, query)
        return Sql(f"from resource r where {where.text}", where.values)
    first = min(anchors, key=lambda each: each.rank)
    kind = query.types[0] if len(query.types) == 1 else ""
    scopes = [builder.scope(each, "r") for each in query.types or ("",)]
    scope = scopes[0] if len(scopes) == 1 else _any_type(builder, query) if any(scopes) else None
    others = [builder.condition(each, kind, "r") for each in query.conditions if each is not first.condition]
    where = both(scope, *others)
    if any(_BEYOND_NUMBER.search(each.text) for each in (where, *needed)):
        joins = f"from ({first.rows.text}) x join resource r on r.hospital = %s and r.number = x.number"
        return Sql(f"{joins} where {where.text}", (*first.rows.values, builder.hospital, *where.values))
    return Sql(f"from ({first.rows.text}) r where {where.text}", (*first.rows.values, *where.values))


async def _expressions(tx: Transaction, query: Query) -> list[Sql]:
    made = []
    for key in query.sort:
        coded = key.parameter.kind == "token" and key.parameter.code != "_id"
        made.append(paging.sort_expression(key, tx.hospital, await ranks(tx, key) if coded else None))
    return made


def _way(query: Query, builder: Builder) -> Way:
    """Gather what begins at a condition, or what few resources are likely to meet; else walk past them all."""
    if any(isinstance(each, Chain | Has | InCompartment | InList) for each in query.conditions):
        return "gather"
    if any(builder.anchor(each) is not None or _names_few(each) for each in query.conditions):
        return "gather"
    if not query.sort:
        return "walk"
    by_time = len(query.sort) == 1 and query.sort[0].parameter.code == "_lastUpdated" and len(query.types) == 1
    return "recent" if by_time else "gather"


def _names_few(each: Condition) -> bool:
    if not isinstance(each, Matches) or each.modifier in {"missing", "present", "not"} or each.parameter.presence:
        return False
    return each.parameter.code == "_id" or each.parameter.kind in {"composite", "special", "reference", "uri"}


def _too_many(field: str) -> TooCostly:
    said = "too many resources to look for a text in; narrow the search"
    return TooCostly(said, limit=str(MOST_BODIES), field=field)


@dataclass(frozen=True)
class _Run:
    """Pages of one search."""

    tx: Transaction
    query: Query
    builder: Builder
    way: Way
    expressions: Sequence[Sql]

    async def page(self, cursor: Cursor | None, size: int) -> tuple[list[Found], Cursor | None]:
        """Up to `size` matches after the cursor, and the cursor of the next page if there is more."""
        if any(key.parameter.words for key in self.query.sort):
            return await self._page_by_words(cursor, size)
        filtering = needs_bodies(self.query.conditions)
        deciding = decided_by_bodies(self.query.conditions)
        kept: list[tuple[Found, Row]] = []
        opened = 0
        while True:
            wanted = _BATCH if filtering else size - len(kept) + 1
            rows = await self._rows(cursor, wanted)
            opened += len(rows)
            kept += [each for each in rows if agrees(each[0].version, deciding)] if deciding else rows
            if len(kept) > size:
                return [each for each, _ in kept[:size]], self._cursor(kept[size - 1][1])
            if len(rows) < wanted:
                return [each for each, _ in kept], None
            if opened >= MOST_BODIES:
                raise _too_many("http.query")
            cursor = self._cursor(rows[-1][1])

    async def _page_by_words(self, cursor: Cursor | None, size: int) -> tuple[list[Found], Cursor | None]:
        """The same in an order that only bodies tell: all that match are opened for each page."""
        rows = await self._rows(None, MOST_BODIES + 1)
        if len(rows) > MOST_BODIES:
            raise _too_many("_sort")
        deciding, sort = decided_by_bodies(self.query.conditions), self.query.sort
        kept = [(each, opening.with_words(each, row, sort)) for each, row in rows if agrees(each.version, deciding)]
        page = opening.in_order(kept, sort, cursor)[: size + 1]
        more = self._cursor(page[size - 1][1]) if len(page) > size else None
        return [each for each, _ in page[:size]], more

    async def _rows(self, cursor: Cursor | None, limit: int) -> list[tuple[Found, Row]]:
        statement = self._statement(cursor, limit)
        rows = await self.tx.all(statement.text.encode(), statement.values, binary=True)
        return [(found(self.tx, row), row) for row in rows]

    def _cursor(self, row: Row) -> Cursor:
        if self.way == "walk":
            return Cursor("walk", (row["type"], row["id"]))
        if self.way == "recent":
            return Cursor("recent", (row["last_updated"], row["number"]))
        return Cursor("gather", (*(row[f"k{index}"] for index in range(len(self.expressions))), row["number"]))

    def _statement(self, cursor: Cursor | None, limit: int) -> Sql:
        if self.way == "gather":
            source = _source(self.builder, self.query, self.expressions)
            page = paging.gathered(source, self.query.sort, list(self.expressions), cursor, limit)
            keys = "".join(f", p.k{index}" for index in range(len(self.expressions)))
            order = paging.order(self.query.sort, "p")
            return Sql(
                f"select {COLUMNS}{keys} from ({page.text}) p"
                f" join resource r on r.hospital = %s and r.number = p.number order by {order}",
                (*page.values, self.tx.hospital),
            )
        if self.way == "recent":
            down = self.query.sort[0].descending
            columns, order = "r.last_updated, r.number", "desc" if down else "asc"
            sign = "<" if down else ">"
            by = f"r.last_updated {order}, r.number {order}"
            kinds = "%s::timestamptz, %s::int8"
        else:
            columns, sign, by, kinds = "r.type, r.id", ">", "r.type, r.id", "%s, %s"
        beyond = Sql(f"({columns}) {sign} ({kinds})", cursor.keys) if cursor else None
        where = both(_where(self.builder, self.query), beyond)
        return Sql(
            f"select {COLUMNS} from resource r where {where.text} order by {by} limit %s",
            (*where.values, limit),
        )
