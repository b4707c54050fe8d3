"""The operators of jsonlogic.com that take their arguments evaluated."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce
from typing import Any, Final

from rules.plain.errors import invalid, no_number
from rules.plain.values import counted, joined, number, same, text, truthy, units

_ORDERS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": lambda left, right: bool(left < right),
    "<=": lambda left, right: bool(left <= right),
    ">": lambda left, right: bool(left > right),
    ">=": lambda left, right: bool(left >= right),
}
COMPARED: Final = frozenset({*_ORDERS, "==", "!=", "===", "!=="})
"""They take two arguments or more, and stop at the first two neighbours of which they do not hold."""


def compare(operator: str, left: Any, right: Any) -> bool:
    """Whether it holds between two neighbours. Raises NoResult where one of them would have to be a number and is none.

    null is equal to what is worth 0 as a number, as in the compatibility suites.
    """
    match operator:
        case "===":
            return same(left, right)
        case "!==":
            return not same(left, right)
        case "==":
            return _equal(left, right)
        case "!=":
            return not _equal(left, right)
    if isinstance(left, str) and isinstance(right, str):
        return _ORDERS[operator](units(left), units(right))
    return _ORDERS[operator](*_numbers(operator, left, right))


def _equal(left: Any, right: Any) -> bool:
    texts = isinstance(left, str | None) and isinstance(right, str | None)
    if texts or (isinstance(left, list) and isinstance(right, list) and left == right):
        return bool(left == right)
    one, other = _numbers("==", left, right)
    return one == other


def _numbers(operator: str, left: Any, right: Any) -> tuple[float, float]:
    both = number(left, operator), number(right, operator)
    # null or a boolean beside a text that is no number is not the same, and not less; a number beside it is an error.
    unlike = any(value is None or isinstance(value, bool) for value in (left, right))
    if any(map(math.isnan, both)) and not unlike:
        raise no_number(operator)
    return both


def _added(given: list[Any]) -> int | float:
    return counted(reduce(lambda a, b: a + b, _all("+", _unwrapped(given)), 0.0), "+")


def _multiplied(given: list[Any]) -> int | float:
    return counted(math.prod(_all("*", _unwrapped(given)), start=1.0), "*")


def _subtracted(given: list[Any]) -> int | float:
    if not given:
        raise invalid("-", "an argument")
    first, *others = _all("-", _unwrapped(given))
    return counted(reduce(lambda a, b: a - b, others, first) if others else -first, "-")


def _divided(given: list[Any]) -> int | float:
    if not given:
        raise invalid("/", "an argument")
    first, *others = _all("/", given if len(given) > 1 else [1, *given])
    if 0 in others:
        raise no_number("/")
    return counted(reduce(lambda a, b: a / b, others, first), "/")


def _remainder(given: list[Any]) -> int | float:
    if len(given) < 2:
        raise invalid("%", "two arguments")
    first, *others = _all("%", given)
    if 0 in others:
        raise no_number("%")
    return counted(reduce(math.fmod, others, first), "%")


def _unwrapped(given: list[Any]) -> list[Any]:
    """A list of one value as the only argument is that value."""
    match given:
        case [[int() | float() | str() as value]]:
            return [value]
    return given


def _all(operator: str, given: list[Any]) -> list[float]:
    return [number(value, operator) for value in given]


def _extreme(operator: str, chosen: Callable[[list[Any]], Any]) -> Callable[[list[Any]], Any]:
    def of(given: list[Any]) -> Any:
        given = _unwrapped(given)
        if not given or any(isinstance(value, bool) or not isinstance(value, int | float) for value in given):
            raise invalid(operator, "numbers")
        return chosen(given)

    return of


def _within(given: list[Any]) -> bool:
    match given:
        case [part, str() as whole, *_]:
            return text(part) in whole
        case [part, list() as items, *_]:
            return any(same(part, item) for item in items)
    return False


def _put_together(given: list[Any]) -> str:
    return "".join("" if value is None else text(value) for value in given)


def _merged(given: list[Any]) -> list[Any]:
    return [item for value in given for item in (value if isinstance(value, list) else [value])]


def _substring(given: list[Any]) -> str:
    source, start, *length = [*given, 0] if len(given) == 1 else given or ["", 0]
    letters = units(text(source))
    begin = _place(start)
    begin = max(len(letters) + begin, 0) if begin < 0 else begin
    if not length:
        return joined(letters[begin:])
    count = _place(length[0])
    end = len(letters) + count if count < 0 else begin + count
    return joined(letters[begin : max(end, 0)])


def _place(value: Any) -> int:
    """A position, cut towards zero; what is no number is 0."""
    place = number(value, "substr") if not isinstance(value, list | dict) else number(text(value), "substr")
    return 0 if math.isnan(place) else int(max(min(place, 2**53), -(2**53)))


def _one(given: list[Any]) -> Any:
    return given[0] if given else None


OPERATORS: Final[dict[str, Callable[[list[Any]], Any]]] = {
    "!": lambda given: not truthy(_one(given)),
    "!!": lambda given: truthy(_one(given)),
    "+": _added,
    "*": _multiplied,
    "-": _subtracted,
    "/": _divided,
    "%": _remainder,
    "min": _extreme("min", min),
    "max": _extreme("max", max),
    "in": _within,
    "cat": _put_together,
    "merge": _merged,
    "substr": _substring,
    "log": _one,  # it gives back what it is given; where it writes is nobody's business here
}
