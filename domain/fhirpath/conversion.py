"""From one of the language's types to another: what toInteger(), toDate() and their kin read.

hl7.org/fhirpath/N1/#conversion. None where the value does not convert.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from domain.fhirpath.model import Value
from domain.fhirpath.numbers import fits
from domain.fhirpath.quantities import Quantity, parse_quantity
from domain.fhirpath.temporal import DAY, Temporal, parse_date, parse_datetime, parse_time

_INTEGER: Final = re.compile(r"[+-]?\d{1,10}", re.ASCII)
_DECIMAL: Final = re.compile(r"[+-]?\d{1,400}(\.\d{1,400})?", re.ASCII)
_TRUE: Final = frozenset({"true", "t", "yes", "y", "1", "1.0"})
_FALSE: Final = frozenset({"false", "f", "no", "n", "0", "0.0"})


def to_boolean(value: Value) -> bool | None:
    if isinstance(value, bool):
        return value
    if isinstance(value, int | Decimal):
        return bool(value) if value in (0, 1) else None
    if isinstance(value, str):
        word = value.lower()
        return True if word in _TRUE else (False if word in _FALSE else None)
    return None


def to_integer(value: Value) -> int | None:
    if isinstance(value, int):
        return int(value)  # a boolean too: 1 or 0
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return fits(int(value))
    return None


def to_decimal(value: Value) -> Decimal | None:
    if isinstance(value, int | Decimal):
        return Decimal(value)
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        return Decimal(value)
    return None


def to_string(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def to_date(value: Value) -> Temporal | None:
    if isinstance(value, str):
        value = parse_datetime(value) or value
    if isinstance(value, Temporal) and value.kind != "Time":
        return parse_date(str(Temporal("Date", value.parts[:DAY])))
    return None


def to_datetime(value: Value) -> Temporal | None:
    if isinstance(value, str):
        return parse_datetime(value)
    if isinstance(value, Temporal) and value.kind != "Time":
        return Temporal("DateTime", value.parts, value.fraction, value.offset)
    return None


def to_time(value: Value) -> Temporal | None:
    if isinstance(value, str):
        return parse_time(value)
    return value if isinstance(value, Temporal) and value.kind == "Time" else None


def to_quantity(value: Value) -> Quantity | None:
    if isinstance(value, Quantity):
        return value
    if isinstance(value, bool):
        return Quantity(Decimal(1 if value else 0).quantize(Decimal("1.0")))
    if isinstance(value, int | Decimal):
        return Quantity(Decimal(value))
    return parse_quantity(value) if isinstance(value, str) else None


CONVERSIONS: Final[Mapping[str, Callable[[Value], Value | None]]] = MappingProxyType(
    {
        "Boolean": to_boolean,
        "Integer": to_integer,
        "Decimal": to_decimal,
        "String": to_string,
        "Date": to_date,
        "DateTime": to_datetime,
        "Time": to_time,
        "Quantity": to_quantity,
    }
)
