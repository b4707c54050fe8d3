"""People and their duty. What somebody entered is never changed: it ends, and something else begins. Hospital time."""

from __future__ import annotations

from datetime import date, datetime, time
from uuid import UUID

from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field

from store.tables.base import Code, Codes, HospitalTable, Instant, Json, counter


class Credential(HospitalTable, table=True):
    """What licences and posts allow, beside the resources that say so. `kind`: licence or post."""

    source: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True)
    kind: str = Field(sa_type=Code)
    practitioner: str = Field(sa_type=Code)
    roles: list[str] = Field(sa_type=Codes)
    places: list[str] = Field(sa_type=Codes)
    since: datetime | None = Field(default=None, sa_type=Instant)
    until: datetime | None = Field(default=None, sa_type=Instant)

    __table_args__ = (Index("credential_of", "hospital", "practitioner"),)


class Duty(HospitalTable, table=True):
    """Somebody holds a position. `place`: a reference, empty for the whole hospital."""

    id: UUID = Field(primary_key=True)
    position: str = Field(sa_type=Code)
    place: str = Field(sa_type=Code)
    account: str = Field(sa_type=Code)
    since: datetime = Field(sa_type=Instant)
    until: datetime = Field(sa_type=Instant)
    made_at: datetime = Field(sa_type=Instant)
    made_by: str = Field(sa_type=Code)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    ended_by: str | None = Field(default=None, sa_type=Code)

    __table_args__ = (
        Index("duty_held", "hospital", "position", "until"),
        Index("duty_of", "hospital", "account", "until"),
    )


class DutyNeed(HospitalTable, table=True):
    """A place needs somebody in a position on such days, by the wall clock."""

    id: UUID = Field(primary_key=True)
    position: str = Field(sa_type=Code)
    place: str = Field(sa_type=Code)
    days: str = Field(sa_type=Code)
    starts: time
    ends: time
    since: date
    until: date | None = None
    made_at: datetime = Field(sa_type=Instant)
    made_by: str = Field(sa_type=Code)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    ended_by: str | None = Field(default=None, sa_type=Code)


class DutyAbove(HospitalTable, table=True):
    """Where a vacant position passes to, where a hospital says otherwise than P-HIS. Empty: to nobody."""

    position: str = Field(primary_key=True, sa_type=Code)
    made_at: datetime = Field(primary_key=True, sa_type=Instant)
    above: str = Field(sa_type=Code)
    made_by: str = Field(sa_type=Code)


class Absence(HospitalTable, table=True):
    """Somebody is away, and perhaps somebody stands in."""

    id: UUID = Field(primary_key=True)
    account: str = Field(sa_type=Code)
    since: datetime = Field(sa_type=Instant)
    until: datetime = Field(sa_type=Instant)
    reason: str = Field(sa_type=Code)
    substitute: str | None = Field(default=None, sa_type=Code)
    made_at: datetime = Field(sa_type=Instant)
    made_by: str = Field(sa_type=Code)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    ended_by: str | None = Field(default=None, sa_type=Code)

    __table_args__ = (Index("absence_now", "hospital", "until"),)


class Holiday(HospitalTable, table=True):
    """A hospital's own entry for a day. `closed` false: it works although others do not."""

    id: UUID = Field(primary_key=True)
    day: date
    ko: str
    en: str
    closed: bool
    made_at: datetime = Field(sa_type=Instant)
    made_by: str = Field(sa_type=Code)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    ended_by: str | None = Field(default=None, sa_type=Code)

    __table_args__ = (Index("holiday_day", "hospital", "day", unique=True, postgresql_where=text("ended_at is null")),)


class BusinessWeek(HospitalTable, table=True):
    """ISO weekdays of ordinary business from a day on, such as `12345`. Of one day's entries the latest stands."""

    since: date = Field(primary_key=True)
    made_at: datetime = Field(primary_key=True, sa_type=Instant)
    weekdays: str = Field(sa_type=Code)
    made_by: str = Field(sa_type=Code)


class Contact(HospitalTable, table=True):
    """A way to reach somebody. `address`: sealed. `quiet_*`: wall clock within which only stat is sent."""

    id: UUID = Field(primary_key=True)
    account: str = Field(sa_type=Code)
    kind: str = Field(sa_type=Code)
    rank: int
    key_id: str = Field(sa_type=Code)
    address: bytes
    quiet_from: time | None = None
    quiet_until: time | None = None
    made_at: datetime = Field(sa_type=Instant)
    made_by: str = Field(sa_type=Code)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)
    ended_by: str | None = Field(default=None, sa_type=Code)

    __table_args__ = (Index("contact_of", "hospital", "account", postgresql_where=text("ended_at is null")),)


class Notice(HospitalTable, table=True):
    """A message to one person: its own outbox row, so that nothing is lost. `params`: references and codes only.

    step: what it belongs to within `subject`'s process; unique with the person, so that a second run sends nothing.
    next_at, leased_until: real time.
    """

    id: UUID = Field(primary_key=True)
    source: str = Field(sa_type=Code)
    step: str = Field(sa_type=Code)
    account: str = Field(sa_type=Code)
    kind: str = Field(sa_type=Code)
    params: dict[str, str] = Field(sa_type=Json)
    urgency: str = Field(sa_type=Code)
    made_at: datetime = Field(sa_type=Instant)
    state: str = Field(sa_type=Code)
    contact: UUID | None = None
    attempts: int
    sent_at: datetime | None = Field(default=None, sa_type=Instant)
    delivered_at: datetime | None = Field(default=None, sa_type=Instant)
    acknowledged_at: datetime | None = Field(default=None, sa_type=Instant)
    acknowledged_how: str | None = Field(default=None, sa_type=Code)
    next_at: datetime | None = Field(default=None, sa_type=Instant)
    turn: int
    leased_until: datetime | None = Field(default=None, sa_type=Instant)

    __table_args__ = (
        Index("notice_once", "hospital", "source", "step", "account", unique=True),
        Index("notice_due", "hospital", "next_at", postgresql_where=text("next_at is not null")),
        Index("notice_to", "hospital", "account", "made_at"),
    )


class NoticeEvent(HospitalTable, table=True):
    """What happened to a message, in order. `what`: sent, delivered, acknowledged, wrong-number …"""

    notice: UUID = Field(primary_key=True)
    number: int = counter()
    at: datetime = Field(sa_type=Instant)
    what: str = Field(sa_type=Code)
    contact: UUID | None = None


class SetupAlarm(HospitalTable, table=True):
    """Something that set-up lacks was needed. `subject`: e.g. `night-supervisor Location/ward-51`."""

    kind: str = Field(primary_key=True, sa_type=Code)
    subject: str = Field(primary_key=True, sa_type=Code)
    first_at: datetime = Field(sa_type=Instant)
    last_at: datetime = Field(sa_type=Instant)
    times: int = Field(sa_type=BigInteger)
    cleared_at: datetime | None = Field(default=None, sa_type=Instant)
    cleared_by: str | None = Field(default=None, sa_type=Code)
