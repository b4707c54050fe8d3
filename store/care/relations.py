"""Relations of care, kept beside the records that name them and written in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from domain.care import NAMING, Relation, relations
from domain.ids import Reference
from store.database import Transaction
from store.search.keyed import target_key
from store.search.places import parameter

FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)

# A bed's relation is its room's and its ward's as well. Places do not hang together in circles, and `union` ends one.
_RELATE = """
with recursive given (holder, patient, source, until) as (
    select * from unnest(%(holders)s::uuid[], %(patients)s::uuid[], %(sources)s::uuid[], %(untils)s::timestamptz[])
), up (holder, place) as (
    select distinct holder, holder from given
    union
    select up.holder, p.target from up
    join resource r on r.hospital = %(hospital)s and r.key = up.place
    join search_reference p on p.hospital = %(hospital)s and p.resource = r.number and p.parameter = any(%(partof)s)
)
insert into care_relation (hospital, holder, patient, source, until)
select %(hospital)s, up.place, given.patient, given.source, max(given.until)
from given join up on up.holder = given.holder
group by up.place, given.patient, given.source
on conflict (hospital, holder, patient, source) do update set until = excluded.until
"""


async def relate(
    tx: Transaction, written: Sequence[tuple[Reference, Mapping[str, Any] | None, int]], now: datetime
) -> None:
    """Bring the relations up to what these resources say now. Each: reference, body (None: deleted), new version."""
    named = [each for each in written if each[0].resource_type in NAMING]
    if not named:
        return
    replaced = [target_key(ref) for ref, _, version in named if version > 1]
    if replaced:
        await tx.execute(
            "delete from care_relation where hospital = %s and source = any(%s::uuid[])", [tx.hospital, replaced]
        )
    rows = [(target_key(ref), each) for ref, body, _ in named if body for each in relations(body, now)]
    await _insert(tx, rows)


async def _insert(tx: Transaction, rows: list[tuple[UUID, Relation]]) -> None:
    if not rows:
        return
    await tx.execute(
        _RELATE,
        {
            "hospital": tx.hospital,
            "holders": [target_key(each.holder) for _, each in rows],
            "patients": [target_key(each.patient) for _, each in rows],
            "sources": [source for source, _ in rows],
            "untils": [each.until or FOR_EVER for _, each in rows],
            "partof": _partof(),
        },
    )


@cache
def _partof() -> list[int]:
    found = parameter("Location", "partof")
    return found.numbers if found else []
