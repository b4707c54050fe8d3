"""Adding durations to dates and times, and the boundaries of what a partial one may mean.

hl7.org/fhirpath/N1/#datetime-arithmetic; lowBoundary, highBoundary and precision as hl7.org/fhirpath/ has them.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Final

from domain.errors import Invalid
from domain.fhirpath.quantities import CALENDAR, Quantity
from domain.fhirpath.temporal import DAY, EAST, HOUR, MINUTE, MONTH, SECOND, WEST, YEAR, Temporal

# UCUM's units of definite length. `a` and `mo` are means (365.25 and 30.4375 days): a calendar cannot add them.
_DEFINITE: Final = {
    "wk": "week",
    "d": "day",
    "h": "hour",
    "min": "minute",
    "s": "second",
    "ms": "millisecond",
}
_MICROSECONDS: Final = {
    "week": 7 * 86_400_000_000,
    "day": 86_400_000_000,
    "hour": 3_600_000_000,
    "minute": 60_000_000,
    "second": 1_000_000,
    "millisecond": 1_000,
}
_LENGTH_OF_PRECISION: Final = {DAY: "day", HOUR: "hour", MINUTE: "minute"}
_FARTHEST: Final = 10**15
"""No calendar holds more of any unit; beyond it the numbers would only cost time."""


def add(value: Temporal, duration: Quantity, sign: int) -> Temporal | None:
    """`value` plus or minus a duration; None beyond the calendar's ends. Raises Invalid for what is no duration.

    Decimals of the duration are cut off: 7.7 days are 7 days, and so they are in HL7's own cases for seconds.
    """
    unit = _unit(duration)
    if abs(duration.value) > _FARTHEST:
        return None
    amount = int(duration.value.to_integral_value(ROUND_DOWN)) * sign
    if value.kind == "Time":
        return _on_the_clock(value, amount, unit)
    if unit in ("year", "month"):
        return _by_months(value, amount * (12 if unit == "year" else 1))
    if value.precision < DAY:
        days = int(Decimal(amount * _MICROSECONDS[unit] / 86_400_000_000).to_integral_value(ROUND_DOWN))
        return _by_months(value, int(days / 365) * 12 if value.precision == YEAR else int(days / 30))
    return _by_length(value, amount * _MICROSECONDS[unit])


def _unit(duration: Quantity) -> str:
    unit = duration.unit if duration.calendar else (_DEFINITE.get(duration.unit) or CALENDAR.get(duration.unit))
    if unit is None:
        raise Invalid("FHIRPath: only a duration of definite length can be added to a date or time")
    return unit


def _by_months(value: Temporal, months: int) -> Temporal | None:
    parts = list(value.parts)
    if value.precision == YEAR:
        months = int(months / 12) * 12
    year, month = divmod(parts[0] * 12 + (parts[1] if value.precision >= MONTH else 1) - 1 + months, 12)
    if not 1 <= year <= 9999:
        return None
    parts[0] = year
    if value.precision >= MONTH:
        parts[1] = month + 1
    if value.precision >= DAY:
        parts[2] = min(parts[2], monthrange(year, month + 1)[1])
    return Temporal(value.kind, tuple(parts), value.fraction, value.offset)


def _by_length(value: Temporal, microseconds: int) -> Temporal | None:
    if value.precision < SECOND:
        # Less than the precision of the value does not show: 2015-01-31 plus 30 hours is 2015-02-01.
        unit = _MICROSECONDS[_LENGTH_OF_PRECISION[value.precision]]
        microseconds = int(microseconds / unit) * unit
    start = value.moment() + timedelta(microseconds=int(value.fraction[:6].ljust(6, "0")))
    try:
        moved = start + timedelta(microseconds=microseconds)
    except OverflowError:
        return None
    fraction = value.fraction
    if value.precision == SECOND and (fraction or moved.microsecond):
        shown = max(len(fraction), 3 if moved.microsecond else 0)
        fraction = f"{moved.microsecond:06}"[:shown] + value.fraction[6:]
    return Temporal(value.kind, moved.timetuple()[: value.precision], fraction, value.offset)


def _on_the_clock(value: Temporal, amount: int, unit: str) -> Temporal | None:
    if unit not in ("hour", "minute", "second", "millisecond"):
        raise Invalid("FHIRPath: days and longer cannot be added to a time of day")
    moved = _by_length(value, amount * _MICROSECONDS[unit] % _MICROSECONDS["day"])
    if moved is None:
        return None
    return Temporal("Time", (*value.parts[:3], *moved.parts[3:]), moved.fraction)


def boundary(value: Temporal, digits: int | None, *, high: bool) -> Temporal | None:
    """The first or last moment that `value` may mean, to so many digits; None where there is no such precision."""
    if value.kind == "Time":
        return _clock_boundary(value, 9 if digits is None else digits, high=high)
    wanted = digits if digits is not None else (8 if value.kind == "Date" else 17)
    if wanted not in (4, 6, 8, 10, 12, 14, 17):
        return None
    parts = list(value.parts)
    if len(parts) == HOUR:
        parts.append(0)  # FHIR has no hours without minutes: 08 stands for 08:00
    filled = _filled(parts, high=high)
    kind = value.kind if wanted <= 8 else "DateTime"
    shown = min((wanted - 2) // 2, SECOND)
    if shown < value.precision:
        return Temporal(kind, value.parts[:shown])
    fraction = (value.fraction or ("999" if high else "000")).ljust(3, "9" if high else "0")[:3] if wanted == 17 else ""
    offset = value.offset if value.offset is not None or shown < HOUR else (WEST if high else EAST)
    return Temporal(kind, filled[:shown], fraction, offset if shown >= HOUR else None)


def _clock_boundary(value: Temporal, digits: int, *, high: bool) -> Temporal | None:
    if digits not in (2, 4, 6, 9):
        return None
    shown = 3 + min(digits // 2, 3)
    fraction = (value.fraction or ("999" if high else "000")).ljust(3, "9" if high else "0")[:3] if digits == 9 else ""
    return Temporal("Time", _filled(list(value.parts), high=high)[:shown], fraction)


def _filled(parts: list[int], *, high: bool) -> tuple[int, ...]:
    while len(parts) < SECOND:
        position = len(parts)
        if not high:
            parts.append(1 if position < DAY else 0)
        elif position == DAY - 1:
            parts.append(monthrange(parts[0], parts[1])[1])
        else:
            parts.append({MONTH - 1: 12, HOUR - 1: 23, MINUTE - 1: 59, SECOND - 1: 59}[position])
    return tuple(parts)
