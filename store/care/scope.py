"""Reach and sensitivity as a condition on every resource that a query touches (engine room, 9).

Counts, pages, sorting, chains and includes are right because the condition stands in the statement, not behind it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from uuid import UUID

from domain.fhir import compartment, resource_types
from domain.ids import Reference
from domain.reach import SENSITIVE, Reach
from store.care.circle import Circle
from store.database import Transaction
from store.search.comparisons import tokens
from store.search.keyed import Hash, token_hashes
from store.search.places import parameters
from store.search.query import TokenValue
from store.search.sql import FALSE, ScopePredicate, Sql, both, either, one_of

_LABELS = tuple(TokenValue(system, code) for system, code in sorted(SENSITIVE))


def in_reach(reaches: Mapping[str, Reach], circle: Circle) -> ScopePredicate:
    """Resources of each type as far as its reach; types without one are not there."""

    def of(resource_type: str, alias: str) -> Sql | None:
        if resource_type:
            reach = reaches.get(resource_type, Reach.NONE)
            return None if reach is Reach.HOSPITAL else _of_types([resource_type], reach, circle, alias)
        by_reach: dict[Reach, list[str]] = {}
        for kind, reach in reaches.items():
            by_reach.setdefault(reach, []).append(kind)
        return either(
            both(one_of(f"{alias}.type", "text", sorted(kinds)), _of_types(kinds, reach, circle, alias))
            for reach, kinds in by_reach.items()
        )

    return of


def not_sensitive(hashes: Sequence[Hash], purposes: Collection[UUID], *, one_by_one: bool = False) -> ScopePredicate:
    """Nothing with a sensitive label, on itself or on its patient, unless the person has said why for that patient.

    one_by_one: for a statement that asks of each row by itself: it begins at the row's patient, not at all labels.
    """
    compared = tokens(_LABELS, hashes)

    def of(resource_type: str, alias: str) -> Sql | None:
        kinds = (resource_type,) if resource_type else tuple(sorted(resource_types()))
        own = Sql(
            f"not exists (select from search_token x where x.hospital = {alias}.hospital"
            f" and x.resource = {alias}.number and x.parameter = any(%s::int8[]) and {compared.text})",
            (_security(kinds), *compared.values),
        )
        said = _about(kinds, purposes, alias) if purposes else FALSE
        linked = membership(kinds)
        if not linked:
            return either([own, said])
        if one_by_one:
            return both(either([own, said]), _of_unlabelled(linked, compared, purposes, alias))
        patients = Sql(
            f"not exists (select from search_reference m join resource p on p.hospital = m.hospital"
            " and p.key = m.target join search_token x on x.hospital = p.hospital and x.resource = p.number"
            f" where m.hospital = {alias}.hospital and m.resource = {alias}.number and m.parameter = any(%s::int8[])"
            f" and x.parameter = any(%s::int8[]) and {compared.text} and p.key <> all(%s::uuid[]))",
            (linked, _security(("Patient",)), *compared.values, list(purposes)),
        )
        return both(either([own, said]), patients)

    return of


def _of_unlabelled(linked: list[int], compared: Sql, purposes: Collection[UUID], alias: str) -> Sql:
    """As joined, but each step by itself (`offset 0`): which patients, which resources they are, with which labels."""
    return Sql(
        "not exists (select from (select m.target from search_reference m"  # noqa: S608 - names of ours
        f" where m.hospital = {alias}.hospital and m.resource = {alias}.number and m.parameter = any(%s::int8[])"
        " and m.target <> all(%s::uuid[]) offset 0) m"
        f" cross join lateral (select p.number from resource p where p.hospital = {alias}.hospital"
        " and p.key = m.target offset 0) p"
        f" cross join lateral (select from search_token x where x.hospital = {alias}.hospital"
        f" and x.resource = p.number and x.parameter = any(%s::int8[]) and {compared.text} offset 0) x)",
        (linked, list(purposes), _security(("Patient",)), *compared.values),
    )


@lru_cache(maxsize=256)
def membership(kinds: tuple[str, ...]) -> list[int]:
    """The places at which resources of the types name their patient."""
    numbers: set[int] = set()
    for kind in kinds:
        codes = {*compartment("Patient", kind), "patient", "subject"}
        for code, found in parameters(kind).items():
            if code in codes and found.kind == "reference" and "Patient" in found.targets and kind != "Patient":
                numbers.update(found.numbers)
    return sorted(numbers)


@lru_cache(maxsize=256)
def _security(kinds: tuple[str, ...]) -> list[int]:
    found = (parameters(kind).get("_security") for kind in kinds)
    return sorted(number for each in found if each is not None for number in each.numbers)


def _of_types(kinds: Collection[str], reach: Reach, circle: Circle, alias: str) -> Sql:
    if reach is Reach.HOSPITAL:
        return both()
    return _about(tuple(sorted(kinds)), circle.within(reach), alias)


def _about(kinds: tuple[str, ...], patients: Collection[UUID], alias: str) -> Sql:
    """About one of the patients: the Patient itself, or a resource that names it."""
    if not patients:
        return FALSE
    listed = list(patients)
    itself = Sql(f"{alias}.key = any(%s::uuid[])", (listed,)) if "Patient" in kinds else FALSE
    linked = membership(kinds)
    if not linked:
        return itself
    named = Sql(
        f"exists (select from search_reference m where m.hospital = {alias}.hospital"
        f" and m.resource = {alias}.number and m.parameter = any(%s::int8[]) and m.target = any(%s::uuid[]))",
        (linked, listed),
    )
    return either([itself, named])


async def sensitive(tx: Transaction, patients: Sequence[Reference]) -> frozenset[Reference]:
    """Of the patients those whose whole record has a sensitive label."""
    compared = tokens(_LABELS, token_hashes(tx.keys, tx.hospital))
    rows = await tx.all(
        "select r.id from resource r where r.hospital = %s and r.type = 'Patient' and r.id = any(%s::text[])"  # noqa: S608
        " and exists (select from search_token x where x.hospital = r.hospital and x.resource = r.number"
        f" and x.parameter = any(%s::int8[]) and {compared.text})".encode(),
        [tx.hospital, [patient.id for patient in patients], _security(("Patient",)), *compared.values],
    )
    return frozenset(Reference.to("Patient", row["id"]) for row in rows)
