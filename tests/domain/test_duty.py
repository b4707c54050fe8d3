"""A position at a place and a moment comes to people: by roster, place and substitution, upwards where vacant."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

import pytest

from domain.business_days import Calendar
from domain.duty import (
    ABOVE,
    NOBODY_LEFT,
    ZONE,
    Absence,
    Days,
    Duty,
    DutyPosition,
    Need,
    Resolution,
    gaps,
    refuse_period,
    resolve,
    span,
)
from domain.errors import Invalid
from domain.ids import Reference
from domain.roles import Role

WARD, OTHER = Reference("Location/ward-51"), Reference("Location/ward-61")
DEPARTMENT = Reference("Organization/im")
AT = datetime(2026, 11, 24, 18, 0, tzinfo=UTC)  # 03:00 in Seoul
NIGHT = (AT - timedelta(hours=5), AT + timedelta(hours=4))
RESIDENT, ATTENDING, CHIEF = DutyPosition.RESIDENT_ON_CALL, DutyPosition.ATTENDING, DutyPosition.DUTY_CHIEF


def duty(account: str, position: DutyPosition = RESIDENT, place: Reference | None = WARD, of: object = None) -> Duty:
    since, until = NIGHT if of is None else of  # type: ignore[misc]
    return Duty(UUID(int=abs(hash((account, position, place)))), position, place, account, since, until)


def away(account: str, substitute: str | None = None) -> Absence:
    return Absence(account, AT - timedelta(days=1), AT + timedelta(days=1), substitute)


def asked(*duties: Duty, absences: tuple[Absence, ...] = (), but: frozenset[str] = frozenset()) -> Resolution:
    return resolve(RESIDENT, [WARD, DEPARTMENT, None], AT, duties=duties, absences=absences, but=but)


def people(found: Resolution) -> list[str]:
    return [each.account for each in found.people]


def test_the_roster_says_who_is_on_duty() -> None:
    found = asked(duty("kim"), duty("lee", place=OTHER), duty("park", ATTENDING))
    assert people(found) == ["kim"]
    assert found.position is RESIDENT
    assert found.vacant == ()


def test_a_duty_begins_at_its_first_moment_and_ends_before_its_last() -> None:
    assert people(asked(duty("kim", of=(AT, AT + timedelta(hours=1))))) == ["kim"]
    assert people(asked(duty("kim", of=(AT - timedelta(hours=1), AT)))) == []


def test_the_narrowest_place_answers() -> None:
    assert people(asked(duty("far", place=None), duty("dept", place=DEPARTMENT))) == ["dept"]
    assert people(asked(duty("far", place=None), duty("near"))) == ["near"]


def test_two_on_duty_are_both_reached_in_the_order_in_which_they_began() -> None:
    early = (NIGHT[0] - timedelta(hours=1), NIGHT[1])
    assert people(asked(duty("b"), duty("a", of=early))) == ["a", "b"]


def test_a_vacant_position_passes_upwards_and_says_so() -> None:
    found = asked(duty("chief", CHIEF, None))
    assert people(found) == ["chief"]
    assert found.position is CHIEF
    assert found.vacant == (RESIDENT, ATTENDING)


def test_nobody_at_all_is_said_and_not_guessed() -> None:
    found = asked()
    assert found.people == ()
    assert found.position is None
    assert found.vacant == (RESIDENT, ATTENDING, CHIEF, DutyPosition.DUTY_DIRECTOR)


def test_a_substitute_stands_in_and_so_does_the_substitutes_substitute() -> None:
    found = asked(duty("kim"), absences=(away("kim", "lee"), away("lee", "park")))
    assert [(each.account, each.instead_of) for each in found.people] == [("park", "kim")]


def test_two_who_stand_in_for_each_other_are_both_away() -> None:
    found = asked(duty("kim"), duty("boss", ATTENDING), absences=(away("kim", "lee"), away("lee", "kim")))
    assert people(found) == ["boss"]
    assert found.vacant == (RESIDENT,)


def test_an_absence_without_a_substitute_leaves_the_position_vacant() -> None:
    assert asked(duty("kim"), absences=(away("kim"),)).vacant[0] is RESIDENT


def test_whose_roles_do_not_fit_any_more_does_not_hold_the_position() -> None:
    held = {"kim": frozenset({Role.NURSE}), "boss": frozenset({Role.PHYSICIAN})}
    found = resolve(RESIDENT, [WARD], AT, duties=[duty("kim"), duty("boss", ATTENDING)], may_hold=held)
    assert people(found) == ["boss"]


def test_who_was_called_already_is_not_called_again_and_the_ladder_moves_on() -> None:
    found = asked(duty("kim"), duty("kim", ATTENDING), duty("lee", CHIEF), but=frozenset({"kim"}))
    assert people(found) == ["lee"]
    assert found.vacant == (RESIDENT, ATTENDING)


def test_a_hospital_that_passes_in_circles_still_ends() -> None:
    circle: dict[DutyPosition, DutyPosition | None] = {RESIDENT: ATTENDING, ATTENDING: RESIDENT}
    found = resolve(RESIDENT, [WARD], AT, duties=[], above=circle)
    assert found.vacant == (RESIDENT, ATTENDING)


def test_every_position_passes_to_the_top_and_has_a_list_at_last() -> None:
    assert set(ABOVE) == set(NOBODY_LEFT) == set(DutyPosition)
    for position in DutyPosition:
        assert resolve(position, [None], AT, duties=[]).vacant[-1] is DutyPosition.DUTY_DIRECTOR


def need(days: Days, starts: time, ends: time) -> Need:
    return Need(UUID(int=1), RESIDENT, WARD, days, starts, ends, date(2026, 1, 1))


def test_a_night_is_needed_until_the_morning_after() -> None:
    since, until = span(date(2026, 11, 24), time(18), time(8))
    assert until - since == timedelta(hours=14)
    assert since == datetime(2026, 11, 24, 18, 0, tzinfo=ZONE)


def test_gaps_are_what_nobody_covers_exactly() -> None:
    night = need(Days.ALL, time(18), time(8))
    evening = duty("kim", of=span(date(2026, 11, 24), time(18), time(23)))
    morning = duty("lee", of=span(date(2026, 11, 25), time(6), time(9)))
    found = gaps([night], date(2026, 11, 24), date(2026, 11, 24), Calendar(), duties=[evening, morning])
    assert [(gap.since.astimezone(ZONE).hour, gap.until.astimezone(ZONE).hour) for gap in found] == [(23, 6)]
    assert found[0].passes_to is ATTENDING


def test_an_absence_opens_a_gap_and_a_substitute_closes_it() -> None:
    day = need(Days.ALL, time(8), time(18))
    held = duty("kim", of=span(date(2026, 11, 24), time(8), time(18)))
    noon = span(date(2026, 11, 24), time(12), time(18))
    alone = Absence("kim", *noon, None)
    covered = Absence("kim", *noon, "lee")
    one = date(2026, 11, 24)
    assert len(gaps([day], one, one, Calendar(), duties=[held], absences=[alone])) == 1
    assert gaps([day], one, one, Calendar(), duties=[held], absences=[covered]) == []


def test_business_days_and_other_days_are_needed_apart() -> None:
    monday, sunday = date(2026, 11, 23), date(2026, 11, 29)
    business = gaps([need(Days.BUSINESS, time(8), time(18))], monday, sunday, Calendar(), duties=[])
    other = gaps([need(Days.OTHER, time(8), time(18))], monday, sunday, Calendar(), duties=[])
    assert (len(business), len(other)) == (5, 2)


@pytest.mark.parametrize("length", [timedelta(), timedelta(hours=-1), timedelta(days=32)])
def test_a_duty_of_no_length_or_of_a_month_is_refused(length: timedelta) -> None:
    with pytest.raises(Invalid):
        refuse_period(AT, AT + length)
