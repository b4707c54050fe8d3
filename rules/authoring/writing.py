"""Words to write logic with, and how what `jsonlogic-py` emits becomes JSONLogic.

It only emits. Negation it writes as `not`, which JSONLogic spells `!`; it knows no `if`, so that is given to it here.
"""

from __future__ import annotations

import json
from typing import Any, Final

from jsonlogic import Expression, Literal, Operand, Operation, Variable

Written = Any
"""A fact or an expression. Comparisons, `+`, `&`, `|` and `~` of it are expressions again, made as the module loads."""

_RENAMED: Final = {"not": "!"}
_IF, _SUM, _ANY, _LEAST = Operation("if", None), Operation("+", None), Operation("or", None), Operation("min", None)


def fact(path: str) -> Written:
    return Variable(path)


def when(*cases: tuple[Written, Written], otherwise: Written) -> Written:
    """The first case that holds, as `(condition, answer)`."""
    parts = [part for case in cases for part in case] + [otherwise]
    return Expression(_IF, *map(_operand, parts))


def banded(value: Written, *bands: tuple[float, int], above: int) -> Written:
    """Points by bands: `(highest value, points)` upwards, and the points above all of them."""
    return when(*((value <= highest, points) for highest, points in bands), otherwise=above)


def scoring(least: int, value: Written, *bands: tuple[float, int], above: int) -> Written:
    """Whether a banded value gives at least so many points: the condition itself, without counting."""
    points = [points for _, points in bands] + [above]
    edges = [None, *(highest for highest, _ in bands), None]
    ranges: list[tuple[float | None, float | None]] = []
    for index, each in enumerate(points):
        if each < least:
            continue
        if ranges and index and ranges[-1][1] == edges[index]:
            ranges[-1] = (ranges[-1][0], edges[index + 1])
        else:
            ranges.append((edges[index], edges[index + 1]))
    return either(*(_between(value, low, high) for low, high in ranges))


def _between(value: Written, low: float | None, high: float | None) -> Written:
    """Above `low` and at most `high`; None for no bound."""
    if low is None:
        return value <= high
    return value > low if high is None else (value > low) & (value <= high)


def total(*parts: Written) -> Written:
    return Expression(_SUM, *map(_operand, parts))


def either(*conditions: Written) -> Written:
    return conditions[0] if len(conditions) == 1 else Expression(_ANY, *map(_operand, conditions))


def at_most(value: Written, most: int) -> Written:
    return Expression(_LEAST, value, most)


def emitted(logic: Written) -> Any:
    """As JSONLogic, in the one spelling of the library."""
    return _renamed(json.loads(str(logic)))


def _operand(part: Written) -> Any:
    return part if isinstance(part, Operand) else Literal(part)


def _renamed(value: Any) -> Any:
    match value:
        case dict():
            return {_RENAMED.get(name, name): _renamed(part) for name, part in value.items()}
        case list():
            return [_renamed(part) for part in value]
    return value
