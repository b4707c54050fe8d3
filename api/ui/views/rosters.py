"""A week of a roster: positions by day, who holds them, and in red where nobody is, with what follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from api.ui.views.duty import position_name
from api.ui.views.stays import Choice
from api.ui.words import ZONE, Language, Words
from domain.business_days import Calendar
from domain.duty import Days, DutyPosition, Gap, span
from store.people.alarms import Alarm
from store.people.credentials import May
from store.people.needs import Need
from store.people.rosters import Away, Entered

_WEEK = 7


@dataclass(frozen=True)
class Person:
    """One duty on a day. text: from when to when.  away: who stands in, or that nobody does; empty while there."""

    id: str
    name: str
    text: str
    away: str = ""
    uncovered: bool = False


@dataclass(frozen=True)
class Cell:
    """gaps: a sentence each."""

    people: tuple[Person, ...]
    gaps: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    position: str
    code: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Column:
    iso: str
    text: str
    holiday: str
    today: bool
    business: bool


@dataclass(frozen=True)
class NeedRow:
    id: str
    text: str


@dataclass(frozen=True)
class AlarmRow:
    text: str
    times: int


@dataclass(frozen=True)
class RosterView:
    """values, errors: of the form that was sent; `form` says which."""

    key: str
    place: str
    place_text: str
    places: tuple[Choice, ...]
    week: str
    before: str
    after: str
    span: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    needs: tuple[NeedRow, ...]
    alarms: tuple[AlarmRow, ...]
    gaps: str
    positions: tuple[Choice, ...]
    people: tuple[Choice, ...]
    days: tuple[Choice, ...]
    may_change: bool
    form: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RosterFacts:
    """duties, needs, gaps: of `place` only.  places, people: names by reference and account."""

    monday: date
    place: str
    places: Mapping[str, str]
    people: Mapping[str, str]
    accounts: Mapping[str, May]
    calendar: Calendar
    duties: Sequence[Entered]
    absences: Sequence[Away]
    needs: Sequence[Need]
    gaps: Sequence[Gap]
    alarms: Sequence[Alarm]
    now: datetime


@dataclass(frozen=True)
class Sent:
    """A form as it was sent, with the names of its wrong fields."""

    form: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    wrong: frozenset[str] = frozenset()


def roster_view(words: Words, facts: RosterFacts, *, key: str, may_change: bool, sent: Sent) -> RosterView:
    _ = words.gettext
    days = [facts.monday + timedelta(days=each) for each in range(_WEEK)]
    used = {each.position for each in facts.duties} | {each.position for each in facts.needs}
    shown = [each for each in DutyPosition if each in used]
    whole = _("The whole hospital")
    names = {"": whole, **facts.places}
    today = facts.now.astimezone(ZONE).date()
    return RosterView(
        key=key,
        place=facts.place,
        place_text=names.get(facts.place, facts.place),
        places=tuple(Choice(reference, name) for reference, name in names.items()),
        week=facts.monday.isoformat(),
        before=(facts.monday - timedelta(days=_WEEK)).isoformat(),
        after=(facts.monday + timedelta(days=_WEEK)).isoformat(),
        span=f"{_short(words, days[0])} – {_short(words, days[-1])}",
        columns=tuple(_column(words, facts, day, today) for day in days),
        rows=tuple(
            Row(position_name(words, each), each.value, tuple(_cell(words, facts, each, day) for day in days))
            for each in shown
        ),
        needs=tuple(NeedRow(str(each.id), _need(words, each)) for each in facts.needs),
        alarms=tuple(AlarmRow(_alarm(words, facts, names, each), each.times) for each in facts.alarms),
        gaps=words.ngettext("{count} gap this week", "{count} gaps this week", len(facts.gaps)).format(
            count=len(facts.gaps)
        )
        if facts.gaps
        else "",
        positions=tuple(Choice(each.value, position_name(words, each)) for each in DutyPosition),
        people=tuple(
            Choice(name, facts.people.get(name, name))
            for name, each in sorted(facts.accounts.items())
            if not each.disabled
        ),
        days=tuple(Choice(each.value, _days(words, each)) for each in Days),
        may_change=may_change,
        form=sent.form,
        values=sent.values or {"since_day": max(today, facts.monday).isoformat(), "starts": "18:00", "ends": "08:00"},
        errors={name: _wrong(words, name) for name in sorted(sent.wrong)},
    )


def _column(words: Words, facts: RosterFacts, day: date, today: date) -> Column:
    special = facts.calendar.holiday(day)
    holiday = "" if special is None else special.ko if words.language is Language.KO else special.en
    return Column(day.isoformat(), _short(words, day), holiday, day == today, facts.calendar.is_business(day))


def _cell(words: Words, facts: RosterFacts, position: DutyPosition, day: date) -> Cell:
    """A duty and a gap stand on the day on which they begin, or on the first day of the week."""
    first = day == facts.monday

    def here(since: datetime) -> bool:
        begins = since.astimezone(ZONE).date()
        return begins == day or (first and begins < day)

    people = [_person(words, facts, each) for each in facts.duties if each.position is position and here(each.since)]
    gaps = [_gap(words, each) for each in facts.gaps if each.need.position is position and here(each.since)]
    return Cell(tuple(people), tuple(gaps))


def _person(words: Words, facts: RosterFacts, entered: Entered) -> Person:
    _ = words.gettext
    duty = entered.duty
    absent = [
        each.absence
        for each in facts.absences
        if each.account == duty.account and each.absence.since < duty.until and each.absence.until > duty.since
    ]
    away = ""
    if absent:
        who = absent[0].substitute
        away = (
            _("away; {person} stands in").format(person=facts.people.get(who, who))
            if who
            else _("away; nobody stands in")
        )
    return Person(
        str(entered.id),
        facts.people.get(duty.account, duty.account),
        f"{_time(words, duty.since)}–{_time(words, duty.until)}",
        away,
        bool(absent) and absent[0].substitute is None,
    )


def _gap(words: Words, gap: Gap) -> str:
    _ = words.gettext
    said = f"{_time(words, gap.since)}–{_time(words, gap.until)}"
    if gap.passes_to is None:
        return _("{span}: nobody. Calls reach no one.").format(span=said)
    return _("{span}: nobody. Calls go to the {position}.").format(
        span=said, position=position_name(words, gap.passes_to)
    )


def _need(words: Words, need: Need) -> str:
    starts, ends = (f"{each:%H:%M}" for each in (need.starts, need.ends))
    return f"{position_name(words, need.position)} · {_days(words, need.days)} · {starts}–{ends}"


def _days(words: Words, days: Days) -> str:
    _ = words.gettext
    return {
        Days.ALL: _("every day"),
        Days.BUSINESS: _("business days"),
        Days.OTHER: _("weekends and holidays"),
    }[days]


def _alarm(words: Words, facts: RosterFacts, names: Mapping[str, str], alarm: Alarm) -> str:
    _ = words.gettext
    who, _space, place = alarm.subject.partition(" ")
    if who in set(DutyPosition):
        position = position_name(words, DutyPosition(who))
        return _("{place}: nobody was {position} when somebody was needed.").format(
            place=names.get(place, place), position=position
        )
    person = facts.people.get(alarm.subject, alarm.subject)
    if alarm.kind == "no-contact":
        return _("{person} was called and has no pager or telephone entered.").format(person=person)
    return _("{person} was called and not reached in any way.").format(person=person)


def _wrong(words: Words, name: str) -> str:
    _ = words.gettext
    return {
        "account": _("Choose somebody who may hold this position, with a valid licence."),
        "position": _("Choose a position."),
        "since_day": _("Give a day."),
        "starts": _("Give a time."),
        "ends": _("Give a time."),
        "until": _("It ends after it begins, within a month."),
        "days": _("Choose on which days."),
        "twice": _("The person is on duty there at that time already."),
        "place": _("Choose a place of this hospital."),
    }.get(name, _("This is not right."))


def _time(words: Words, instant: datetime) -> str:
    return f"{instant.astimezone(ZONE):%H:%M}"


def _short(words: Words, day: date) -> str:
    return words.short_day(day)


def week_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def bounds(monday: date) -> tuple[datetime, datetime]:
    """From the first moment of the week to its last."""
    midnight = datetime.min.time()
    return span(monday, midnight, midnight)[0], span(monday + timedelta(days=_WEEK - 1), midnight, midnight)[1]
