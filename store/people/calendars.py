"""The hospital's own days and its week. What was entered ends, and something else begins."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel

from domain.business_days import Calendar, Holiday, HolidayKind
from domain.errors import Conflict, Invalid, NotFound
from store import outbox
from store.database import Transaction

TOPIC = "calendar"


class OwnDay(BaseModel, frozen=True):
    """An entry that stands. closed: False where the hospital works on a holiday."""

    id: UUID
    day: date
    ko: str
    en: str
    closed: bool
    made_at: datetime
    made_by: str

    @property
    def holiday(self) -> Holiday:
        return Holiday(self.day, self.ko, self.en, HolidayKind.OWN, self.closed)


class Week(BaseModel, frozen=True):
    """ISO weekdays of ordinary business from a day on, such as `12345`."""

    since: date
    weekdays: str
    made_at: datetime
    made_by: str


async def calendar(tx: Transaction) -> Calendar:
    """The calendar as it stands now: what was entered a moment ago counts."""
    own = {each.day: each.holiday for each in await own_days(tx)}
    weeks = tuple((each.since, frozenset(map(int, each.weekdays))) for each in await weeks_of(tx))
    return Calendar(weeks, own)


async def own_days(tx: Transaction) -> list[OwnDay]:
    return await tx.rows(
        OwnDay,
        """
        select id, day, ko, en, closed, made_at, made_by from holiday
        where hospital = %s and ended_at is null order by day
        """,
        [tx.hospital],
    )


async def weeks_of(tx: Transaction) -> list[Week]:
    """The weeks that count, the earliest first."""
    return await tx.rows(
        Week,
        """
        select distinct on (since) since, weekdays, made_at, made_by from business_week
        where hospital = %s order by since, made_at desc
        """,
        [tx.hospital],
    )


async def enter_day(
    tx: Transaction, id_: UUID, *, day: date, ko: str, en: str, closed: bool, by: str, now: datetime
) -> None:
    """Raises Invalid without both names, Conflict for a day that has an entry."""
    if not ko.strip() or not en.strip():
        raise Invalid("a day has a name in both languages", field="/ko" if not ko.strip() else "/en")
    made = await tx.one(
        """
        insert into holiday (hospital, id, day, ko, en, closed, made_at, made_by)
        values (%(hospital)s, %(id)s, %(day)s, %(ko)s, %(en)s, %(closed)s, %(now)s, %(by)s)
        on conflict do nothing returning id
        """,
        {
            "hospital": tx.hospital,
            "id": id_,
            "day": day,
            "ko": ko.strip(),
            "en": en.strip(),
            "closed": closed,
            "now": now,
            "by": by,
        },
    )
    if made is None:
        raise Conflict("this day has an entry: end it first", day=day.isoformat())
    await outbox.put(tx, TOPIC, day.isoformat())


async def end_day(tx: Transaction, id_: UUID, *, by: str, now: datetime) -> date:
    """Raises NotFound for one that does not stand."""
    row = await tx.one(
        """
        update holiday set ended_at = %s, ended_by = %s where hospital = %s and id = %s and ended_at is null
        returning day
        """,
        [now, by, tx.hospital, id_],
    )
    if row is None:
        raise NotFound("no such day")
    ended: date = row["day"]
    await outbox.put(tx, TOPIC, ended.isoformat())
    return ended


async def set_week(tx: Transaction, since: date, weekdays: Collection[int], *, by: str, now: datetime) -> None:
    """From a day on these are the week's business days. Raises Invalid for no day at all, or no weekday."""
    if not weekdays or not set(weekdays) <= set(range(1, 8)):
        raise Invalid("a week has at least one business day, 1 (Monday) to 7", field="/weekdays")
    await tx.execute(
        "insert into business_week (hospital, since, made_at, weekdays, made_by) values (%s, %s, %s, %s, %s)",
        [tx.hospital, since, now, "".join(map(str, sorted(set(weekdays)))), by],
    )
    await outbox.put(tx, TOPIC, since.isoformat())
