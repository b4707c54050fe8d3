"""Values as JavaScript takes them where JSONLogic leaves types open: as a number, as text, as true or false, as a path.

Source: ECMA-262, 7.1.4 ToNumber, 6.1.6.1.20 Number::toString, 7.1.17 ToString, as jsonlogic.com's reference relies on
them. An empty list is false, which is JSONLogic's own.
"""

from __future__ import annotations

import math
import re
from typing import Any, Final

from rules.plain.errors import no_number

NOT_THERE: Final = object()
_DECIMAL: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_RADIX: Final = re.compile(r"0(?:[xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)")
_INDEX: Final = re.compile(r"0|[1-9]\d{0,15}")
_EXACT: Final = 2**53


def truthy(value: Any) -> bool:
    """null, false, 0, "" and the empty list are false; "0" and {} are true."""
    return bool(value) or isinstance(value, dict)


def number(value: Any, operator: str) -> float:
    """A number, a text that holds one, true as 1, false and null as 0; NaN for other texts. Raises NoResult for lists
    and objects."""
    match value:
        case None:
            return 0.0
        case int() | float():
            return _double(value)
        case str():
            return _read(value.strip())
    raise no_number(operator)


def counted(value: float, operator: str) -> int | float:
    """A result: whole where it is. Raises NoResult for what is no number or no longer finite."""
    if not math.isfinite(value):
        raise no_number(operator)
    return int(value) if value.is_integer() and abs(value) <= _EXACT else value


def text(value: Any) -> str:
    """As it stands in a text: a list by its items with commas, null as nothing within one."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return _number_text(_double(value))
        case str():
            return value
        case list():
            return ",".join("" if item is None else text(item) for item in value)
    return "[object Object]"


def found(value: Any, path: str) -> Any:
    """What stands at a dotted path, or NOT_THERE."""
    for part in path.split("."):
        value = member(value, part)
        if value is NOT_THERE:
            break
    return value


def member(value: Any, name: str) -> Any:
    """A member of an object, an item of a list, a letter of a text, the length of either; or NOT_THERE."""
    if isinstance(value, dict):
        return value.get(name, NOT_THERE)
    if isinstance(value, list | str):
        if name == "length":
            return len(value) if isinstance(value, list) else len(units(value))
        if _INDEX.fullmatch(name):
            items = value if isinstance(value, list) else [joined([unit]) for unit in units(value)]
            return items[int(name)] if int(name) < len(items) else NOT_THERE
    return NOT_THERE


def same(left: Any, right: Any) -> bool:
    """As `===`: equal and of one kind; a list or an object is the same as itself only."""
    if isinstance(left, list | dict) or isinstance(right, list | dict):
        return left is right
    if isinstance(left, bool) or isinstance(right, bool) or left is None or right is None:
        return left is right
    return isinstance(left, str) == isinstance(right, str) and bool(left == right)


def units(value: str) -> list[bytes]:
    """A text's UTF-16 code units, which JavaScript counts: two for what lies beyond the basic plane."""
    written = value.encode("utf-16-be", "surrogatepass")
    return [written[place : place + 2] for place in range(0, len(written), 2)]


def joined(parts: list[bytes]) -> str:
    return b"".join(parts).decode("utf-16-be", "surrogatepass")


def _double(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.copysign(math.inf, value)


def _read(written: str) -> float:
    if not written:
        return 0.0
    if _DECIMAL.fullmatch(written):
        return float(written)
    if _RADIX.fullmatch(written):
        return float(int(written, 0))
    return math.nan


def _number_text(value: float) -> str:
    """The shortest text that reads back, with an exponent only outside of 1e-7 … 1e21."""
    if value == 0:
        return "0"
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    sign = "-" if value < 0 else ""
    digits, _, exponent = f"{abs(value)!r}".partition("e")
    whole, _, fraction = digits.partition(".")
    fraction = "" if fraction == "0" else fraction
    point = len(whole) + int(exponent or 0)
    figures = (whole + fraction).lstrip("0")
    point -= len(whole + fraction) - len(figures)
    figures = figures.rstrip("0")
    if len(figures) <= point <= 21:
        return sign + figures + "0" * (point - len(figures))
    if 0 < point <= 21:
        return f"{sign}{figures[:point]}.{figures[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{figures}"
    rest = f".{figures[1:]}" if len(figures) > 1 else ""
    return f"{sign}{figures[0]}{rest}e{'+' if point > 0 else '-'}{abs(point - 1)}"
