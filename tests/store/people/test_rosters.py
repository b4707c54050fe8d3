"""Rosters in the store: seen by the next command, never overwritten, and each hospital's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from adapters.fhir import locations
from domain.business_days import HolidayKind
from domain.duty import AbsenceReason, Days, DutyPosition, Resolution
from domain.errors import Conflict, Invalid, NotFound
from domain.ids import Reference
from domain.roles import Role
from store import accounts, records
from store.database import Database, Transaction
from store.people import alarms, calendars, needs, rosters

AT = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
RESIDENT, ATTENDING = DutyPosition.RESIDENT_ON_CALL, DutyPosition.ATTENDING
WARD = Reference("Location/ward-51")
DEPARTMENT = Reference("Organization/im")
ONE, TWO = UUID(int=1), UUID(int=2)


@pytest.fixture
async def tx(database: Database, hospital: str, other_hospital: str) -> AsyncIterator[Transaction]:
    """A ward of a department, three physicians and a nurse; the same in another hospital, with nobody on duty."""
    for code in (hospital, other_hospital):
        async with database.transaction(code) as filling:
            await fill(filling)
    async with database.transaction(hospital) as opened:
        yield opened


async def fill(tx: Transaction) -> None:
    await records.create(tx, {"resourceType": "Organization", "name": "내과"}, id="im", now=AT)
    ward = locations.ward("51병동") | {"managingOrganization": {"reference": DEPARTMENT}}
    await records.create(tx, ward, id="ward-51", now=AT)
    for name, role in (("kim", Role.PHYSICIAN), ("lee", Role.PHYSICIAN), ("park", Role.PHYSICIAN), ("na", Role.NURSE)):
        await accounts.create_account(
            tx, name=f"{name}@x", display_ko=name, display_en=name, roles=[role], password_hash="x"
        )


async def enter(
    tx: Transaction,
    account: str,
    *,
    id_: UUID | None = None,
    position: DutyPosition = RESIDENT,
    place: Reference | None = WARD,
    since: datetime = AT - HOUR,
    until: datetime = AT + HOUR,
) -> None:
    await rosters.enter(
        tx,
        id_ or uuid4(),
        position=position,
        place=place,
        account=account,
        since=since,
        until=until,
        by="admin@x",
        now=AT,
    )


async def asked(tx: Transaction, moment: datetime = AT) -> Resolution:
    return await rosters.resolve(tx, RESIDENT, WARD, moment)


async def who(tx: Transaction, moment: datetime = AT) -> list[str]:
    return [each.account for each in (await asked(tx, moment)).people]


async def test_what_was_entered_is_seen_at_once_and_only_in_its_hospital(
    tx: Transaction, database: Database, hospital: str, other_hospital: str
) -> None:
    await enter(tx, "kim@x")
    assert await who(tx) == ["kim@x"]
    async with database.transaction(other_hospital) as other:
        assert await who(other) == []


async def test_the_department_answers_for_its_ward(tx: Transaction) -> None:
    await enter(tx, "lee@x", place=DEPARTMENT)
    assert await who(tx) == ["lee@x"]


async def test_a_withdrawn_duty_counted_until_it_was_withdrawn_and_stays_in_the_history(tx: Transaction) -> None:
    await enter(tx, "kim@x", id_=ONE)
    await rosters.end(tx, ONE, by="boss@x", now=AT)
    assert await who(tx, AT - timedelta(minutes=1)) == ["kim@x"]
    assert await who(tx, AT) == []
    (kept,) = await rosters.entered(tx, AT - HOUR, AT + HOUR)
    assert (kept.made_by, kept.ended_by, kept.stands) == ("admin@x", "boss@x", False)
    with pytest.raises(NotFound):
        await rosters.end(tx, ONE, by="boss@x", now=AT)


async def test_a_duty_withdrawn_before_it_began_never_counted(tx: Transaction) -> None:
    await enter(tx, "kim@x", id_=ONE, since=AT + HOUR, until=AT + 2 * HOUR)
    await rosters.end(tx, ONE, by="boss@x", now=AT)
    assert await rosters.entered(tx, AT, AT + 3 * HOUR) == []
    assert len(await rosters.entered(tx, AT, AT + 3 * HOUR, withdrawn=True)) == 1


async def test_the_application_cannot_change_what_was_entered(database: Database, hospital: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with database.transaction(hospital) as tx:
            await tx.one("update duty set account = 'other' returning 1")


@pytest.mark.parametrize(
    ("account", "position", "place", "field"),
    [
        ("na@x", RESIDENT, WARD, "/account"),  # a nurse is no resident
        ("nobody@x", RESIDENT, WARD, "/account"),
        ("kim@x", RESIDENT, Reference("Location/gone"), "/place"),
        ("kim@x", RESIDENT, Reference("Patient/p1"), "/place"),
    ],
)
async def test_a_duty_that_cannot_be_is_refused(
    tx: Transaction, account: str, position: DutyPosition, place: Reference, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await enter(tx, account, position=position, place=place)
    assert refused.value.params["field"] == field


async def test_the_same_person_is_not_entered_twice(tx: Transaction) -> None:
    await enter(tx, "kim@x")
    await enter(tx, "kim@x", since=AT + HOUR, until=AT + 2 * HOUR)  # right behind it is another duty
    with pytest.raises(Conflict):
        await enter(tx, "kim@x", since=AT, until=AT + 2 * HOUR)


async def test_a_closed_account_holds_nothing(tx: Transaction) -> None:
    await enter(tx, "kim@x")
    await enter(tx, "lee@x", position=ATTENDING)
    await accounts.disable(tx, "kim@x")
    assert await who(tx) == ["lee@x"]


async def test_an_absence_brings_the_substitute_until_the_person_is_back(tx: Transaction) -> None:
    await enter(tx, "kim@x")
    await rosters.leave(
        tx, ONE, account="kim@x", since=AT - HOUR, until=AT + HOUR, reason=AbsenceReason.SICK, substitute="lee@x",
        by="kim@x", now=AT - HOUR,
    )  # fmt: skip
    found = await asked(tx)
    assert [(each.account, each.instead_of) for each in found.people] == [("lee@x", "kim@x")]
    await rosters.return_(tx, ONE, by="kim@x", now=AT)
    assert await who(tx, AT + timedelta(minutes=1)) == ["kim@x"]
    with pytest.raises(NotFound):
        await rosters.return_(tx, ONE, by="kim@x", now=AT)


@pytest.mark.parametrize("substitute", ["kim@x", "nobody@x"])
async def test_only_a_colleague_stands_in(tx: Transaction, substitute: str) -> None:
    with pytest.raises(Invalid):
        await rosters.leave(
            tx, ONE, account="kim@x", since=AT, until=AT + HOUR, reason=AbsenceReason.LEAVE, substitute=substitute,
            by="kim@x", now=AT,
        )  # fmt: skip


async def test_a_hospital_says_where_a_vacant_position_passes_to(tx: Transaction) -> None:
    await enter(tx, "park@x", position=DutyPosition.DUTY_CHIEF, place=None)
    await enter(tx, "lee@x", position=ATTENDING)
    await rosters.set_above(tx, RESIDENT, DutyPosition.DUTY_CHIEF, by="admin@x", now=AT)
    assert await who(tx) == ["park@x"]
    with pytest.raises(Invalid):
        await rosters.set_above(tx, DutyPosition.DUTY_CHIEF, RESIDENT, by="admin@x", now=AT + HOUR)


async def test_a_need_shows_its_gaps_until_somebody_is_entered(tx: Transaction) -> None:
    day = date(2026, 11, 25)
    await needs.ask(
        tx, ONE, position=RESIDENT, place=WARD, days=Days.ALL, starts=time(18), ends=time(8), since=day, until=None,
        by="admin@x", now=AT,
    )  # fmt: skip
    assert len(await needs.gaps(tx, day, day)) == 1
    since, until = (datetime(2026, 11, 25, 9, tzinfo=UTC), datetime(2026, 11, 25, 23, tzinfo=UTC))
    await enter(tx, "kim@x", since=since, until=until)
    assert await needs.gaps(tx, day, day) == []
    await needs.end(tx, ONE, by="admin@x", now=AT)
    assert await needs.standing(tx) == []


async def test_an_alarm_about_a_vacant_position_ends_when_somebody_is_entered(tx: Transaction) -> None:
    subject = rosters.subject_of(RESIDENT, WARD)
    await alarms.set_off(tx, alarms.VACANT, subject, AT)
    await alarms.set_off(tx, alarms.VACANT, subject, AT + HOUR)
    (known,) = await alarms.standing(tx)
    assert (known.times, known.first_at, known.last_at) == (2, AT, AT + HOUR)
    await enter(tx, "kim@x")
    assert await alarms.standing(tx) == []
    await alarms.set_off(tx, alarms.VACANT, subject, AT + 2 * HOUR)
    assert [each.times for each in await alarms.standing(tx)] == [1]


async def test_the_calendar_is_the_hospitals_and_counts_at_once(tx: Transaction) -> None:
    day = date(2026, 11, 25)
    await calendars.enter_day(tx, ONE, day=day, ko="개원기념일", en="Foundation day", closed=True, by="a@x", now=AT)
    found = (await calendars.calendar(tx)).holiday(day)
    assert found is not None
    assert found.kind is HolidayKind.OWN
    with pytest.raises(Conflict):
        await calendars.enter_day(tx, TWO, day=day, ko="가", en="a", closed=True, by="a@x", now=AT)


async def test_a_week_and_a_days_end_are_seen_by_the_next_command(tx: Transaction) -> None:
    saturday = date(2026, 11, 28)
    assert not (await calendars.calendar(tx)).is_business(saturday)
    await calendars.set_week(tx, date(2026, 11, 1), [1, 2, 3, 4, 5, 6], by="a@x", now=AT)
    assert (await calendars.calendar(tx)).is_business(saturday)
    await calendars.enter_day(tx, ONE, day=saturday, ko="휴진", en="Closed", closed=True, by="a@x", now=AT)
    assert not (await calendars.calendar(tx)).is_business(saturday)
    await calendars.end_day(tx, ONE, by="a@x", now=AT)
    assert (await calendars.calendar(tx)).is_business(saturday)
    with pytest.raises(Invalid):
        await calendars.set_week(tx, saturday, [], by="a@x", now=AT)
