"""Date, DateTime and Time of FHIRPath: values that know how precise they are, and whether they know their time zone.

hl7.org/fhirpath/N1/#date, #datetime, #time; comparison in #datetime-equality and #comparison. `@2015` is not the first
of January 2015: comparing it with a day gives neither true nor false.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final, Literal

Kind = Literal["Date", "DateTime", "Time"]

YEAR, MONTH, DAY, HOUR, MINUTE, SECOND = range(1, 7)
"""Precision of a date or date-time: how many of its parts are known. A fraction belongs to the second."""

_TEXT: Final = re.compile(
    r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?"
    r"(T(?:(\d{2})(?::(\d{2})(?::(\d{2})(?:\.(\d+))?)?)?(Z|[+-]\d{2}:\d{2})?)?)?",
    re.ASCII,
)
_CLOCK: Final = re.compile(r"T?(\d{2})(?::(\d{2})(?::(\d{2})(?:\.(\d+))?)?)?", re.ASCII)
_FIRST: Final = (1, 1, 1, 0, 0, 0)
_BASE_DAY: Final = (2000, 1, 1)  # a Time is kept as a date-time of this day, so that one comparison serves all
WEST, EAST = -12 * 60, 14 * 60
"""The outermost time zones, minutes: what a date-time without its zone may mean."""


@dataclass(frozen=True, slots=True)
class Temporal:
    """`parts`: year, month, day, hour, minute, second, as many as are known. `fraction`: digits of the second's
    decimals. `offset`: minutes east of UTC, None where unknown."""

    kind: Kind
    parts: tuple[int, ...]
    fraction: str = ""
    offset: int | None = None

    @staticmethod
    def literal(text: str, *, time: bool) -> Temporal | None:
        """A literal without its `@`. With a `T` it is a DateTime, however much follows."""
        return parse_time(text) if time else (parse_datetime(text) if "T" in text else parse_date(text))

    @property
    def precision(self) -> int:
        return len(self.parts)

    @property
    def digits(self) -> int:
        """Digits that are written, as precision() and the boundaries count: a year 4, a day 8, milliseconds 17."""
        written = 2 + 2 * len(self.parts) + len(self.fraction)
        return written - 8 if self.kind == "Time" else written

    def __str__(self) -> str:
        year, *rest = self.parts
        numbers = [f"{year:04}", *(f"{part:02}" for part in rest)]
        clock = ":".join(numbers[3:]) + (f".{self.fraction}" if self.fraction else "")
        if self.kind == "Time":
            return clock
        date = "-".join(numbers[:3])
        if self.kind == "Date":
            return date
        return f"{date}T{clock}{_zone(self.offset)}" if clock else date

    def moment(self) -> datetime:
        """The first moment it may mean, on its own clock."""
        year, month, day, hour, minute, second = (*self.parts, *_FIRST[len(self.parts) :])
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)

    def in_utc(self) -> Temporal | None:
        """The same on UTC's clock, to the same precision; None beyond the calendar's ends."""
        if not self.offset or self.precision < HOUR:
            return self
        try:
            moved = self.moment() - timedelta(minutes=self.offset)
        except OverflowError:
            return None
        return Temporal(self.kind, moved.timetuple()[: len(self.parts)], self.fraction, 0)

    @property
    def seconds(self) -> Decimal:
        """The last part with its decimals, as it is compared."""
        return Decimal(f"{self.parts[-1]}.{self.fraction}" if self.fraction else self.parts[-1])


def _zone(offset: int | None) -> str:
    if offset is None:
        return ""
    if offset == 0:
        return "Z"
    hours, minutes = divmod(abs(offset), 60)
    return f"{'-' if offset < 0 else '+'}{hours:02}:{minutes:02}"


def from_datetime(at: datetime) -> Temporal:
    """An aware datetime, to the millisecond, in its own zone."""
    offset = at.utcoffset()
    minutes = None if offset is None else int(offset.total_seconds()) // 60
    return Temporal("DateTime", at.timetuple()[:6], f"{at.microsecond // 1000:03}", minutes)


@lru_cache(maxsize=4096)
def parse_datetime(text: str) -> Temporal | None:
    """A date, a partial date-time or an instant as FHIR and FHIRPath write them; None where it is none."""
    match = _TEXT.fullmatch(text)
    if match is None:
        return None
    year, month, day, clock, hour, minute, second, fraction, zone = match.groups()
    if clock and hour and not day:
        return None
    offset = _offset(zone)
    if zone and offset is None:
        return None
    return _checked("DateTime", (year, month, day, hour, minute, second), fraction, offset)


@lru_cache(maxsize=4096)
def parse_date(text: str) -> Temporal | None:
    match = _TEXT.fullmatch(text)
    if match is None or match.group(4):
        return None
    return _checked("Date", match.group(1, 2, 3), None, None)


@lru_cache(maxsize=1024)
def parse_time(text: str) -> Temporal | None:
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    hour, minute, second, fraction = match.groups()
    return _checked("Time", ("2000", "01", "01", hour, minute, second), fraction, None)


def _checked(kind: Kind, parts: tuple[str | None, ...], fraction: str | None, offset: int | None) -> Temporal | None:
    made = Temporal(kind, tuple(int(part) for part in parts if part is not None), fraction or "", offset)
    try:
        # Second 60 is a leap second in FHIR's regular expression of dateTime; no clock of ours shows it.
        made.moment()
    except ValueError:
        return None
    return made


def _offset(zone: str | None) -> int | None:
    if zone is None:
        return None
    if zone == "Z":
        return 0
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    if hours > 14 or minutes > 59:
        return None
    return (hours * 60 + minutes) * (-1 if zone[0] == "-" else 1)


def order(left: Temporal, right: Temporal) -> int | None:
    """-1, 0 or 1; None where precision or an unknown zone leaves it open. Both are times, or neither is."""
    if (left.offset is None) != (right.offset is None) and max(left.precision, right.precision) >= HOUR:
        return _order_of_spans(left, right)
    one, other = left.in_utc(), right.in_utc()
    if one is None or other is None:
        return None
    for number, (mine, theirs) in enumerate(zip(one.parts, other.parts, strict=False), start=1):
        if mine != theirs:
            return -1 if mine < theirs else 1
        if number == SECOND and one.seconds != other.seconds:
            return -1 if one.seconds < other.seconds else 1
    return 0 if one.precision == other.precision else None


def _order_of_spans(left: Temporal, right: Temporal) -> int | None:
    """One of the two does not know its zone: decided only where every zone gives the same answer."""
    try:
        (left_from, left_to), (right_from, right_to) = _span(left), _span(right)
    except OverflowError:
        return None
    if left_to < right_from:
        return -1
    return 1 if left_from > right_to else None


def _span(value: Temporal) -> tuple[datetime, datetime]:
    first = value.moment()
    last = first + _LENGTH[value.precision]
    if value.offset is not None:
        away = timedelta(minutes=value.offset)
        return first - away, last - away
    return first - timedelta(minutes=EAST), last - timedelta(minutes=WEST)


# What is left open by each precision, never less than it is: a month may have 31 days.
_LENGTH: Final = {
    YEAR: timedelta(days=366),
    MONTH: timedelta(days=31),
    DAY: timedelta(days=1),
    HOUR: timedelta(hours=1),
    MINUTE: timedelta(minutes=1),
    SECOND: timedelta(seconds=1),
}
