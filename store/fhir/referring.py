"""Who refers to whom, for merging patients and for referential checks (hl7.org/fhir/R4/http.html#integrity).

References that a search parameter reads stand in their places' rows of `search_reference`; all others, in extensions,
in contained resources, in elements without a parameter, stand there under one number of their own, `ELSEWHERE`.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

from domain.fhir import resource_types
from domain.ids import Reference
from store.database import Transaction
from store.search.extract import ELSEWHERE
from store.search.keyed import target_key
from store.search.places import parameters


async def referrers(
    tx: Transaction, targets: Collection[str], *, limit: int, without: Collection[str] = ()
) -> list[Reference]:
    """Up to `limit` resources that refer to any of the targets, by type and id.

    targets: `Type/id`, or whole addresses that mean one.  without: types that do not count.
    """
    rows = await tx.all(
        """
        select r.type, r.id from resource r where r.hospital = %(hospital)s and r.number in (
            select x.resource from search_reference x
            where x.hospital = %(hospital)s and x.parameter = any(%(places)s::int8[])
              and x.target = any(%(targets)s::uuid[])
        ) and r.type <> all(%(without)s::text[]) and not r.deleted
        order by r.type, r.id limit %(limit)s
        """,
        {
            "hospital": tx.hospital,
            "places": _places(),
            "targets": [target_key(each) for each in targets],
            "without": list(without),
            "limit": limit,
        },
    )
    return [Reference.to(row["type"], row["id"]) for row in rows]


async def referred(tx: Transaction, targets: Collection[Reference]) -> set[Reference]:
    """Those of the targets, just deleted, that some resource still refers to."""
    own = {target_key(each): each for each in targets}
    rows = await tx.all(
        """
        select distinct x.target from search_reference x
        where x.hospital = %s and x.parameter = any(%s::int8[]) and x.target = any(%s::uuid[])
        """,
        [tx.hospital, _places(), list(own)],
    )
    return {own[row["target"]] for row in rows}


async def absent(tx: Transaction, targets: Collection[Reference]) -> set[Reference]:
    """Those of the targets that are not there or are deleted. The others stay until the transaction ends.

    A deletion locks its row more strongly than `key share`, so one waits for the other, and the second sees the first.
    """
    ordered = sorted(set(targets))
    rows = await tx.all(
        """
        select r.type, r.id from resource r
        join unnest(%s::text[], %s::text[]) as asked (type, id) on r.type = asked.type and r.id = asked.id
        where r.hospital = %s and not r.deleted order by r.type, r.id for key share of r
        """,
        [[each.resource_type for each in ordered], [each.id for each in ordered], tx.hospital],
    )
    return set(ordered) - {Reference.to(row["type"], row["id"]) for row in rows}


@cache
def _places() -> list[int]:
    """Every place of every type at which a reference may stand."""
    found = {ELSEWHERE}
    for kind in resource_types():
        for each in parameters(kind).values():
            if each.kind == "reference":
                found.update(each.numbers)
    return sorted(found)
