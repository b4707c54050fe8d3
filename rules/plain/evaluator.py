"""jsonlogic.com's JSONLogic in plain Python, by its reference implementation and the compatibility suites.

Where these two differ, the suites are followed for what cannot be compared or counted (an error, not false or NaN), and
the reference for the rest. What stands where is named in docs/operations/run.md and held by the tests.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

from rules.language import OPERATIONS_BUDGET
from rules.plain.errors import BUDGET_EXCEEDED, UNKNOWN_OPERATOR, NoResult, invalid
from rules.plain.operators import COMPARED, OPERATORS, compare
from rules.plain.values import NOT_THERE, found, member, number, text, truthy

_OF_ONE: Final = frozenset({"!", "!!", "log", "merge", "var"})
"""A list that is worked out is the one argument of these."""
_WEIGHT_A_STEP: Final = 64
"""How much that is made costs as much as an operation: what doubles ends before it fills the memory."""
_WEIGHT: Final = 8  # of a value beside its letters and items


def evaluate(rule: Any, data: Any) -> Any:
    """The result. It descends by recursion. Raises NoResult."""
    return _Evaluation().value(rule, data)


class _Evaluation:
    def __init__(self) -> None:
        self._steps = 0
        self._weights: dict[int, tuple[Any, int]] = {}

    def value(self, rule: Any, data: Any) -> Any:
        self._cost(1)
        if isinstance(rule, list):
            return self._made([self.value(part, data) for part in rule])
        if not isinstance(rule, dict) or not rule:
            return rule
        ((operator, raw), *others) = rule.items()
        if others:
            raise NoResult(UNKNOWN_OPERATOR, f"an object is one operator; this one has {len(rule)} names")
        if operator in COMPARED:
            return self._compared(operator, raw, data)
        if (lazy := _LAZY.get(operator)) is not None:
            return lazy(self, operator, raw, data)
        if (eager := OPERATORS.get(operator)) is None:
            raise NoResult(UNKNOWN_OPERATOR, f"there is no operator {operator}")
        return self._made(eager(self._arguments(operator, raw, data)))

    def _cost(self, steps: int) -> None:
        self._steps += steps
        if self._steps > OPERATIONS_BUDGET:
            raise NoResult(BUDGET_EXCEEDED, f"more than {OPERATIONS_BUDGET} operations")

    def _made(self, value: Any) -> Any:
        self._cost(self._weight(value) // _WEIGHT_A_STEP)
        return value

    def _weight(self, value: Any) -> int:
        """How large it is when written out: what is held twice counts twice, and is looked through once."""
        if isinstance(value, str):
            return _WEIGHT + len(value)
        if not isinstance(value, list | dict):
            return _WEIGHT
        known = self._weights.get(id(value))
        if known is None:
            parts = value.values() if isinstance(value, dict) else value
            known = value, _WEIGHT + sum(map(self._weight, parts))
            self._weights[id(value)] = known  # holds the value, too, so that its id stays its own
        return known[1]

    def _arguments(self, operator: str, raw: Any, data: Any) -> list[Any]:
        """The arguments. A list that is worked out stands for them, as the suites for chained operators ask."""
        if isinstance(raw, list):
            return [self.value(part, data) for part in raw]
        worked_out = self.value(raw, data)
        return worked_out if isinstance(worked_out, list) and operator not in _OF_ONE else [worked_out]

    def _compared(self, operator: str, raw: Any, data: Any) -> bool:
        if not isinstance(raw, list) or len(raw) < 2:
            raise invalid(operator, "two arguments")
        left = self.value(raw[0], data)
        for part in raw[1:]:
            right = self.value(part, data)
            if not compare(operator, left, right):
                return False
            left = right
        return True

    def _if(self, operator: str, raw: Any, data: Any) -> Any:
        parts = _listed(operator, raw)
        for place in range(0, len(parts) - 1, 2):
            if truthy(self.value(parts[place], data)):
                return self.value(parts[place + 1], data)
        return self.value(parts[-1], data) if len(parts) % 2 else None

    def _until(self, operator: str, raw: Any, data: Any) -> Any:
        """`and` gives the first that is false, `or` the first that is true; otherwise the last."""
        value: Any = False
        for part in _listed(operator, raw):
            value = self.value(part, data)
            if truthy(value) is (operator == "or"):
                return value
        return value

    def _items(self, operator: str, raw: Any, data: Any) -> tuple[list[Any], Any]:
        """The list that is gone through, empty for what is none, and what is asked of each item."""
        parts = _listed(operator, raw)
        items = self.value(parts[0], data) if parts else []
        return (items if isinstance(items, list) else []), (parts[1] if len(parts) > 1 else None)

    def _map(self, operator: str, raw: Any, data: Any) -> list[Any]:
        items, body = self._items(operator, raw, data)
        return cast("list[Any]", self._made([self.value(body, item) for item in items]))

    def _filter(self, operator: str, raw: Any, data: Any) -> list[Any]:
        items, body = self._items(operator, raw, data)
        return [item for item in items if truthy(self.value(body, item))]

    def _all(self, operator: str, raw: Any, data: Any) -> bool:
        items, body = self._items(operator, raw, data)
        return bool(items) and all(truthy(self.value(body, item)) for item in items)

    def _some(self, operator: str, raw: Any, data: Any) -> bool:
        items, body = self._items(operator, raw, data)
        return any(truthy(self.value(body, item)) for item in items)

    def _none(self, operator: str, raw: Any, data: Any) -> bool:
        return not self._some(operator, raw, data)

    def _reduce(self, operator: str, raw: Any, data: Any) -> Any:
        items, body = self._items(operator, raw, data)
        if len(raw) > 2:
            result = self.value(raw[2], data)
        else:
            result, items = (items[0], items[1:]) if items else (None, [])
        for item in items:
            result = self.value(body, {"current": item, "accumulator": result})
        return result

    def _var(self, operator: str, raw: Any, data: Any) -> Any:
        key, *rest = self._arguments(operator, raw, data) or [None]
        there = _at(data, key)
        return (rest[0] if rest else None) if there is NOT_THERE else there

    def _val(self, operator: str, raw: Any, data: Any) -> Any:
        value = data
        for part in self._arguments(operator, raw, data):
            value = member(value, text(part))
            if value is NOT_THERE:
                return None
        return value

    def _missing(self, operator: str, raw: Any, data: Any) -> list[Any]:
        given = self._arguments(operator, raw, data)
        return _absent(given[0] if given and isinstance(given[0], list) else given, data)

    def _missing_some(self, operator: str, raw: Any, data: Any) -> list[Any]:
        match self._arguments(operator, raw, data):
            case [least, list() as keys, *_]:
                absent = _absent(keys, data)
                return [] if len(keys) - len(absent) >= number(least, operator) else absent
        raise invalid(operator, "a number and a list of keys")

    def _preserve(self, _: str, raw: Any, data: Any) -> Any:
        return raw


def _listed(operator: str, raw: Any) -> list[Any]:
    if not isinstance(raw, list):
        raise invalid(operator, "its arguments in a list")
    return raw


def _at(data: Any, key: Any) -> Any:
    """What `var` finds for a key. Nothing, or an empty list, asks for all of it."""
    if key is None or key in ("", []):
        return data
    return found(data, text(key))


def _absent(keys: list[Any], data: Any) -> list[Any]:
    """The keys without a value: null and "" are none."""
    values = ((key, _at(data, key)) for key in keys)
    return [key for key, value in values if value is NOT_THERE or value is None or value == ""]


_Lazy = Callable[[_Evaluation, str, Any, Any], Any]
_LAZY: Final[dict[str, _Lazy]] = {
    "if": _Evaluation._if,
    "?:": _Evaluation._if,
    "and": _Evaluation._until,
    "or": _Evaluation._until,
    "map": _Evaluation._map,
    "filter": _Evaluation._filter,
    "all": _Evaluation._all,
    "some": _Evaluation._some,
    "none": _Evaluation._none,
    "reduce": _Evaluation._reduce,
    "var": _Evaluation._var,
    "val": _Evaluation._val,
    "missing": _Evaluation._missing,
    "missing_some": _Evaluation._missing_some,
    "preserve": _Evaluation._preserve,
}
KNOWN: Final = frozenset({*COMPARED, *OPERATORS, *_LAZY})
"""The operators that are evaluated here."""
