"""What deserves a look by those who answer for security: figures of the latest accesses, seals and keys. Real time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from store import audit, data_keys
from store.audit import AuditLine
from store.data_keys import DataKey
from store.database import Database, Transaction
from store.seals.chain import Ahead
from store.seals.sealer import last_link
from store.seals.verifying import unsealed

LOOKED_AT = 50_000
"""Accesses that figures are made of at most: the latest. The page is asked for often, an audit is long."""

DAY, MONTH = timedelta(days=1), timedelta(days=30)

BURST, WITHIN = 10, timedelta(minutes=10)
"""Refusals of one person within that time, from which on they are a burst."""

MANY = 40
"""Patients whose records one person opened within an hour, from which on it is unusual: a round has fewer."""

SHOWN = 100


@dataclass(frozen=True)
class LockedOut:
    """account: None for what was typed and is no account.  places: that must wait."""

    account: str | None
    places: int
    failures: int
    until: datetime


@dataclass(frozen=True)
class Burst:
    actor: str
    refusals: int
    most: int
    last_at: datetime


@dataclass(frozen=True)
class MassReading:
    """hour: when it began."""

    actor: str
    hour: datetime
    patients: int


@dataclass(frozen=True)
class Told:
    line: AuditLine
    reason: str


@dataclass(frozen=True)
class Chain:
    """links: sealed so far.  tail: accesses that wait for theirs, the oldest of `tail_since`."""

    links: int
    sealed_at: datetime | None
    tail: int
    tail_since: datetime | None


@dataclass(frozen=True)
class Resealing:
    place: str
    done: int
    finished: bool


@dataclass(frozen=True)
class Watched:
    """cut_off: more accesses than LOOKED_AT were made in a day, so the figures are of a shorter time."""

    locked_out: Sequence[LockedOut]
    bursts: Sequence[Burst]
    many: Sequence[MassReading]
    glass: Sequence[Told]
    glass_open: int
    exports: Sequence[Told]
    chain: Chain
    keys: Sequence[DataKey]
    resealing: Sequence[Resealing]
    cut_off: bool


async def watched(database: Database, hospital: str, now: datetime) -> Watched:
    """All of it. `now`: real time."""
    async with database.transaction(hospital) as tx:
        values = {
            "hospital": hospital,
            "since": now - DAY,
            "most": LOOKED_AT,
            "burst": BURST,
            "within": WITHIN,
            "many": MANY,
            "shown": SHOWN,
        }
        counted = await tx.one(_LATEST + b"select count(*) as n from latest", values)
        found = Watched(
            locked_out=await tx.rows(LockedOut, _LOCKED_OUT, {"hospital": hospital, "now": now, "shown": SHOWN}),
            bursts=await tx.rows(Burst, _LATEST + _BURSTS, values),
            many=await tx.rows(MassReading, _LATEST + _MANY, values),
            glass=await _told(tx, "break-glass", now),
            glass_open=await _waiting(tx),
            exports=await _told(tx, "export", now),
            chain=await _chain(tx),
            keys=(),
            resealing=await tx.rows(
                Resealing, "select place, done, finished from resealing where hospital = %s order by place", [hospital]
            ),
            cut_off=counted is not None and counted["n"] >= LOOKED_AT,
        )
    async with database.system() as system:
        keys = (await data_keys.every(system)).get(hospital, [])
    return Watched(**{**vars(found), "keys": keys})


async def _waiting(tx: Transaction) -> int:
    row = await tx.one(
        "select count(*) as n from broken_glass where hospital = %s and reviewed_at is null", [tx.hospital]
    )
    return int(row["n"]) if row else 0


async def _told(tx: Transaction, action: str, now: datetime) -> list[Told]:
    lines = await tx.rows(
        AuditLine,
        f"""
        select {audit.COLUMNS} from audit_event
        where hospital = %s and recorded_at >= %s and action = %s order by xid desc, id desc limit %s
        """.encode(),  # noqa: S608  (names of ours)
        [tx.hospital, now - MONTH, action, SHOWN],
    )
    return [Told(line, audit.said_of(tx, line).reason or "") for line in lines]


async def _chain(tx: Transaction) -> Chain:
    last = await last_link(tx.all, tx.hospital)
    tail, since = await unsealed(tx, Ahead.after(last) if last else Ahead())
    return Chain(last.number if last else 0, last.sealed_at if last else None, tail, since)


_LATEST = b"""
with latest as (
    select recorded_at, action, actor, outcome, patients from audit_event
    where hospital = %(hospital)s and recorded_at >= %(since)s order by xid desc, id desc limit %(most)s
)
"""
_LOCKED_OUT = """
select account, count(*)::int as places, sum(failures)::int as failures, max(blocked_until) as until
from sign_in_attempt where hospital = %(hospital)s and blocked_until > %(now)s
group by account order by failures desc, account limit %(shown)s
"""
_BURSTS = b"""
, refused as (
    select actor, recorded_at, count(*) over (
        partition by actor order by recorded_at range between %(within)s::interval preceding and current row
    ) as lately
    from latest where outcome = 'denied'
)
select actor, count(*)::int as refusals, max(lately)::int as most, max(recorded_at) as last_at
from refused group by actor having max(lately) >= %(burst)s order by most desc, actor limit %(shown)s
"""
_MANY = b"""
select actor, date_trunc('hour', recorded_at) as hour, count(distinct patient)::int as patients
from latest, unnest(patients) as patient
where outcome = 'allowed' and action in ('read', 'query', 'export')
group by actor, hour having count(distinct patient) >= %(many)s order by patients desc, actor, hour limit %(shown)s
"""
