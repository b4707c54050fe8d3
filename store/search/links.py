"""Patients that are one person: the links that a merge leaves, and what follows from them for a search.

hl7.org/fhir/R4/patient.html#links. A link says `replaced-by` in the record that ended or `replaces` in the one that
stays; either is enough. Links of other types (`seealso`, `refer`) join nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from domain.ids import Reference
from store.database import Transaction
from store.pipeline import Pending
from store.search.keyed import hashed, target_key
from store.search.values import target

REPLACED_BY = hashed("Patient.link(type=replaced-by).other|reference")
REPLACES = hashed("Patient.link(type=replaces).other|reference")
LINKS = [REPLACED_BY, REPLACES]

_NUMBERS = {"replaced-by": REPLACED_BY, "replaces": REPLACES}
_LONGEST_CHAIN = 50

# Everybody whom links join with the one in `{start}`, whichever side says so.
KIN = """
    with recursive kin (key, number, id) as (
        {start}
        union
        select r.key, r.number, r.id from kin k cross join lateral (
            select l.target as key from search_reference l
            where l.hospital = %s and l.resource = k.number and l.parameter = any(%s::int8[])
            union all
            select o.key from search_reference l join resource o on o.hospital = %s and o.number = l.resource
            where l.hospital = %s and l.parameter = any(%s::int8[]) and l.target = k.key
        ) x join resource r on r.hospital = %s and r.key = x.key
    )
    """


def kin_values(hospital: str) -> tuple[Any, ...]:
    """The values of KIN behind those of its start."""
    return (hospital, LINKS, hospital, hospital, LINKS, hospital)


def link_rows(resource: Mapping[str, Any]) -> set[tuple[int, str, str]]:
    """Rows for `search_reference` of a Patient's links to the record that it replaces or is replaced by."""
    rows = set()
    links = resource.get("link")
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict) and (number := _NUMBERS.get(str(link.get("type")))) is not None:
            other = target(link.get("other"))
            if other is not None and other.startswith("Patient/"):
                rows.add((number, target_key(other).hex, "Patient"))
    return rows


async def any_links(tx: Transaction) -> bool:
    """Whether the hospital has merged patients at all."""
    row = await tx.one(
        "select exists (select from search_reference where hospital = %s and parameter = any(%s::int8[])) as linked",
        [tx.hospital, LINKS],
    )
    return bool(row and row["linked"])


async def touching(tx: Transaction, patients: Collection[str]) -> Pending:
    """Ask, without waiting, whether a link begins or ends at one of the patients: one row with `linked`.

    Where none does, each of them is one record, and `kin` has nothing to add. PostgreSQL makes this plan once; the
    recursive one of `kin` it makes anew each time, which costs more than a page of a search does. It is written so that
    no other index looks as good while the table has no statistics: one number each, and the parameter asked last.
    """
    keys = [target_key(each) for each in patients]
    one, given = ("= %s", keys[0]) if len(keys) == 1 else ("= any(%s::uuid[])", keys)
    ends = " or ".join(
        f"exists (select from search_reference l where l.hospital = %s and l.parameter = {number} and l.target {one})"
        for number in LINKS
    )
    return await tx.connection.execute(
        f"""
        select {ends} or exists (
            select from resource a cross join lateral (
                select l.parameter from search_reference l where l.hospital = %s and l.resource = a.number offset 0
            ) own
            where a.hospital = %s and a.key {one} and own.parameter in ({REPLACED_BY}, {REPLACES})
        ) as linked
        """.encode(),  # noqa: S608  # numbers and names of ours
        [tx.hospital, given, tx.hospital, given, tx.hospital, tx.hospital, given],
    )


async def kin(tx: Transaction, patients: Collection[str]) -> dict[str, list[str]]:
    """Of each patient, `Patient/id`, all records that are the same person, its own first."""
    own = {target_key(each): each for each in patients}
    start = KIN.format(start="select a.key, a.number, a.id from resource a where a.hospital = %s and a.key = asked.key")
    rows = await tx.all(
        f"""
        select asked.key as asked, found.id from unnest(%s::uuid[]) as asked (key) cross join lateral (
            {start} select kin.id from kin where kin.key <> asked.key
        ) as found order by found.id
        """.encode(),  # noqa: S608  # made of names of ours
        [list(own), tx.hospital, *kin_values(tx.hospital)],
    )
    found = {each: [each] for each in patients}
    for row in rows:
        found[own[row["asked"]]].append(f"Patient/{row['id']}")
    return found


async def kin_keys(tx: Transaction, patients: Collection[UUID]) -> dict[UUID, set[UUID]]:
    """Of those of many patients that links join with others, the keys of these others."""
    rows = await tx.all(
        """
        with recursive kin (asked, key, number) as (
            select a.key, a.key, a.number from resource a
            where a.hospital = %(hospital)s and a.key = any(%(keys)s::uuid[])
            union
            select k.asked, r.key, r.number from kin k cross join lateral (
                select l.target as key from search_reference l
                where l.hospital = %(hospital)s and l.resource = k.number and l.parameter = any(%(links)s::int8[])
                union all
                select o.key from search_reference l
                join resource o on o.hospital = %(hospital)s and o.number = l.resource
                where l.hospital = %(hospital)s and l.parameter = any(%(links)s::int8[]) and l.target = k.key
            ) x join resource r on r.hospital = %(hospital)s and r.key = x.key
        )
        select asked, key from kin where key <> asked
        """,
        {"hospital": tx.hospital, "keys": sorted(patients), "links": LINKS},
    )
    found: dict[UUID, set[UUID]] = {}
    for row in rows:
        found.setdefault(row["asked"], set()).add(row["key"])
    return found


async def successors(tx: Transaction, patients: Collection[Reference]) -> dict[Reference, set[Reference]]:
    """Of each patient that was replaced, the records that it was replaced by, one step."""
    rows = await tx.all(
        """
        select a.id, r.id as successor from resource a
        join search_reference l on l.hospital = a.hospital and l.resource = a.number and l.parameter = %(replaced_by)s
        join resource r on r.hospital = a.hospital and r.key = l.target
        where a.hospital = %(hospital)s and a.key = any(%(keys)s::uuid[]) and not r.deleted
        union
        select a.id, r.id from resource a
        join search_reference l on l.hospital = a.hospital and l.parameter = %(replaces)s and l.target = a.key
        join resource r on r.hospital = a.hospital and r.number = l.resource
        where a.hospital = %(hospital)s and a.key = any(%(keys)s::uuid[])
        """,
        {
            "hospital": tx.hospital,
            "keys": [target_key(each) for each in patients],
            "replaced_by": REPLACED_BY,
            "replaces": REPLACES,
        },
    )
    found: dict[Reference, set[Reference]] = {}
    for row in rows:
        found.setdefault(Reference.to("Patient", row["id"]), set()).add(Reference.to("Patient", row["successor"]))
    return found


async def survivors(tx: Transaction, patients: Collection[Reference]) -> dict[Reference, Reference]:
    """The record that each patient goes by now: itself, or the end of its chain.

    Links that lead in a circle or to several records, as only clients can write them, lead nowhere: the patient stays.
    """
    now = {each: each for each in patients}
    seen: dict[Reference, set[Reference]] = {each: {each} for each in patients}
    going = set(patients)
    for _ in range(_LONGEST_CHAIN):
        following = await successors(tx, {now[each] for each in going}) if going else {}
        if not following:
            break
        for each in sorted(going):
            after = following.get(now[each])
            if after is None:
                going.discard(each)
            elif len(after) != 1 or after & seen[each]:
                going.discard(each)
                now[each] = each
            else:
                now[each] = next(iter(after))
                seen[each].add(now[each])
    return now
