"""Texts compared as texts: for plain JSONLogic, where `"1d"` is not `"24h"`.

The native evaluator takes texts that read as durations or instants for times when it compares or adds them, and cannot
be told not to. Where a rule or its data hold such a text, these operators stand in for its own. They decide what
concerns two texts and leave the rest to it.
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, Final

from datalogic_py import Engine

from rules.language import looks_like_time

_PREFIX: Final = "text:"
_ORDERS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq,
    "===": operator.eq,
    "!=": operator.ne,
    "!==": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_NUMBER: Final = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_READ_AS_FAR: Final = frozenset({"+", "*"})  # by parseFloat, which stops where the number does
_REPLACED: Final = frozenset({*_ORDERS, *_READ_AS_FAR, "in", "-", "/", "%"})


def holds_times(*values: Any) -> bool:
    """Whether a text within could be taken for a time."""
    return any(looks_like_time(text) for value in values for text in _texts(value))


def untimed(logic: Any) -> Any:
    """The rule with these operators instead of the native ones. It descends by recursion."""
    match logic:
        case dict():
            return {_PREFIX + name if name in _REPLACED else name: untimed(part) for name, part in logic.items()}
        case list():
            return [untimed(part) for part in logic]
    return logic


def operators(native: Engine) -> dict[str, Callable[[str], str]]:
    """What an engine for such rules is given. native: who answers what is not about texts."""
    return {_PREFIX + name: _operator(native, name) for name in _REPLACED}


def _operator(native: Engine, name: str) -> Callable[[str], str]:
    def left(given: list[Any]) -> str:
        return native.eval_str(
            json.dumps({name: [{"var": str(place)} for place in range(len(given))]}), json.dumps(given)
        )

    def ordered(text: str) -> str:
        given = json.loads(text)
        if len(given) < 2 or not all(isinstance(part, str) for part in given):
            return left(given)
        # ECMAScript compares code units; these agree with code points but beyond the basic plane.
        return json.dumps(all(_ORDERS[name](_units(one), _units(other)) for one, other in pairwise(given)))

    def within(text: str) -> str:
        given = json.loads(text)
        if len(given) == 2 and isinstance(given[0], str) and isinstance(given[1], list):
            return json.dumps(any(isinstance(part, str) and part == given[0] for part in given[1]))
        return left(given)

    def reckoned(text: str) -> str:
        return left(
            [
                _number(name, part) if isinstance(part, str) and looks_like_time(part) else part
                for part in json.loads(text)
            ]
        )

    return ordered if name in _ORDERS else within if name == "in" else reckoned


def _number(name: str, text: str) -> Any:
    """A text that reads as a time, as a number; what is none is left to be refused."""
    found = _NUMBER.match(text) if name in _READ_AS_FAR else None
    return float(found[0]) if found else "no number"


def _units(text: str) -> bytes:
    return text.encode("utf-16-be", "surrogatepass")


def _texts(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        match waiting.pop():
            case str() as text:
                yield text
            case dict() as inner:
                waiting.extend(inner.values())
            case list() as inner:
                waiting.extend(inner)
