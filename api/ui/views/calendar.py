"""The hospital's days: a year of holidays with where they come from, and what the hospital entered itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from api.ui.words import Language, Words
from domain.business_days import Calendar, HolidayKind, known_years, source
from store.people.calendars import OwnDay

_WEEKDAYS = range(1, 8)
_MONDAY = date(2026, 11, 23)


@dataclass(frozen=True)
class DayRow:
    """id: of an own entry, which can be ended."""

    day: str
    name: str
    kind: str
    closed: bool
    past: bool
    id: str = ""


@dataclass(frozen=True)
class CalendarView:
    """unknown: a sentence where a year's public holidays are not known."""

    key: str
    year: int
    rows: tuple[DayRow, ...]
    week: str
    source: str
    unknown: str
    next_business: str
    may_change: bool
    weekdays: tuple[tuple[int, str, bool], ...]
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


def calendar_view(
    words: Words,
    known: Calendar,
    own: Sequence[OwnDay],
    *,
    year: int,
    today: date,
    key: str,
    may_change: bool,
    values: Mapping[str, str] | None = None,
    wrong: frozenset[str] = frozenset(),
) -> CalendarView:
    _ = words.gettext
    ids = {each.day: str(each.id) for each in own}
    days = [date(year, 1, 1) + timedelta(days=each) for each in range(366)]
    rows = []
    for day in days:
        special = known.holiday(day)
        if day.year == year and special is not None:
            name = special.ko if words.language is Language.KO else special.en
            kind = _kind(words, special.kind)
            rows.append(DayRow(words.short_day(day), name, kind, special.closed, day < today, ids.get(day, "")))
    business = known.weekdays(today)
    unknown = ""
    if year not in known_years():
        unknown = _("The public holidays of {year} are not known yet: enter them as days of your own.").format(
            year=year
        )
    sentences = {
        "day": _("Give a day."),
        "ko": _("Give the name in Korean."),
        "en": _("Give the name in English."),
        "taken": _("This day has an entry of yours: end it first."),
        "weekdays": _("Choose at least one day."),
    }
    return CalendarView(
        key=key,
        year=year,
        rows=tuple(rows),
        week=", ".join(_weekday(words, each) for each in sorted(business)),
        source=source(),
        unknown=unknown,
        next_business=words.short_day(known.after(today, 1)),
        may_change=may_change,
        weekdays=tuple((each, _weekday(words, each), each in business) for each in _WEEKDAYS),
        values=values or {},
        errors={name: sentences.get(name, sentences["day"]) for name in sorted(wrong)},
    )


def _kind(words: Words, kind: HolidayKind) -> str:
    _ = words.gettext
    return {
        HolidayKind.PUBLIC: _("public holiday"),
        HolidayKind.SUBSTITUTE: _("substitute holiday"),
        HolidayKind.TEMPORARY: _("temporary holiday"),
        HolidayKind.OWN: _("our own"),
    }[kind]


def _weekday(words: Words, number: int) -> str:
    return words.weekday(_MONDAY + timedelta(days=number - 1))
