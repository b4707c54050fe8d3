"""The figures of the monthly review of the audit: who opened what how often, and what deserves a second look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from psycopg.rows import DictRow

from store import audit
from store.audit import AuditLine
from store.database import Transaction
from store.search.instants import HOSPITAL_ZONE

MANY = 100
"""Patients whose records one person opened in one day, from which on it is worth a look."""

NIGHT = (22, 6)
"""Hours of the hospital between which an access counts as one by night."""


@dataclass(frozen=True)
class Told:
    """An access that stands in the report by itself, with what the person gave as reason."""

    line: AuditLine
    reason: str


@dataclass(frozen=True)
class Review:
    """A month. Rows hold: `accesses` actor, action, allowed, denied; `denials` actor, detail, times; `many` actor, day,
    patients; `night` actor, times, patients."""

    accesses: list[DictRow]
    denials: list[DictRow]
    broken_glass: list[Told]
    downloads: list[Told]
    many: list[DictRow]
    night: list[DictRow]


def month_of(text: str) -> tuple[datetime, datetime]:
    """`[since, until)` of a month like 2026-11, as the hospital's calendar has it. Raises ValueError."""
    first = datetime.strptime(text, "%Y-%m").replace(tzinfo=HOSPITAL_ZONE)
    after = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return first.astimezone(UTC), after.astimezone(UTC)


async def review(tx: Transaction, since: datetime, until: datetime) -> Review:
    """The month's figures. Looks at every row of it."""
    await tx.execute("set local statement_timeout = '15min'")
    values = {
        "hospital": tx.hospital,
        "since": since,
        "until": until,
        "zone": "Asia/Seoul",
        "many": MANY,
        "from": NIGHT[0],
        "to": NIGHT[1],
    }
    return Review(
        await tx.all(_ACCESSES, values),
        await tx.all(_DENIALS, values),
        await _told(tx, "break-glass", since, until),
        await _told(tx, "export", since, until),
        await tx.all(_MANY, values),
        await tx.all(_NIGHT, values),
    )


async def _told(tx: Transaction, action: str, since: datetime, until: datetime) -> list[Told]:
    lines = await tx.rows(
        AuditLine,
        f"""
        select {audit.COLUMNS} from audit_event
        where hospital = %s and recorded_at >= %s and recorded_at < %s and action = %s order by recorded_at, id
        """.encode(),  # noqa: S608  (names of ours)
        [tx.hospital, since, until, action],
    )
    return [Told(line, audit.said_of(tx, line).reason or "") for line in lines]


_ACCESSES = """
select actor, action, count(*) filter (where outcome = 'allowed') as allowed,
       count(*) filter (where outcome = 'denied') as denied
from audit_event where hospital = %(hospital)s and recorded_at >= %(since)s and recorded_at < %(until)s
group by actor, action order by actor, action
"""
_DENIALS = """
select actor, detail, count(*) as times
from audit_event
where hospital = %(hospital)s and recorded_at >= %(since)s and recorded_at < %(until)s and outcome = 'denied'
group by actor, detail order by times desc, actor, detail
"""
_MANY = """
select actor, (recorded_at at time zone %(zone)s)::date as day, count(distinct patient) as patients
from audit_event, unnest(patients) as patient
where hospital = %(hospital)s and recorded_at >= %(since)s and recorded_at < %(until)s
  and outcome = 'allowed' and action in ('read', 'query', 'export')
group by actor, day having count(distinct patient) >= %(many)s order by patients desc, actor, day
"""
_NIGHT = """
select actor, count(distinct id) as times, count(distinct patient) as patients
from audit_event, unnest(patients) as patient
where hospital = %(hospital)s and recorded_at >= %(since)s and recorded_at < %(until)s
  and outcome = 'allowed' and action in ('read', 'query', 'export')
  and (extract(hour from recorded_at at time zone %(zone)s) >= %(from)s
       or extract(hour from recorded_at at time zone %(zone)s) < %(to)s)
group by actor order by times desc, actor
"""
