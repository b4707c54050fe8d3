"""Who is on duty: a position at a place and a moment comes to people. Pure; the store supplies what is entered.

A position that nobody holds passes upwards, step by step, and says so: it never comes to nobody in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from types import MappingProxyType
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.business_days import Calendar
from domain.errors import Invalid
from domain.ids import Reference
from domain.roles import Role

ZONE = ZoneInfo("Asia/Seoul")
"""The wall clock that shifts are written in."""

LONGEST_DUTY = timedelta(days=31)


class DutyPosition(StrEnum):
    """What somebody is at a moment, by roster: ladders climb these and not roles."""

    RESIDENT_ON_CALL = "resident-on-call"
    ATTENDING = "attending"
    DUTY_CHIEF = "duty-chief"
    COVERING_PHYSICIAN = "covering-physician"
    WARD_SUPERVISOR = "ward-supervisor"
    NIGHT_SUPERVISOR = "night-supervisor"
    DUTY_DIRECTOR = "duty-director"
    PHARMACY_LEAD = "pharmacy-lead"
    CLAIMS_LEAD = "claims-lead"


ABOVE: Mapping[DutyPosition, DutyPosition | None] = MappingProxyType(
    {
        DutyPosition.RESIDENT_ON_CALL: DutyPosition.ATTENDING,
        DutyPosition.COVERING_PHYSICIAN: DutyPosition.ATTENDING,
        DutyPosition.ATTENDING: DutyPosition.DUTY_CHIEF,
        DutyPosition.DUTY_CHIEF: DutyPosition.DUTY_DIRECTOR,
        DutyPosition.WARD_SUPERVISOR: DutyPosition.NIGHT_SUPERVISOR,
        DutyPosition.NIGHT_SUPERVISOR: DutyPosition.DUTY_DIRECTOR,
        DutyPosition.PHARMACY_LEAD: DutyPosition.DUTY_DIRECTOR,
        DutyPosition.CLAIMS_LEAD: DutyPosition.DUTY_DIRECTOR,
        DutyPosition.DUTY_DIRECTOR: None,
    }
)
"""Where a vacant position passes to, until a hospital says otherwise."""

_PHYSICIANS = frozenset({Role.PHYSICIAN, Role.PATHOLOGIST, Role.RADIOLOGIST})
_NURSING = frozenset({Role.NURSE, Role.CHARGE_NURSE, Role.WARD_MANAGER})

FITTING: Mapping[DutyPosition, frozenset[Role]] = MappingProxyType(
    {
        DutyPosition.RESIDENT_ON_CALL: _PHYSICIANS,
        DutyPosition.ATTENDING: _PHYSICIANS,
        DutyPosition.DUTY_CHIEF: _PHYSICIANS,
        DutyPosition.COVERING_PHYSICIAN: _PHYSICIANS,
        DutyPosition.WARD_SUPERVISOR: frozenset({Role.CHARGE_NURSE, Role.WARD_MANAGER}),
        DutyPosition.NIGHT_SUPERVISOR: _NURSING,
        DutyPosition.DUTY_DIRECTOR: frozenset({Role.PHYSICIAN, Role.WARD_MANAGER, Role.ADMINISTRATOR}),
        DutyPosition.PHARMACY_LEAD: frozenset({Role.PHARMACIST}),
        DutyPosition.CLAIMS_LEAD: frozenset({Role.CLAIM_REVIEWER, Role.CODER}),
    }
)
"""Roles, one of which a person must hold to hold a position: whose licence has ended does not hold it any more."""

NOBODY_LEFT: Mapping[DutyPosition, Role] = MappingProxyType(
    {
        DutyPosition.RESIDENT_ON_CALL: Role.PHYSICIAN,
        DutyPosition.ATTENDING: Role.PHYSICIAN,
        DutyPosition.DUTY_CHIEF: Role.PHYSICIAN,
        DutyPosition.COVERING_PHYSICIAN: Role.PHYSICIAN,
        DutyPosition.WARD_SUPERVISOR: Role.WARD_MANAGER,
        DutyPosition.NIGHT_SUPERVISOR: Role.WARD_MANAGER,
        DutyPosition.DUTY_DIRECTOR: Role.WARD_MANAGER,
        DutyPosition.PHARMACY_LEAD: Role.PHARMACIST,
        DutyPosition.CLAIMS_LEAD: Role.CLAIM_REVIEWER,
    }
)
"""Whose worklist shows a task where a ladder's whole height is vacant: work is never on nobody's list."""


def role_or_position(code: str) -> Role | DutyPosition:
    """Whom a rule names. Rules of the first release named roles. Raises ValueError for neither."""
    return DutyPosition(code) if code in set(DutyPosition) else Role(code)


class AbsenceReason(StrEnum):
    LEAVE = "leave"
    SICK = "sick"
    TRAINING = "training"
    DUTY_ELSEWHERE = "duty-elsewhere"
    OTHER = "other"


@dataclass(frozen=True)
class Duty:
    """Somebody holds a position from `since` until `until`. place: None for the whole hospital."""

    id: UUID
    position: DutyPosition
    place: Reference | None
    account: str
    since: datetime
    until: datetime

    def at(self, moment: datetime) -> bool:
        return self.since <= moment < self.until


@dataclass(frozen=True)
class Absence:
    """substitute: who stands in; None where nobody was named."""

    account: str
    since: datetime
    until: datetime
    substitute: str | None

    def at(self, moment: datetime) -> bool:
        return self.since <= moment < self.until


@dataclass(frozen=True)
class OnDuty:
    """A person who holds a position at a moment. instead_of: whose duty it is by the roster."""

    account: str
    position: DutyPosition
    place: Reference | None
    until: datetime
    instead_of: str | None = None


@dataclass(frozen=True)
class Resolution:
    """What was asked, and who it comes to. vacant: positions that nobody held, from the asked one upwards."""

    asked: DutyPosition
    place: Reference | None
    moment: datetime
    people: tuple[OnDuty, ...]
    vacant: tuple[DutyPosition, ...]

    @property
    def position(self) -> DutyPosition | None:
        """The position that answers; None where everything up to the top is vacant."""
        return self.people[0].position if self.people else None


def resolve(
    asked: DutyPosition,
    places: Sequence[Reference | None],
    moment: datetime,
    *,
    duties: Iterable[Duty],
    absences: Iterable[Absence] = (),
    above: Mapping[DutyPosition, DutyPosition | None] = ABOVE,
    may_hold: Mapping[str, frozenset[Role]] | None = None,
    but: frozenset[str] = frozenset(),
) -> Resolution:
    """Who holds `asked` at the first of `places` where somebody does, or else the position above it, and so on.

    places: the narrowest first, such as ward, department, None for the hospital.  may_hold: the roles that each account
    may act in now; without it nobody is left out.  but: people who do not count, because they were called already.
    """
    held = [duty for duty in duties if duty.at(moment)]
    away = {each.account: each for each in absences if each.at(moment)}
    vacant: list[DutyPosition] = []
    position: DutyPosition | None = asked
    while position is not None and position not in vacant:
        for place in places:
            found = _present(
                [duty for duty in held if duty.position is position and duty.place == place], away, may_hold, but
            )
            if found:
                return Resolution(asked, places[0] if places else None, moment, found, tuple(vacant))
        vacant.append(position)
        position = above.get(position)
    return Resolution(asked, places[0] if places else None, moment, (), tuple(vacant))


def _present(
    duties: Sequence[Duty],
    away: Mapping[str, Absence],
    may_hold: Mapping[str, frozenset[Role]] | None,
    but: frozenset[str],
) -> tuple[OnDuty, ...]:
    found: dict[str, OnDuty] = {}
    for duty in sorted(duties, key=lambda each: (each.since, each.account)):
        who = _standing_in(duty.account, away)
        if who is None or who in but or who in found:
            continue
        if may_hold is not None and may_hold.get(who, frozenset()).isdisjoint(FITTING[duty.position]):
            continue
        found[who] = OnDuty(who, duty.position, duty.place, duty.until, duty.account if who != duty.account else None)
    return tuple(found.values())


def _standing_in(account: str, away: Mapping[str, Absence]) -> str | None:
    """The person, or who stands in, or who stands in for that one; None where all of them are away."""
    seen: set[str] = set()
    who: str | None = account
    while who is not None and who in away:
        if who in seen:
            return None
        seen.add(who)
        who = away[who].substitute
    return who


class Days(StrEnum):
    """On which days something is needed."""

    ALL = "all"
    BUSINESS = "business"
    OTHER = "other"  # weekends and holidays


@dataclass(frozen=True)
class Need:
    """A place needs somebody in a position, on such days from `starts` to `ends` by the wall clock.

    ends at or before starts: on the next day, so 00:00 to 00:00 is the whole day.  since, until: days on which it
    holds, `until` not included.
    """

    id: UUID
    position: DutyPosition
    place: Reference | None
    days: Days
    starts: time
    ends: time
    since: date
    until: date | None = None

    def spans(self, first: date, last: date, calendar: Calendar) -> Iterable[tuple[datetime, datetime]]:
        """What it asks for between two days, both included."""
        day = max(first, self.since)
        while day <= last and (self.until is None or day < self.until):
            if self.days is Days.ALL or calendar.is_business(day) is (self.days is Days.BUSINESS):
                yield span(day, self.starts, self.ends)
            day += timedelta(days=1)


@dataclass(frozen=True)
class Gap:
    """Nobody holds what is needed from `since` until `until`. passes_to: who is asked instead, None for nobody."""

    need: Need
    since: datetime
    until: datetime
    passes_to: DutyPosition | None


def span(day: date, starts: time, ends: time) -> tuple[datetime, datetime]:
    """From a wall clock on a day to the next such clock; instants with their zone."""
    since = datetime.combine(day, starts, ZONE)
    until = datetime.combine(day if ends > starts else day + timedelta(days=1), ends, ZONE)
    return since, until


def gaps(
    needs: Iterable[Need],
    first: date,
    last: date,
    calendar: Calendar,
    *,
    duties: Sequence[Duty],
    absences: Sequence[Absence] = (),
    above: Mapping[DutyPosition, DutyPosition | None] = ABOVE,
) -> list[Gap]:
    """Where a needed position is held by nobody who is there, earliest first. Both days are included."""
    found: list[Gap] = []
    for need in needs:
        own = [each for each in duties if each.position is need.position and each.place == need.place]
        for since, until in need.spans(first, last, calendar):
            found += [Gap(need, a, b, above.get(need.position)) for a, b in _uncovered(since, until, own, absences)]
    return sorted(found, key=lambda each: (each.since, each.need.position, each.need.place or ""))


def _uncovered(
    since: datetime, until: datetime, duties: Sequence[Duty], absences: Sequence[Absence]
) -> list[tuple[datetime, datetime]]:
    """Moments at which something begins or ends cut the time; each piece is covered whole or not at all."""
    edges = {since, until}
    for spans in ([(each.since, each.until) for each in duties], [(each.since, each.until) for each in absences]):
        edges |= {edge for pair in spans for edge in pair if since < edge < until}
    cuts = sorted(edges)
    open_: list[tuple[datetime, datetime]] = []
    for begin, end in pairwise(cuts):
        away = {each.account: each for each in absences if each.at(begin)}
        if not any(duty.at(begin) and _standing_in(duty.account, away) for duty in duties):
            if open_ and open_[-1][1] == begin:
                open_[-1] = (open_[-1][0], end)
            else:
                open_.append((begin, end))
    return open_


def refuse_period(since: datetime, until: datetime) -> None:
    """Raises Invalid for a duty that ends before it begins, or lasts longer than anybody's duty does."""
    if until <= since:
        raise Invalid("it ends after it begins", field="/until")
    if until - since > LONGEST_DUTY:
        raise Invalid("no duty lasts longer than a month: enter it in parts", field="/until")
