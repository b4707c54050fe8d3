"""`_include` and `_revinclude`, with `:iterate` and `*`. hl7.org/fhir/R4/search.html#revinclude.

Everything included is in scope, exists, and comes once.
"""

# ruff: noqa: S608  # statements are made of names of ours; every value is a parameter

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from domain.errors import TooCostly
from domain.fhir import resource_types
from store.database import Transaction
from store.fhir.versions import Version, opened
from store.search import canonicals
from store.search.building import Builder
from store.search.conditions import possible
from store.search.keyed import target_key
from store.search.links import kin
from store.search.places import Parameter, parameter, parameters
from store.search.query import Include, Query
from store.search.sql import FALSE, Sql, both, either, one_of

MOST_INCLUDED = 5000

COLUMNS = "r.type, r.id, r.version, r.last_updated, r.owner, r.deleted, r.key_id, r.body, r.number, r.key"


class Found(NamedTuple):
    """A resource of a page, and what links lead to it by."""

    version: Version
    number: int
    key: UUID


def found(tx: Transaction, row: dict[str, Any]) -> Found:
    return Found(opened(tx, row), row["number"], row["key"])


async def included(tx: Transaction, query: Query, builder: Builder, matches: list[Found]) -> list[Found]:
    """What goes along with a page's matches. Raises TooCostly for more than anybody can read."""
    seen = {each.number for each in matches}
    collected: list[Found] = []
    frontier, first = matches, True
    while frontier:
        new: dict[int, Found] = {}
        for rule in query.includes:
            if first or rule.iterate:
                for each in await _forward(tx, builder, rule, frontier):
                    new.setdefault(each.number, each)
        for rule in query.revincludes:
            if first or rule.iterate:
                for each in await _backward(tx, builder, rule, frontier):
                    new.setdefault(each.number, each)
        frontier, first = [each for number, each in new.items() if number not in seen], False
        seen |= new.keys()
        collected += frontier
        if len(collected) > MOST_INCLUDED:
            raise TooCostly("the includes bring too many resources", limit=str(MOST_INCLUDED), field="_include")
    return collected


async def _forward(tx: Transaction, builder: Builder, rule: Include, sources: list[Found]) -> list[Found]:
    at = [each for each in sources if rule.source in {"*", each.version.reference.resource_type}]
    kinds = {each.version.reference.resource_type for each in at}
    references = [each for kind in sorted(kinds) for each in _references(kind, rule.code)]
    if not references:
        return []
    targets = {rule.target} if rule.target else {kind for each in references for kind in possible(each)}
    where = both(
        one_of("x.resource", "int8", [each.number for each in at]),
        one_of("x.parameter", "int8", [number for each in references for number in each.numbers]),
        _visible(builder, targets),
    )
    by_key = await _rows(tx, where, "r.key = x.target")
    return [*by_key, *await _by_url(tx, builder, at, references, targets)]


async def _by_url(
    tx: Transaction, builder: Builder, at: list[Found], references: list[Parameter], targets: set[str]
) -> list[Found]:
    """What sources name by a canonical URL."""
    places = canonicals.places(references)
    named = canonicals.named((each.version for each in at), places) if places else set()
    urls = canonicals.of_urls(named, targets)
    if urls is None:
        return []
    where = both(urls, _visible(builder, targets))
    found_ = await _rows(tx, where, "r.number = x.resource", "search_string")
    meant = canonicals.meant(named, ((each.number, each.version) for each in found_))
    return [each for each in found_ if each.number in meant]


async def _naming(
    tx: Transaction, builder: Builder, at: list[Found], references: list[Parameter], sources: list[str]
) -> list[Found]:
    """What names targets by their canonical URL."""
    places = canonicals.places(references)
    keys = canonicals.keys(each.version for each in at) if places else set()
    if not keys:
        return []
    where = both(
        one_of("x.target", "uuid", sorted(keys)),
        one_of("x.parameter", "int8", [place.number for place in places]),
        _visible(builder, set(sources)),
    )
    versions = [each.version for each in at]
    found_ = await _rows(tx, where, "r.number = x.resource")
    return [each for each in found_ if canonicals.links_to(each.version, versions, places)]


async def _backward(tx: Transaction, builder: Builder, rule: Include, targets: list[Found]) -> list[Found]:
    at = [each for each in targets if rule.target in {None, each.version.reference.resource_type}]
    sources = sorted(resource_types()) if rule.source == "*" else [rule.source]
    references = [each for kind in sources for each in _references(kind, rule.code)]
    if not references or not at:
        return []
    patients = [str(each.version.reference) for each in at if each.version.reference.resource_type == "Patient"]
    persons = await kin(tx, patients) if patients else {}
    keys = {target_key(other) for others in persons.values() for other in others}
    where = both(
        one_of("x.target", "uuid", [*(each.key for each in at), *sorted(keys - {each.key for each in at})]),
        one_of("x.parameter", "int8", [number for each in references for number in each.numbers]),
        _visible(builder, set(sources)),
    )
    by_key = await _rows(tx, where, "r.number = x.resource")
    return [*by_key, *await _naming(tx, builder, at, references, sources)]


def _references(kind: str, code: str | None) -> list[Parameter]:
    if code is None:
        return [each for each in parameters(kind).values() if each.kind == "reference"]
    one = parameter(kind, code)
    return [one] if one is not None else []


def _visible(builder: Builder, types: Iterable[str]) -> Sql:
    """Resources of any of the types that are there and in scope; types of one scope stand together."""
    by_scope: list[tuple[Sql | None, list[str]]] = []
    for kind in sorted(types):
        scope = builder.scope(kind, "r")
        same = next((kinds for known, kinds in by_scope if known == scope), None)
        if same is None:
            by_scope.append((scope, [kind]))
        else:
            same.append(kind)
    groups = [both(one_of("r.type", "text", kinds), scope) for scope, kinds in by_scope if scope != FALSE]
    allowed = either(groups)
    if allowed == FALSE:
        return FALSE
    return both(Sql("r.hospital = %s and not r.deleted", (builder.hospital,)), allowed)


async def _rows(tx: Transaction, where: Sql, link: str, table: str = "search_reference") -> list[Found]:
    rows = await tx.all(
        f"""
        select {COLUMNS} from resource r where r.hospital = %s and r.number in (
            select r.number from {table} x join resource r on {link} and r.hospital = x.hospital
            where x.hospital = %s and {where.text}
        ) order by r.type, r.id limit %s
        """.encode(),
        [tx.hospital, tx.hospital, *where.values, MOST_INCLUDED + 1],
    )
    return [found(tx, row) for row in rows]
