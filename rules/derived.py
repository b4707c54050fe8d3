"""Facts that are worked out before a rule is asked: ages, lengths, counts. Typed, and the same for everybody.

A rule compares; it does not count days. What is counted here may not be argued about: how old somebody is, how many
midnights a stay has. `VERSION` is kept with every decision beside the dictionary's, and rises when a meaning changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta

from domain.errors import RuleUnusable

VERSION = "1"

SATURDAY = 5


def age(born: date, on: date) -> int:
    """Completed years (만 나이). Somebody born on 29 February is a year older on 1 March of other years.

    Raises RuleUnusable before birth. Source: Korea, Civil Act, articles 158 and 160 (in force since 2023-06-28).
    """
    _after(born, on)
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def age_days(born: date, on: date) -> int:
    """Days of life, 0 on the day of birth. Raises RuleUnusable before birth."""
    _after(born, on)
    return (on - born).days


def days_between(earlier: date, later: date) -> int:
    """Calendar days from one to the other; negative when they are the other way round."""
    return (later - earlier).days


def minutes_between(earlier: datetime, later: datetime) -> int:
    """Whole minutes, cut towards zero. Both aware."""
    return int((later - earlier).total_seconds() / 60)


def length_of_stay(admitted: date, left: date) -> int:
    """Midnights spent (재원일수 by nights), 0 for a day case. Raises RuleUnusable when it ends before it begins."""
    _after(admitted, left)
    return (left - admitted).days


def benefit_days(admitted: date, left: date) -> int:
    """Days that are charged: the first and the last day both count (입원일수 of a claim)."""
    return length_of_stay(admitted, left) + 1


def months_touched(first: date, last: date) -> int:
    """Calendar months that a span reaches into, 1 within a month. Raises RuleUnusable when it ends before it begins."""
    _after(first, last)
    return (last.year - first.year) * 12 + last.month - first.month + 1


def business_days(after: date, until: date, holidays: Collection[date], *, saturdays: bool = False) -> int:
    """Working days after the one and up to and including the other; the day itself does not count.

    saturdays: whether the hospital works on Saturdays. Raises RuleUnusable when `until` is earlier.
    """
    _after(after, until)
    days = (after + timedelta(days=number) for number in range(1, (until - after).days + 1))
    return sum(_works(day, holidays, saturdays) for day in days)


def business_day_after(day: date, count: int, holidays: Collection[date], *, saturdays: bool = False) -> date:
    """The `count`-th working day after a day; the next working day for 1.

    Raises RuleUnusable for a count below 1 or a calendar without working days.
    """
    if count < 1:
        raise RuleUnusable("working days are counted from 1")
    here = day
    for _ in range(366 * (count + 1)):
        here += timedelta(days=1)
        count -= _works(here, holidays, saturdays)
        if count == 0:
            return here
    raise RuleUnusable("the calendar has no working days")


def package_rate(days: int, lower: int, upper: int) -> int:
    """Percent of a package that a stay has earned, whole, cut down.

    100 within the group's usual range of days and above it; in proportion below `lower`, a day at least counting as
    one. What lies beyond `upper` is charged by `outlier_days`. Raises RuleUnusable for an impossible range.
    """
    if not 1 <= lower <= upper or days < 0:
        raise RuleUnusable("a package's range of days begins at 1 and does not end before")
    return 100 if days >= lower else 100 * max(days, 1) // lower


def outlier_days(days: int, upper: int) -> int:
    """Days beyond a package's upper limit."""
    return max(days - upper, 0)


def change_percent(before: float, now: float) -> float | None:
    """How far a value is from the last one, in percent of it, without sign; None when the last one was zero."""
    return None if before == 0 else abs(now - before) / abs(before) * 100


def sampling_number(key: str) -> int:
    """0 to 99, the same for the same key and even over many: a sample that nobody can steer and all can repeat."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % 100


CHARLSON: Mapping[str, int] = {
    "myocardial-infarction": 1,
    "cerebrovascular": 1,
    "peripheral-vascular": 1,
    "diabetes": 1,
    "heart-failure": 2,
    "diabetes-with-damage": 2,
    "chronic-pulmonary": 2,
    "mild-liver-or-renal": 2,
    "any-tumour": 2,
    "dementia": 3,
    "connective-tissue": 3,
    "hiv": 4,
    "severe-liver-or-renal": 4,
    "metastatic-tumour": 6,
}
"""Points of a condition as LACE counts them: van Walraven 2010, table of the comorbidity item."""

_IMPLIED = {
    "diabetes": "diabetes-with-damage",
    "mild-liver-or-renal": "severe-liver-or-renal",
    "any-tumour": "metastatic-tumour",
}


def comorbidity(conditions: Collection[str]) -> int:
    """Charlson points as LACE uses them, each condition once, and of two stages of one disease the graver alone.

    Raises RuleUnusable for a condition that has no points.
    """
    known = set(conditions)
    if strangers := known - CHARLSON.keys():
        raise RuleUnusable(f"no points for {', '.join(sorted(strangers))}")
    return sum(CHARLSON[name] for name in known if _IMPLIED.get(name) not in known)


def _works(day: date, holidays: Collection[date], saturdays: bool) -> bool:
    last = SATURDAY if saturdays else SATURDAY - 1
    return day.weekday() <= last and day not in holidays


def _after(earlier: date, later: date) -> None:
    if later < earlier:
        raise RuleUnusable("it ends before it begins")
