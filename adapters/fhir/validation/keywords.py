"""Keywords that our schemas add to JSON Schema's own. Each says yes where that is certain, and raises elsewhere."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema_rs import KeywordValidator  # a protocol of its stubs

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(Z|[+-]\d\d:\d\d)")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_UNIT = ("system", "code", "unit", "comparator")


class Uncertain(Exception):
    """No answer of this keyword; a closer look decides."""


class Keyword:
    """Made by the library for each place where the keyword stands, with the value that stands there."""

    def __init__(self, parent_schema: Any, value: Any, schema_path: Any) -> None:
        self.value = value

    def validate(self, instance: Any) -> None:
        """Raises Uncertain."""
        raise NotImplementedError


class Whole(Keyword):
    """A number written without a fraction; JSON Schema's `integer` lets 1.0 through."""

    def validate(self, instance: Any) -> None:
        if not isinstance(instance, int):
            raise Uncertain


class Ordered(Keyword):
    """Of two elements of an object, the first is not greater: times written alike, quantities of the same unit."""

    def validate(self, instance: Any) -> None:
        first, second = (instance.get(name) for name in self.value)
        if not (times_in_order(first, second) or quantities_in_order(first, second)):
            raise Uncertain


def times_in_order(first: Any, second: Any) -> bool:
    if not isinstance(first, str) or not isinstance(second, str) or len(first) != len(second) or first > second:
        return False
    one, other = _INSTANT.fullmatch(first), _INSTANT.fullmatch(second)
    if one and other:
        return one[1] == other[1]
    return _DAY.fullmatch(first) is not None and _DAY.fullmatch(second) is not None


def quantities_in_order(first: Any, second: Any) -> bool:
    if not isinstance(first, dict) or not isinstance(second, dict):
        return False
    if "comparator" in first or any(first.get(name) != second.get(name) for name in _UNIT):
        return False
    low, high = first.get("value"), second.get("value")
    return isinstance(low, int | Decimal) and isinstance(high, int | Decimal) and low <= high


KEYWORDS: dict[str, type[KeywordValidator]] = {"whole": Whole, "ordered": Ordered}
