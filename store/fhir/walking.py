"""All resources of a type as they were at an instant, a stretch at a time, in the order of their ids.

For exports (hl7.org/fhir/uv/bulkdata/export.html), which read for minutes what others write meanwhile. A resource never
changes its place in this order, so each is met once however many transactions the walk takes; one that was changed
after the instant is taken from its history. Nothing is held in memory but the stretch.

What a later walk asks for, "changed since that instant", is not a matter of times alone: a transaction writes its time
before it commits. So the earlier walk's snapshot says which transactions it could not have seen (engine room, 8), and
what those wrote counts as changed, whatever its time.
"""

# ruff: noqa: S608  # statements are made of names of ours; every value is a parameter

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.errors import SealBroken
from domain.ids import Reference
from store.database import Transaction
from store.fhir.versions import Version, opened
from store.search.sql import ScopePredicate, Sql, both

STRETCH = 500
"""Resources looked at in one transaction: a few milliseconds of the database's time."""

SEALED = 16 * 1024 * 1024
"""Bytes of sealed bodies in one stretch: the largest resources come a few at a time."""

# The writer of a row as a whole number: the row keeps the lower 32 bits of it. One of four thousand million
# transactions ago may look like a late one, and is then given once more than needed.
_WRITER = "(n.top - mod(n.top - r.writer::text::bigint, 4294967296))::text::xid8"


@dataclass(frozen=True)
class Span:
    """`until`: as it was at this instant.  since: only what changed later, or was unseen by the snapshot `seen`."""

    until: datetime
    since: datetime | None = None
    seen: str | None = None


@dataclass(frozen=True)
class Stretch:
    """What was found, still sealed: `opened` opens it. `last`: the id to go on after, None at the type's end."""

    rows: list[dict[str, Any]]
    last: str | None


async def snapshot(tx: Transaction) -> str:
    """Which transactions are done now, for a later walk's `Span.seen`."""
    row = await tx.one("select pg_current_snapshot()::text as seen")
    assert row is not None  # noqa: S101  # it has no FROM
    return str(row["seen"])


async def walk(
    tx: Transaction,
    kind: str,
    span: Span,
    *,
    after: str = "",
    allowed: ScopePredicate,
    narrowed: Sql | None = None,
    count: int = STRETCH,
) -> Stretch:
    """Resources of a type after an id, among the next `count` of them.

    narrowed: a condition on `r`, the resource as it is now. With `since`, deletions come too, whatever is narrowed:
    what a resource was found by is gone with it.
    """
    scope = allowed(kind, "r")
    wanted = both(_changed(span), _asked(span, narrowed), scope)
    rows = await tx.all(
        f"""
        with next as materialized (
            select hospital, type, id, number, key, version, last_updated, owner, deleted, key_id, body, xmin as writer
            from resource where hospital = %s and type = %s and id > %s order by id limit %s
        ), looked as materialized (
            select * from (
                select *, row_number() over (order by id) as place, sum(octet_length(body)) over (order by id) as size
                from next
            ) measured where size <= %s or place = 1
        ), now as (
            select pg_snapshot_xmax(pg_current_snapshot())::text::bigint as top
        ), found as (
            select r.type, r.id, v.version, v.last_updated, v.owner, v.deleted, v.key_id, v.body
            from now n, looked r, lateral (
                select r.version, r.last_updated, r.owner, r.deleted, r.key_id, r.body where r.last_updated <= %s
                union all
                (select h.version, h.last_updated, h.owner, h.deleted, h.key_id, h.body from resource_history h
                where r.last_updated > %s and h.hospital = r.hospital and h.type = r.type and h.id = r.id
                  and h.last_updated <= %s
                order by h.version desc limit 1)
            ) v
            where {wanted.text}
        )
        select l.last, l.looked, (select count(*) from next) as there, found.*
        from (select max(id) as last, count(*) as looked from looked) l left join found on true order by found.id
        """.encode(),
        [tx.hospital, kind, after, count, SEALED, span.until, span.until, span.until, *wanted.values],
    )
    more = rows[0]["there"] == count or rows[0]["looked"] < rows[0]["there"]
    last = rows[0]["last"] if more else None
    return Stretch([row for row in rows if row["id"] is not None], last)


def open_row(tx: Transaction, row: dict[str, Any]) -> Version | Reference:
    """A version, or the reference of what cannot be opened. Asks no database: may run in a thread of its own."""
    try:
        return opened(tx, row)
    except SealBroken:
        return Reference.to(row["type"], row["id"])


async def before_deletion(tx: Transaction, deleted: list[Version]) -> list[Version]:
    """What deleted resources were at the last, of those that can be opened."""
    rows = await tx.all(
        """
        select h.type, h.id, h.version, h.last_updated, h.owner, h.deleted, h.key_id, h.body
        from unnest(%s::text[], %s::text[], %s::int4[]) as asked (type, id, version)
        join resource_history h on h.hospital = %s and h.type = asked.type and h.id = asked.id
          and h.version = asked.version
        """,
        [
            [each.reference.resource_type for each in deleted],
            [each.reference.id for each in deleted],
            [each.version - 1 for each in deleted],
            tx.hospital,
        ],
    )
    found = [open_row(tx, row) for row in rows]
    return [each for each in found if isinstance(each, Version)]


def _changed(span: Span) -> Sql | None:
    if span.since is None:
        return None
    later = Sql("v.last_updated > %s", (span.since,))
    if span.seen is None:
        return later
    unseen = f"v.version = r.version and not pg_visible_in_snapshot({_WRITER}, %s::pg_snapshot)"
    return Sql(f"({later.text} or ({unseen}))", (*later.values, span.seen))


def _asked(span: Span, narrowed: Sql | None) -> Sql | None:
    if span.since is None:
        return both(Sql("not v.deleted"), narrowed)
    return None if narrowed is None else Sql(f"(v.deleted or {narrowed.text})", narrowed.values)
