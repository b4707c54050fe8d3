"""A search by a patient is a search by the person: every record that merge links join counts as one.

hl7.org/fhir/R4/patient.html#links. What names a patient, as a reference, as a compartment or at the end of a chain,
then names all of them; chains by other criteria go over the links. `Patient?_id=` names one record.
"""

# ruff: noqa: S608  # statements are made of names of ours; every value is a parameter

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from store.database import Transaction
from store.search.links import KIN, LINKS, any_links, kin, kin_values
from store.search.query import (
    AllOf,
    AnyOf,
    Chain,
    Condition,
    Has,
    InCompartment,
    Matches,
    Not,
    Query,
    ReferenceValue,
    TokenValue,
)
from store.search.sql import Sql

PATIENT = "Patient/"
Kin = Mapping[str, list[str]]


def only_named(query: Query) -> set[str]:
    """The patients that a query names, empty where its chains may reach others, too."""
    if any(_chained(each) for each in query.conditions):
        return set()
    return {each for condition in query.conditions for each in _named(condition)}


async def as_one_person(tx: Transaction, query: Query) -> Query:
    """The query with every patient in it replaced by all records of the same person; mostly the very same."""
    named = {each for condition in query.conditions for each in _named(condition)}
    chained = any(_chained(each) for each in query.conditions)
    if not named and not chained:
        return query
    linked = chained and await any_links(tx)
    found = await kin(tx, named) if named else {}
    if any(len(each) > 1 for each in found.values()):
        query = replace(query, conditions=tuple(_widened(each, found) for each in query.conditions))
    return replace(query, linked=True) if linked else query


def _named(condition: Condition) -> Iterator[str]:
    """The patients that a condition names."""
    match condition:
        case Matches():
            for value in condition.values:
                if isinstance(value, ReferenceValue):
                    yield from (each for each in value.targets if each.startswith(PATIENT))
        case InCompartment(focus=focus) if focus.startswith(PATIENT):
            yield focus
        case Has() | Not():
            yield from _named(condition.condition)
        case AllOf() | AnyOf():
            for each in condition.conditions:
                yield from _named(each)
        case Chain():
            for kind, inner in condition.ways:
                yield from _ids(inner) if _is_id(kind, inner) else _named(inner)


def _chained(condition: Condition) -> bool:
    match condition:
        case Chain():
            return any(
                (kind == "Patient" and not _is_id(kind, inner)) or _chained(inner) for kind, inner in condition.ways
            )
        case Has() | Not():
            return _chained(condition.condition)
        case AllOf() | AnyOf():
            return any(_chained(each) for each in condition.conditions)
    return False


def _is_id(kind: str, inner: Condition) -> bool:
    return kind == "Patient" and isinstance(inner, Matches) and inner.parameter.code == "_id"


def _ids(inner: Condition) -> Iterator[str]:
    if isinstance(inner, Matches):
        yield from (f"{PATIENT}{each.code}" for each in inner.values if isinstance(each, TokenValue) and each.code)


def _widened(condition: Condition, found: Kin) -> Condition:
    match condition:
        case Matches():
            values = (_value(each, found) if isinstance(each, ReferenceValue) else each for each in condition.values)
            return replace(condition, values=tuple(values))
        case InCompartment(focus=focus) if focus in found:
            return replace(condition, others=tuple(found[focus][1:]))
        case Has() | Not():
            return replace(condition, condition=_widened(condition.condition, found))
        case AllOf() | AnyOf():
            return replace(condition, conditions=tuple(_widened(each, found) for each in condition.conditions))
        case Chain():
            ways = (
                (kind, _with_ids(inner, found) if _is_id(kind, inner) else _widened(inner, found))
                for kind, inner in condition.ways
            )
            return replace(condition, ways=tuple(ways))
    return condition


def _value(value: ReferenceValue, found: Kin) -> ReferenceValue:
    wide = (each for target in value.targets for each in found.get(target, [target]))
    return ReferenceValue(tuple(dict.fromkeys(wide)))


def _with_ids(inner: Condition, found: Kin) -> Condition:
    if not isinstance(inner, Matches):
        return inner
    ids = (each.removeprefix(PATIENT) for one in _ids(inner) for each in found[one])
    return replace(inner, values=tuple(TokenValue(None, each) for each in dict.fromkeys(ids)))


def hop_to_person(hospital: str, places: Sql, met: Sql, aliases: tuple[str, str], alias: str) -> Sql:
    """A chain's hop: what refers, at the places, to a patient who meets a condition, or to another record of theirs.

    aliases: of the reference and of the patient, which `places` and `met` are about.  alias: of the row that refers.
    As a set, not row by row: each half is then planned from its own most telling side.
    """
    link, to = aliases
    start = KIN.format(start=f"select {to}.key, {to}.number, {to}.id")
    linked = Sql(
        f"(exists (select from search_reference l where l.hospital = %s and l.resource = {to}.number"
        f" and l.parameter = any(%s::int8[])) or exists (select from search_reference l where l.hospital = %s"
        f" and l.parameter = any(%s::int8[]) and l.target = {to}.key))",
        (hospital, LINKS, hospital, LINKS),
    )
    own = (hospital, *places.values, *met.values)
    return Sql(
        f"{alias}.number in (select {link}.resource from search_reference {link} join resource {to}"
        f" on {to}.key = {link}.target where {link}.hospital = %s and {places.text} and {met.text}"
        f" union all select {link}.resource from resource {to} cross join lateral"
        f" ({start} select key from kin) person join search_reference {link} on {link}.target = person.key"
        f" where {link}.hospital = %s and {places.text} and {met.text} and {linked.text})",
        (*own, *kin_values(hospital), *own, *linked.values),
    )
