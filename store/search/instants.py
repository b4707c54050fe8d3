"""FHIR dates as the time that they may mean (https://hl7.org/fhir/R4/search.html#date)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

BEFORE_ALL = "-infinity"
AFTER_ALL = "infinity"

_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII
)

# A date without a zone is meant where the hospital is; Korea has one zone and no summer time.
HOSPITAL_ZONE = timezone(timedelta(hours=9))


def span(text: str) -> tuple[datetime, datetime] | None:
    """`[low, high)` of a date, dateTime or instant, by its precision; None for anything else.

    "2026" is a year, "2026-11-23T08:30" a minute, "2026-11-23T08:30:05.1Z" a tenth of a second.
    """
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        low = datetime(  # noqa: DTZ001  # its zone is added below
            int(year),
            int(month or 1),
            int(day or 1),
            int(hour or 0),
            int(minute or 0),
            min(int(second or 0), 59),  # a leap second
            int((fraction or "0")[:6].ljust(6, "0")),
        )
        low = low.replace(tzinfo=_zone(zone))
        return low.astimezone(UTC), _end(low, month, day, hour, second, fraction).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _zone(zone: str | None) -> timezone:
    if zone is None:
        return HOSPITAL_ZONE
    if zone == "Z":
        return UTC
    sign = -1 if zone[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6])))


def _end(low: datetime, *parts: str | None) -> datetime:
    month, day, hour, second, fraction = parts
    if month is None:
        return low.replace(year=low.year + 1)
    if day is None:
        return low.replace(year=low.year + low.month // 12, month=low.month % 12 + 1)
    if hour is None:
        return low + timedelta(days=1)
    if second is None:
        return low + timedelta(minutes=1)
    return low + timedelta(microseconds=10 ** max(0, 6 - len(fraction or "")))


def bounds(value: Any) -> tuple[str, str] | None:
    """`[low, high)` of a date, Period or Timing as PostgreSQL reads it, open ends infinite; None without a time."""
    if isinstance(value, str):
        found = span(value)
        return (found[0].isoformat(), found[1].isoformat()) if found else None
    if not isinstance(value, dict):
        return None
    if "event" in value or "repeat" in value:
        return _timing(value)
    start, end = span(str(value.get("start", ""))), span(str(value.get("end", "")))
    if start is None and end is None:
        return None
    return start[0].isoformat() if start else BEFORE_ALL, end[1].isoformat() if end else AFTER_ALL


def _timing(value: dict[str, Any]) -> tuple[str, str] | None:
    """From the first to the last event, or the bounds of the repetition: its outer limits, as R4 asks."""
    events = [found for each in value.get("event") or () if (found := span(str(each)))]
    if events:
        return min(low for low, _ in events).isoformat(), max(high for _, high in events).isoformat()
    repeat = value.get("repeat")
    period = repeat.get("boundsPeriod") if isinstance(repeat, dict) else None
    return bounds(period) if isinstance(period, dict) else None
