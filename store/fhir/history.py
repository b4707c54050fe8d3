"""What was, newest first: of one resource, of a type, of the whole hospital. hl7.org/fhir/R4/http.html#history."""

# ruff: noqa: S608  # statements are made of names of ours; every value is a parameter

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime

from domain.errors import Invalid, NotFound
from domain.fhir import resource_types
from domain.ids import FHIR_ID, Reference
from store.database import Transaction
from store.fhir.versions import Version, opened
from store.patience import in_time
from store.search.sql import ScopePredicate, Sql, both, everything, joined

LARGEST_PAGE = 1000

_COLUMNS = "v.type, v.id, v.version, v.last_updated, v.owner, v.deleted, v.key_id, v.body"
_KEYS = {
    "resource": "v.key",
    # As `resource.key` is made, in a row by itself: a condition that computes it may use no index under row security.
    "resource_history": "encode(substr(sha256((v.type || '/' || v.id)::bytea), 1, 16), 'hex')::uuid",
}
_ORDER = "last_updated desc, type desc, id desc, version desc"


@dataclass(frozen=True)
class HistoryPage:
    """total: None where the page is not all and nobody asked.  next: where the next page begins, None on the last."""

    versions: list[Version]
    total: int | None
    next: str | None


@in_time("the history takes too long; narrow it by _since, or ask for one type")
async def history(
    tx: Transaction,
    of: Reference | str | None,
    *,
    since: datetime | None = None,
    at: tuple[datetime, datetime] | None = None,
    count: int = 100,
    cursor: str | None = None,
    total: bool = False,
    allowed: ScopePredicate = everything,
) -> HistoryPage:
    """Versions of a resource, of a type by its name, or with None of all types; deletions among them.

    since: kept at this instant or later.  at: current at some time within `[low, high)`.
    Raises NotFound for a resource that never was, Invalid for a cursor that is none of ours, TooCostly.
    """
    size = max(0, min(count, LARGEST_PAGE))
    beyond = _cursor(cursor) if cursor else None
    narrowed = both(_since(since), _at(at), _beyond(beyond))
    statement = _page(tx.hospital, of, narrowed, allowed, size + 1)
    rows = await tx.all(statement.text.encode(), statement.values)
    if not rows and isinstance(of, Reference) and cursor is None:
        await _refuse_unknown(tx, of)
    versions = [opened(tx, row) for row in rows[:size]]
    more = _text(versions[-1]) if versions and len(rows) > size else None
    known = len(versions) if cursor is None and len(rows) <= size else None
    if known is None and total:
        known = await _total(tx, of, both(_since(since), _at(at)), allowed)
    return HistoryPage(versions, known, more)


def _page(hospital: str, of: Reference | str | None, narrowed: Sql, allowed: ScopePredicate, limit: int) -> Sql:
    newest = _part(hospital, "resource", of, narrowed, allowed)
    earlier = _part(hospital, "resource_history", of, narrowed, allowed)
    parts = [Sql(f"({each.text} order by {_ORDER} limit %s)", (*each.values, limit)) for each in (newest, earlier)]
    if of is not None:
        whole = joined(parts, " union all ")
        return Sql(f"{whole.text} order by {_ORDER} limit %s", (*whole.values, limit))
    # Each type has its own order in the index; the few newest of each are all that the page can need.
    whole = joined([Sql(f"select * from lateral {part.text} one") for part in parts], " union all ")
    values = tuple(value for part in parts for value in part.values)
    text = f"select listed.* from unnest(%s::text[]) as kind (name), lateral ({whole.text}) listed"
    return Sql(f"{text} order by {_ORDER} limit %s", (sorted(resource_types()), *values, limit))


def _part(hospital: str, table: str, of: Reference | str | None, narrowed: Sql, allowed: ScopePredicate) -> Sql:
    """The versions of one table. The scope is asked of the resource as it is now, which alone is in search tables.

    It is asked of each version by itself, newest first, until the page is full. Joined as PostgreSQL likes, all
    versions of a type meet all of its resources while tables have no statistics, and a page takes half a minute; hence
    `offset 0`, and the resource by its key (see `reading`).
    """
    if of is None:
        which = Sql("v.type = kind.name")
    elif isinstance(of, Reference):
        which = Sql("v.type = %s and v.id = %s", (of.resource_type, of.id))
    else:
        which = Sql("v.type = %s", (of,))
    kind = of.resource_type if isinstance(of, Reference) else of or ""
    scope = allowed(kind, "r")
    seen = both(Sql("v.hospital = %s", (hospital,)), which, narrowed)
    if scope is None:
        return Sql(f"select {_COLUMNS} from {table} v where {seen.text}", seen.values)
    return Sql(
        f"select {_COLUMNS} from {table} v cross join lateral (select {_KEYS[table]} as key offset 0) of"
        " cross join lateral (select from resource r"
        f" where r.hospital = v.hospital and r.key = of.key and {scope.text} offset 0) now"
        f" where {seen.text}",
        (*scope.values, *seen.values),
    )


def _since(since: datetime | None) -> Sql | None:
    return Sql("v.last_updated >= %s", (since,)) if since else None


def _at(at: tuple[datetime, datetime] | None) -> Sql | None:
    if at is None:
        return None
    replaced = (
        "not exists (select from {table} n where n.hospital = v.hospital and n.type = v.type and n.id = v.id"
        " and n.version = v.version + 1 and n.last_updated <= %s)"
    )
    low, high = at
    return both(
        Sql("v.last_updated < %s", (high,)),
        *(Sql(replaced.format(table=table), (low,)) for table in ("resource", "resource_history")),
    )


async def _total(tx: Transaction, of: Reference | str | None, narrowed: Sql, allowed: ScopePredicate) -> int:
    parts = [_part(tx.hospital, table, of, narrowed, allowed) for table in ("resource", "resource_history")]
    whole = joined(parts, " union all ")
    kinds = Sql(" from unnest(%s::text[]) as kind (name), lateral (", (sorted(resource_types()),))
    listed = kinds if of is None else Sql(" from (")
    statement = joined([Sql("select count(*) as n"), listed, whole, Sql(") listed")], "")
    row = await tx.one(statement.text.encode(), statement.values)
    return int(row["n"]) if row else 0


async def _refuse_unknown(tx: Transaction, ref: Reference) -> None:
    known = await tx.one(
        "select 1 from resource where hospital = %s and type = %s and id = %s",
        [tx.hospital, ref.resource_type, ref.id],
    )
    if known is None:
        raise NotFound("no such resource", reference=ref)


def _beyond(cursor: tuple[str, str, str, int] | None) -> Sql | None:
    if cursor is None:
        return None
    return Sql("(v.last_updated, v.type, v.id, v.version) < (%s::timestamptz, %s, %s, %s::int4)", cursor)


def _text(last: Version) -> str:
    keys = [last.last_updated.isoformat(), last.reference.resource_type, last.reference.id, last.version]
    return base64.urlsafe_b64encode(json.dumps(keys).encode()).decode().rstrip("=")


def _cursor(text: str) -> tuple[str, str, str, int]:
    wrong = Invalid("not a page of this history", field="_cursor")
    try:
        raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        at, kind, id_, version = json.loads(raw.decode())
        aware = datetime.fromisoformat(at).tzinfo is not None
    except (binascii.Error, ValueError, TypeError):
        raise wrong from None
    known = kind in resource_types() and isinstance(id_, str) and FHIR_ID.fullmatch(id_)
    if not aware or not known or not isinstance(version, int) or not 0 < version < 2**31:
        raise wrong
    return at, kind, id_, version
