"""Business days of a hospital: its week, public holidays with their substitutes, and its own entries above them."""

from __future__ import annotations

from datetime import date

import pytest

from domain.business_days import Calendar, Holiday, HolidayKind, known_years, source
from domain.errors import Invalid

ORDINARY = Calendar()


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2026, 2, 17), HolidayKind.PUBLIC),  # Seollal
        (date(2026, 3, 2), HolidayKind.SUBSTITUTE),  # 1 March is a Sunday
        (date(2026, 5, 25), HolidayKind.SUBSTITUTE),  # Buddha's birthday is a Sunday
        (date(2026, 6, 3), HolidayKind.TEMPORARY),  # elections
        (date(2028, 10, 5), HolidayKind.SUBSTITUTE),  # Chuseok falls on 3 October
    ],
)
def test_a_public_holiday_is_no_business_day(day: date, kind: HolidayKind) -> None:
    found = ORDINARY.holiday(day)
    assert found is not None
    assert found.kind is kind
    assert not ORDINARY.is_business(day)


def test_chuseok_on_a_saturday_has_no_substitute() -> None:
    assert ORDINARY.holiday(date(2026, 9, 28)) is None
    assert ORDINARY.is_business(date(2026, 9, 28))


def test_the_holidays_say_where_they_come_from_and_for_which_years() -> None:
    assert "공휴일에 관한 규정" in source()
    assert known_years() == {2025, 2026, 2027, 2028}
    assert ORDINARY.unknown_years([date(2028, 1, 1), date(2031, 1, 1)]) == {2031}


def test_an_own_entry_stands_above_the_shipped_one() -> None:
    works = Holiday(date(2026, 8, 17), "정상 진료", "We work", HolidayKind.OWN, closed=False)
    founded = Holiday(date(2026, 8, 18), "개원기념일", "Foundation day", HolidayKind.OWN)
    own = Calendar(own={works.day: works, founded.day: founded})
    assert own.is_business(date(2026, 8, 17))
    assert not own.is_business(date(2026, 8, 18))


def test_a_week_holds_from_its_day_on() -> None:
    saturdays = Calendar(weeks=((date(2026, 11, 1), frozenset({1, 2, 3, 4, 5, 6})),))
    assert not saturdays.is_business(date(2026, 10, 31))
    assert saturdays.is_business(date(2026, 11, 7))


@pytest.mark.parametrize(
    ("day", "count", "found"),
    [
        (date(2026, 9, 23), 0, date(2026, 9, 23)),
        (date(2026, 9, 24), 0, date(2026, 9, 28)),  # Chuseok to Saturday, then a Sunday
        (date(2026, 9, 23), 1, date(2026, 9, 28)),
        (date(2026, 9, 23), 2, date(2026, 9, 29)),
        (date(2026, 9, 26), 3, date(2026, 9, 30)),
    ],
)
def test_business_days_are_counted_from_the_day_after(day: date, count: int, found: date) -> None:
    assert ORDINARY.after(day, count) == found
    assert ORDINARY.between(day, found) == max(count, int(found != day))


def test_a_week_without_business_days_is_refused_and_never_counted_for_ever() -> None:
    never = Calendar(weeks=((date(2000, 1, 1), frozenset()),))
    with pytest.raises(Invalid):
        never.after(date(2026, 1, 5), 1)
    with pytest.raises(Invalid):
        ORDINARY.after(date(2026, 1, 5), -1)
