"""A number with its unit, as FHIRPath calculates with it. The units themselves are in `domain/ucum.py`.

hl7.org/fhirpath/N1/#quantity: a unit is UCUM's, in quotes, or a duration of the calendar, without. A calendar's month
is no definite number of days, so `1 month = 1 'mo'` is neither true nor false.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from domain import ucum
from domain.fhirpath.numbers import exact, rounded_alike

CALENDAR: Final = {
    name + plural: name
    for name in ("year", "month", "week", "day", "hour", "minute", "second", "millisecond")
    for plural in ("", "s")
}
_UCUM_OF_CALENDAR: Final = {
    "year": "a",
    "month": "mo",
    "week": "wk",
    "day": "d",
    "hour": "h",
    "minute": "min",
    "second": "s",
    "millisecond": "ms",
}
_INDEFINITE: Final = frozenset({"year", "month"})
_TEXT: Final = re.compile(r"([+-]?\d{1,400}(?:\.\d{1,400})?)\s*(?:'([^']+)'|([a-z]+))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Quantity:
    """`unit` is a UCUM code, or with `calendar` the singular of a calendar's duration."""

    value: Decimal
    unit: str = "1"
    calendar: bool = False

    def __str__(self) -> str:
        if self.calendar:
            return f"{self.value:f} {self.unit}{'' if self.value == 1 else 's'}"
        return f"{self.value:f} '{self.unit}'"

    @property
    def ucum_unit(self) -> str:
        return _UCUM_OF_CALENDAR[self.unit] if self.calendar else self.unit


def parse_quantity(text: str) -> Quantity | None:
    """What toQuantity() reads: `4`, `4 'mg'`, `4 days`; None for anything else."""
    match = _TEXT.fullmatch(text)
    if match is None:
        return None
    number, unit, duration = match.groups()
    if duration is not None:
        return Quantity(Decimal(number), CALENDAR[duration], calendar=True) if duration in CALENDAR else None
    return Quantity(Decimal(number), unit or "1")


def _alike(left: Quantity, right: Quantity) -> tuple[Decimal, Decimal] | None:
    """Both values in one unit, or None where the units do not measure the same thing."""
    if left.unit == right.unit and left.calendar == right.calendar:
        return left.value, right.value
    one, other = ucum.canonical(left.value, left.ucum_unit), ucum.canonical(right.value, right.ucum_unit)
    if one is None or other is None or one.dimension != other.dimension:
        return None
    return one.value, other.value


def _undecidable(left: Quantity, right: Quantity) -> bool:
    """A calendar's year or month beside a definite duration."""
    if left.calendar and right.calendar:
        return left.unit != right.unit and (left.unit in _INDEFINITE) != (right.unit in _INDEFINITE)
    return (left.calendar and left.unit in _INDEFINITE) or (right.calendar and right.unit in _INDEFINITE)


def order(left: Quantity, right: Quantity) -> int | None:
    """-1, 0 or 1; None where the two cannot be compared."""
    if _undecidable(left, right):
        return None
    pair = _alike(left, right)
    if pair is None:
        return None
    one, other = pair
    return (one > other) - (one < other)


def equal(left: Quantity, right: Quantity) -> bool | None:
    """None where a calendar's duration meets a definite one; units of different things are simply not equal."""
    if _undecidable(left, right):
        return None
    return order(left, right) == 0


def equivalent(left: Quantity, right: Quantity) -> bool:
    """Equal after rounding to the less precise of the two: 4 g and 4040 mg."""
    pair = _alike(left, right)
    return pair is not None and rounded_alike(*pair)


def comparable(left: Quantity, right: Quantity) -> bool:
    return _alike(left, right) is not None


def multiplied(left: Quantity, right: Quantity) -> Quantity | None:
    return _combined(left.value * right.value, left, right, ".")


def divided(left: Quantity, right: Quantity) -> Quantity | None:
    """None for a division by zero."""
    return _combined(exact(left.value / right.value), left, right, "/") if right.value else None


def _combined(value: Decimal, left: Quantity, right: Quantity, operator: str) -> Quantity | None:
    one, other = left.ucum_unit, right.ucum_unit
    if other == "1":
        return Quantity(value, one)
    if operator == "/" and one == other:
        return Quantity(value, "1")
    unit = f"({one}){operator}({other})" if one != "1" or operator == "/" else other
    return Quantity(value, unit) if ucum.parse(unit) is not None else None


def added(left: Quantity, right: Quantity, sign: int) -> Quantity | None:
    """The sum in the left one's unit; None where the two do not measure the same thing."""
    if left.unit == right.unit and left.calendar == right.calendar:
        return Quantity(left.value + sign * right.value, left.unit, left.calendar)
    if _undecidable(left, right):
        return None
    try:
        converted = ucum.convert(right.value, right.ucum_unit, left.ucum_unit)
    except InvalidOperation:
        return None
    return None if converted is None else Quantity(left.value + sign * converted, left.unit, left.calendar)
