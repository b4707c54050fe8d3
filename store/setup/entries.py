"""Versions of master data. They are added and never changed; which one applies, their instants say (ADR 0026).

Whoever changes entries first takes the hospital's edition (`lock`), so that two changes never judge by the same past.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from psycopg.types.json import Jsonb

from domain.errors import AlreadyDone, Forbidden, NotFound
from domain.setup.kinds import Kind
from domain.setup.timeline import State, Version
from store.database import Transaction

_COLUMNS = (
    "kind, code, version, since, until, content, basis, source, state, four_eyes, reason, recorded_by, recorded_at, "
    "decided_by, decided_at"
)


async def lock(tx: Transaction) -> int:
    """Take the hospital's set-up for this transaction and count it as changed; gives the new edition."""
    row = await tx.one(
        """
        insert into master_edition (hospital, edition) values (%s, 1)
        on conflict (hospital) do update set edition = master_edition.edition + 1 returning edition
        """,
        [tx.hospital],
    )
    return int(row["edition"]) if row else 0


async def add(tx: Transaction, versions: Sequence[Version]) -> None:
    """Keep new versions, all in one statement."""
    await tx.execute(
        """
        insert into master_entry (hospital, kind, code, version, since, until, content, basis, source, state, four_eyes,
                                  reason, recorded_by, recorded_at, decided_by, decided_at)
        select %(hospital)s, kind, code, version, since, until, content, basis, source, state, four_eyes, reason,
               recorded_by, recorded_at, decided_by, decided_at
        from unnest(%(kinds)s::text[], %(codes)s::text[], %(versions)s::int[], %(since)s::timestamptz[],
                    %(until)s::timestamptz[], %(contents)s::jsonb[], %(bases)s::text[], %(sources)s::text[],
                    %(states)s::text[], %(four_eyes)s::bool[], %(reasons)s::text[], %(by)s::text[],
                    %(at)s::timestamptz[], %(decided_by)s::text[], %(decided_at)s::timestamptz[])
             as new (kind, code, version, since, until, content, basis, source, state, four_eyes, reason, recorded_by,
                     recorded_at, decided_by, decided_at)
        """,
        {
            "hospital": tx.hospital,
            "kinds": [each.kind.value for each in versions],
            "codes": [each.code for each in versions],
            "versions": [each.version for each in versions],
            "since": [each.since for each in versions],
            "until": [each.until for each in versions],
            "contents": [None if each.content is None else Jsonb(each.content) for each in versions],
            "bases": [each.basis.value for each in versions],
            "sources": [each.source for each in versions],
            "states": [each.state.value for each in versions],
            "four_eyes": [each.four_eyes for each in versions],
            "reasons": [each.reason for each in versions],
            "by": [each.recorded_by for each in versions],
            "at": [each.recorded_at for each in versions],
            "decided_by": [each.decided_by for each in versions],
            "decided_at": [each.decided_at for each in versions],
        },
    )


async def of_kinds(tx: Transaction, kinds: Iterable[Kind] = Kind) -> dict[tuple[Kind, str], list[Version]]:
    """Every version of every entry of these kinds, in order."""
    rows = await tx.rows(
        Version,
        f"select {_COLUMNS} from master_entry where hospital = %s and kind = any(%s) order by kind, code, version",  # noqa: S608
        [tx.hospital, [kind.value for kind in kinds]],
    )
    found: dict[tuple[Kind, str], list[Version]] = defaultdict(list)
    for one in rows:
        found[one.kind, one.code].append(one)
    return dict(found)


async def versions(tx: Transaction, kind: Kind, code: str) -> list[Version]:
    """Every version of an entry, in order. Raises NotFound."""
    rows = await tx.rows(
        Version,
        f"select {_COLUMNS} from master_entry where hospital = %s and kind = %s and code = %s order by version",  # noqa: S608
        [tx.hospital, kind.value, code],
    )
    if not rows:
        raise NotFound("there is no such entry", kind=kind.value)
    return rows


async def at(tx: Transaction, kind: Kind, instant: datetime, codes: Collection[str] | None = None) -> list[Version]:
    """What applies at an instant, by code."""
    rows = await tx.rows(
        Version,
        f"""
        select distinct on (code) {_COLUMNS} from master_entry
        where hospital = %(hospital)s and kind = %(kind)s and (%(codes)s::text[] is null or code = any(%(codes)s))
          and state = 'approved' and since <= %(at)s and (until is null or until > %(at)s)
        order by code, since desc, version desc
        """,  # noqa: S608
        {
            "hospital": tx.hospital,
            "kind": kind.value,
            "at": instant,
            "codes": None if codes is None else sorted(codes),
        },
    )
    return [one for one in rows if one.content is not None]


async def waiting(tx: Transaction) -> list[Version]:
    """What was proposed and waits for a second pair of eyes, the oldest first."""
    return await tx.rows(
        Version,
        f"""
        select {_COLUMNS} from master_entry where hospital = %s and state = 'proposed'
        order by recorded_at, kind, code, version
        """,  # noqa: S608
        [tx.hospital],
    )


async def approve(tx: Transaction, kind: Kind, code: str, version: int, *, by: str, now: datetime) -> Version:
    """Let a proposed version apply. Raises NotFound, AlreadyDone, Forbidden for whoever recorded it."""
    found = await _one(tx, kind, code, version)
    if found.state is not State.PROPOSED:
        raise _decided(found)
    if found.recorded_by == by:
        raise Forbidden("nobody approves what they recorded", action="approve-setup", roles="")
    return await _decide(tx, found, State.APPROVED, by, now)


async def withdraw(tx: Transaction, kind: Kind, code: str, version: int, *, by: str, now: datetime) -> Version:
    """Take back a version that waits, or that has not begun. Raises NotFound, AlreadyDone."""
    found = await _one(tx, kind, code, version)
    if found.state is State.WITHDRAWN:
        raise _decided(found)
    if found.state is State.APPROVED and found.since <= now:
        raise AlreadyDone("what has begun is ended by a newer version", at=found.since.isoformat())
    return await _decide(tx, found, State.WITHDRAWN, by, now)


def next_version(versions: Sequence[Version]) -> int:
    return versions[-1].version + 1 if versions else 1


async def _one(tx: Transaction, kind: Kind, code: str, version: int) -> Version:
    for one in await versions(tx, kind, code):
        if one.version == version:
            return one
    raise NotFound("there is no such version", kind=kind.value)


async def _decide(tx: Transaction, found: Version, state: State, by: str, now: datetime) -> Version:
    await tx.execute(
        """
        update master_entry set state = %s, decided_by = %s, decided_at = %s
        where hospital = %s and kind = %s and code = %s and version = %s
        """,
        [state.value, by, now, tx.hospital, found.kind.value, found.code, found.version],
    )
    return found.model_copy(update={"state": state, "decided_by": by, "decided_at": now})


def _decided(found: Version) -> AlreadyDone:
    when = found.decided_at or found.recorded_at
    return AlreadyDone(
        f"it was {found.state}", by=found.decided_by or found.recorded_by, at=when.isoformat(), status=found.state.value
    )
