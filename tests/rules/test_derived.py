"""What is counted before a rule is asked, on both sides of every edge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from domain.errors import RuleUnusable
from rules import derived


@pytest.mark.parametrize(
    ("born", "on", "years"),
    [
        (date(2000, 3, 15), date(2019, 3, 14), 18),
        (date(2000, 3, 15), date(2019, 3, 15), 19),
        (date(2000, 2, 29), date(2019, 2, 28), 18),
        (date(2000, 2, 29), date(2019, 3, 1), 19),
        (date(2000, 2, 29), date(2020, 2, 29), 20),
        (date(2026, 1, 1), date(2026, 1, 1), 0),
    ],
)
def test_a_year_is_completed_on_the_birthday(born: date, on: date, years: int) -> None:
    assert derived.age(born, on) == years


def test_days_of_life_and_of_a_stay() -> None:
    assert derived.age_days(date(2026, 2, 1), date(2026, 3, 1)) == 28
    assert [derived.length_of_stay(date(2026, 1, 31), date(2026, day_month, 1)) for day_month in (2, 3)] == [1, 29]
    assert derived.length_of_stay(date(2026, 1, 31), date(2026, 1, 31)) == 0
    assert derived.benefit_days(date(2026, 1, 31), date(2026, 1, 31)) == 1
    assert derived.days_between(date(2026, 1, 2), date(2026, 1, 1)) == -1


def test_months_that_a_stay_touches() -> None:
    assert derived.months_touched(date(2026, 1, 1), date(2026, 1, 31)) == 1
    assert derived.months_touched(date(2025, 12, 31), date(2026, 1, 1)) == 2
    assert derived.months_touched(date(2025, 12, 31), date(2026, 12, 1)) == 13


def test_minutes_are_whole_and_cut_towards_zero() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert derived.minutes_between(start, start.replace(minute=1, second=59)) == 1
    assert derived.minutes_between(start.replace(second=59), start) == 0


SEOLLAL = {date(2026, 2, 16), date(2026, 2, 17), date(2026, 2, 18)}


def test_business_days_leave_out_weekends_and_holidays() -> None:
    friday = date(2026, 2, 13)
    assert derived.business_days(friday, date(2026, 2, 18), SEOLLAL) == 0
    assert derived.business_days(friday, date(2026, 2, 19), SEOLLAL) == 1
    assert derived.business_days(friday, date(2026, 2, 19), SEOLLAL, saturdays=True) == 2
    assert derived.business_days(friday, friday, SEOLLAL) == 0
    assert derived.business_day_after(friday, 1, SEOLLAL) == date(2026, 2, 19)
    assert derived.business_day_after(friday, 1, SEOLLAL, saturdays=True) == date(2026, 2, 14)
    assert derived.business_day_after(friday, 3, SEOLLAL) == date(2026, 2, 23)


@pytest.mark.parametrize(
    ("days", "percent", "beyond"), [(0, 33, 0), (1, 33, 0), (2, 66, 0), (3, 100, 0), (9, 100, 0), (10, 100, 1)]
)
def test_a_package_is_earned_in_proportion_below_its_range(days: int, percent: int, beyond: int) -> None:
    assert (derived.package_rate(days, 3, 9), derived.outlier_days(days, 9)) == (percent, beyond)


def test_a_change_is_told_in_percent_of_the_last_value() -> None:
    assert derived.change_percent(4, 6) == 50
    assert derived.change_percent(-4, -2) == 50
    assert derived.change_percent(0, 6) is None


def test_a_sample_is_even_and_repeats() -> None:
    drawn = Counter(derived.sampling_number(f"statement-{number}") for number in range(20_000))
    assert set(drawn) == set(range(100))
    assert max(drawn.values()) < 300
    assert derived.sampling_number("statement-1") == derived.sampling_number("statement-1")


def test_the_graver_stage_of_a_disease_counts_alone() -> None:
    assert derived.comorbidity([]) == 0
    assert derived.comorbidity(["diabetes", "diabetes-with-damage"]) == 2
    assert derived.comorbidity(["any-tumour", "metastatic-tumour", "dementia"]) == 9
    assert derived.comorbidity(["heart-failure", "heart-failure"]) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: derived.age(date(2026, 1, 2), date(2026, 1, 1)),
        lambda: derived.age_days(date(2026, 1, 2), date(2026, 1, 1)),
        lambda: derived.length_of_stay(date(2026, 1, 2), date(2026, 1, 1)),
        lambda: derived.months_touched(date(2026, 2, 1), date(2026, 1, 1)),
        lambda: derived.business_days(date(2026, 1, 2), date(2026, 1, 1), ()),
        lambda: derived.business_day_after(date(2026, 1, 2), 0, ()),
        lambda: derived.business_day_after(date(2026, 1, 2), 1, {date.fromordinal(n) for n in range(739000, 741000)}),
        lambda: derived.package_rate(1, 0, 3),
        lambda: derived.package_rate(1, 4, 3),
        lambda: derived.comorbidity(["hiccups"]),
    ],
)
def test_what_cannot_be_counted_is_refused(wrong: Callable[[], Any]) -> None:
    with pytest.raises(RuleUnusable):
        wrong()
