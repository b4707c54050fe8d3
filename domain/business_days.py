"""The days on which a hospital does its ordinary business: its week, public holidays, and days of its own.

Public holidays come with P-HIS for the years that `KNOWN_YEARS` names, with their source; a hospital's own entry for a
day stands above them, so a holiday that the government proclaims next month needs no new release.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType

from domain.errors import Invalid

_FILE = Path(__file__).parent / "public_holidays.json"

MONDAY_TO_FRIDAY = frozenset({1, 2, 3, 4, 5})
"""ISO weekdays: 1 is Monday."""

_FARTHEST = 3660  # days; nobody asks for a business day farther away than ten years


class HolidayKind(StrEnum):
    PUBLIC = "public"
    SUBSTITUTE = "substitute"  # 대체공휴일: a public holiday fell on a weekend or on another one
    TEMPORARY = "temporary"  # 임시공휴일, election days
    OWN = "own"  # the hospital's own, such as the day of its foundation


@dataclass(frozen=True)
class Holiday:
    """A day that differs from its weekday. closed: False where the hospital works although others do not."""

    day: date
    ko: str
    en: str
    kind: HolidayKind
    closed: bool = True


@dataclass(frozen=True)
class _Shipped:
    source: str
    years: frozenset[int]
    days: Mapping[date, Holiday]


@cache
def _shipped() -> _Shipped:
    told = json.loads(_FILE.read_text(encoding="utf-8"))
    days = (
        Holiday(date.fromisoformat(each["day"]), each["ko"], each["en"], HolidayKind(each["kind"]))
        for each in told["days"]
    )
    return _Shipped(told["source"], frozenset(told["years"]), MappingProxyType({each.day: each for each in days}))


def source() -> str:
    """Where the public holidays come from."""
    return _shipped().source


def known_years() -> frozenset[int]:
    """The years whose public holidays are known. Of others only a hospital's own entries are."""
    return _shipped().years


@dataclass(frozen=True)
class Calendar:
    """weeks: from a day on, the ISO weekdays of ordinary business, the earliest first.  own: entries that stand."""

    weeks: tuple[tuple[date, frozenset[int]], ...] = ()
    own: Mapping[date, Holiday] = field(default_factory=dict)

    def holiday(self, day: date) -> Holiday | None:
        """What is special about a day, whether the hospital is closed on it or not."""
        return self.own.get(day) or _shipped().days.get(day)

    def weekdays(self, day: date) -> frozenset[int]:
        """The week's business days as they are on that day."""
        found = MONDAY_TO_FRIDAY
        for since, weekdays in self.weeks:
            if since <= day:
                found = weekdays
        return found

    def is_business(self, day: date) -> bool:
        special = self.holiday(day)
        return not special.closed if special else day.isoweekday() in self.weekdays(day)

    def after(self, day: date, count: int) -> date:
        """The `count`-th business day after `day`; with 0 the day itself, or the next business day.

        Raises Invalid where no such day comes within ten years: a hospital whose week has no business day.
        """
        if count < 0:
            raise Invalid("count business days forwards", field="count")
        at, left = (day, 1) if count == 0 else (day + timedelta(days=1), count)
        for _ in range(_FARTHEST):
            left -= self.is_business(at)
            if left == 0:
                return at
            at += timedelta(days=1)
        raise Invalid("no business day comes: the week of this hospital has none", field="weekdays")

    def between(self, first: date, last: date) -> int:
        """Business days after `first` up to and with `last`."""
        return sum(self.is_business(first + timedelta(days=each)) for each in range(1, (last - first).days + 1))

    def unknown_years(self, days: Iterable[date]) -> frozenset[int]:
        """Years among these days of which no public holiday is known."""
        return frozenset(day.year for day in days) - known_years()
