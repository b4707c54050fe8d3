"""What has to be covered: positions that a place needs somebody in, and where nobody is."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from uuid import UUID

from pydantic import BaseModel

from domain import duty
from domain.duty import Days, DutyPosition, Gap
from domain.errors import Conflict, Invalid, NotFound
from domain.ids import Reference
from store import outbox
from store.database import Transaction
from store.people import rosters
from store.people.calendars import calendar


class Need(BaseModel, frozen=True):
    """As entered. `place`: empty for the whole hospital."""

    id: UUID
    position: DutyPosition
    place: str
    days: Days
    starts: time
    ends: time
    since: date
    until: date | None
    made_at: datetime
    made_by: str

    @property
    def need(self) -> duty.Need:
        place = Reference(self.place) if self.place else None
        return duty.Need(self.id, self.position, place, self.days, self.starts, self.ends, self.since, self.until)


async def ask(
    tx: Transaction,
    id_: UUID,
    *,
    position: DutyPosition,
    place: Reference | None,
    days: Days,
    starts: time,
    ends: time,
    since: date,
    until: date | None,
    by: str,
    now: datetime,
) -> None:
    """From a day on, somebody is needed. Raises Invalid, and Conflict for a need that stands in the same words."""
    if until is not None and until <= since:
        raise Invalid("it ends after it begins", field="/until")
    await rosters.refuse_no_place(tx, place)
    same = await tx.one(
        """
        select 1 as one from duty_need
        where hospital = %s and position = %s and place = %s and days = %s and starts = %s and ends = %s
          and ended_at is null and (until is null or until > %s)
        """,
        [tx.hospital, position, place or "", days, starts, ends, since],
    )
    if same is not None:
        raise Conflict("this is needed already")
    await tx.execute(
        """
        insert into duty_need
            (hospital, id, position, place, days, starts, ends, since, until, made_at, made_by)
        values (%(hospital)s, %(id)s, %(position)s, %(place)s, %(days)s, %(starts)s, %(ends)s, %(since)s, %(until)s,
                %(now)s, %(by)s)
        """,
        {
            "hospital": tx.hospital,
            "id": id_,
            "position": position,
            "place": place or "",
            "days": days,
            "starts": starts,
            "ends": ends,
            "since": since,
            "until": until,
            "now": now,
            "by": by,
        },
    )
    await outbox.put(tx, rosters.TOPIC, place or position)


async def end(tx: Transaction, id_: UUID, *, by: str, now: datetime) -> None:
    """Raises NotFound for one that does not stand."""
    row = await tx.one(
        """
        update duty_need set ended_at = %s, ended_by = %s where hospital = %s and id = %s and ended_at is null
        returning place, position
        """,
        [now, by, tx.hospital, id_],
    )
    if row is None:
        raise NotFound("nothing like that is needed")
    await outbox.put(tx, rosters.TOPIC, row["place"] or row["position"])


async def standing(tx: Transaction) -> list[Need]:
    return await tx.rows(
        Need,
        """
        select id, position, place, days, starts, ends, since, until, made_at, made_by from duty_need
        where hospital = %s and ended_at is null order by place, position, days, starts
        """,
        [tx.hospital],
    )


async def gaps(tx: Transaction, first: date, last: date) -> list[Gap]:
    """Where a need is not met between two days, both included: the roster, the absences and the calendar as now."""
    begin, end_ = duty.span(first, time(), time())[0], duty.span(last + timedelta(days=1), time(), time())[1]
    duties = [each.duty for each in await rosters.entered(tx, begin, end_)]
    absences = [each.absence for each in await rosters.away(tx, begin, end_)]
    known = await standing(tx)
    return duty.gaps(
        [each.need for each in known],
        first,
        last,
        await calendar(tx),
        duties=duties,
        absences=absences,
        above=await rosters.above(tx),
    )
