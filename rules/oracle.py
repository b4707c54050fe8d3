"""A second evaluator of `jl-strict/1`, in plain Python, that keeps what it did.

It is slow and easy to read. Differential tests hold it against the native evaluator; explanations and coverage are made
of its trace. It takes rules that the checker has passed, and normalised facts (`rules.engine.normalised`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from rules.language import OPERATIONS_BUDGET
from rules.syntax import Call, Items, Literal, Names, Node, Path, Switch, Var

_INT64 = 2**63


class Undecided(Exception):
    """The rule has no answer. `missing` is the fact that it lacked, if that was why; `spent` if the budget was."""

    def __init__(self, missing: str = "", *, spent: bool = False) -> None:
        super().__init__(missing or "no answer")
        self.missing = missing
        self.spent = spent


@dataclass
class Trace:
    """What one evaluation did.

    reads: fact → value, in the order first read; None for a fact that was asked for and absent. conditions: the
    pointer of every condition asked outside of lists → its answer.  taken: pointers of branches that gave the answer.
    """

    reads: dict[str, Any] = field(default_factory=dict)
    conditions: dict[str, bool] = field(default_factory=dict)
    taken: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    steps: int = 0


def answer(tree: Node, facts: Mapping[str, Any], trace: Trace | None = None) -> Any:
    """The value of the tree. Raises Undecided for a missing fact, an error or a spent budget."""
    return _Oracle(facts, trace if trace is not None else Trace()).value(tree)


def computed(operator: str, values: list[Any]) -> Any:
    """An operator of known values, all of which it looks at. Raises Undecided."""
    return _OPERATIONS[operator](values)


def in_order(operator: str, left: Any, right: Any) -> bool:
    """Whether `<`, `<=`, `>` or `>=` holds between two known values."""
    return _COMPARED[operator](left, right)


class _Oracle:
    def __init__(self, facts: Mapping[str, Any], trace: Trace) -> None:
        self._facts = facts
        self._trace = trace
        self._scopes: list[dict[str, Any]] = []

    def value(self, node: Node) -> Any:
        self._trace.steps += 1
        if self._trace.steps > OPERATIONS_BUDGET:
            raise Undecided(spent=True)
        match node:
            case Literal():
                return node.value
            case Items():
                return [self.value(item) for item in node.items]
            case Var():
                return self._var(node)
            case Names():
                return self._names(node)
            case Switch():
                return self._switch(node)
            case Call():
                result = self._call(node)
                if not self._scopes and isinstance(result, bool):
                    self._trace.values[node.pointer] = result
                return result

    def _var(self, node: Var) -> Any:
        if self._scopes:
            return self._element(node)
        value = found(self._facts, node.path)
        self._trace.reads.setdefault(node.name, value)
        if value is not None:
            return value
        if node.default is None:
            raise Undecided(node.name)
        return self.value(node.default)

    def _element(self, node: Var) -> Any:
        scope = self._scopes[-1]
        if not node.path:
            return scope[""]
        value = scope[node.path[0]] if node.path[0] in scope else found(scope.get(""), node.path[:1])
        if len(node.path) > 1:
            value = found(value, node.path[1:])
        if value is None:
            raise Undecided(node.name)
        return value

    def _names(self, node: Names) -> Any:
        absent = []
        for path in node.paths:
            value = found(self._facts, path)
            self._trace.reads.setdefault(".".join(path), value)
            if value is None:
                absent.append(".".join(path))
        if node.operator == "exists":
            return not absent
        if node.operator == "missing_some" and len(node.paths) - len(absent) >= node.least:
            return []
        return absent

    def _switch(self, node: Switch) -> Any:
        on = self.value(node.on)
        for case in node.cases:
            if on == self.value(case.value):
                return self._take(case.result)
        return self._take(node.otherwise)

    def _take(self, node: Node) -> Any:
        if not self._scopes:
            self._trace.taken.append(node.pointer)
        return self.value(node)

    def _condition(self, node: Node) -> bool:
        met = self.value(node)
        if not isinstance(met, bool):
            raise Undecided
        if not self._scopes:
            self._trace.conditions[node.pointer] = met
        return met

    def _call(self, node: Call) -> Any:
        lazy = _LAZY.get(node.operator)
        if lazy is not None:
            return lazy(self, node)
        return _OPERATIONS[node.operator]([self.value(argument) for argument in node.arguments])

    def _if(self, node: Call) -> Any:
        *pairs, last = node.arguments
        for condition, value in zip(pairs[::2], pairs[1::2], strict=True):
            if self._condition(condition):
                return self._take(value)
        return self._take(last)

    def _and(self, node: Call) -> bool:
        return all(self._condition(part) for part in node.arguments)

    def _or(self, node: Call) -> bool:
        return any(self._condition(part) for part in node.arguments)

    def _less(self, node: Call) -> bool:
        compare = _COMPARED[node.operator]
        left = self.value(node.arguments[0])
        for argument in node.arguments[1:]:
            right = self.value(argument)
            if not compare(left, right):
                return False
            left = right
        return True

    def _present(self, node: Call) -> Any:
        value = None
        for argument in node.arguments:
            value = self.value(argument)
            if value is not None:
                return value
        return value

    def _within(self, scope: dict[str, Any], node: Node) -> Any:
        self._scopes.append(scope)
        try:
            return self.value(node)
        finally:
            self._scopes.pop()

    def _each(self, node: Call) -> Any:
        over, body = node.arguments
        items = self.value(over)
        results = ((item, self._within({"": item}, body)) for item in items)
        match node.operator:
            case "map":
                return [result for _, result in results]
            case "filter":
                return [item for item, result in results if result]
            case "all":
                return bool(items) and all(result for _, result in results)
            case "some":
                return any(result for _, result in results)
            case _:
                return not any(result for _, result in results)

    def _reduce(self, node: Call) -> Any:
        over, body, start = node.arguments
        items, result = self.value(over), self.value(start)
        for item in items:
            result = self._within({"accumulator": result, "current": item}, body)
        return result


def found(value: Any, path: Path) -> Any:
    """What stands at a path, or None."""
    for part in path:
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value


def _whole(value: Any) -> Any:
    """Integers beyond 64 bits become doubles, as in the native evaluator; what is not finite is no answer."""
    if isinstance(value, int) and not -_INT64 <= value < _INT64:
        value = float(value)
    if not math.isfinite(value):
        raise Undecided
    return value


def _fold(step: Callable[[Any, Any], Any]) -> Callable[[list[Any]], Any]:
    def folded(given: list[Any]) -> Any:
        result = given[0]
        for value in given[1:]:
            result = _whole(step(result, value))
        return result

    return folded


def _minus(given: list[Any]) -> Any:
    return -given[0] if len(given) == 1 else _whole(given[0] - given[1])


def _divided(given: list[Any]) -> Any:
    over, under = given
    if under == 0:
        raise Undecided
    if isinstance(over, int) and isinstance(under, int) and over % under == 0:
        return over // under
    return _whole(float(over) / float(under))


def _remainder(given: list[Any]) -> Any:
    over, under = given
    if under == 0:
        raise Undecided
    if isinstance(over, int) and isinstance(under, int):
        return int(math.copysign(abs(over) % abs(under), over))
    return math.fmod(over, under)


def _merged(given: list[Any]) -> list[Any]:
    return [item for value in given for item in (value if isinstance(value, list) else [value])]


def _substring(given: list[Any]) -> str:
    text, start, *length = given
    start = max(len(text) + start, 0) if start < 0 else start
    if not length:
        return str(text[start:])
    end = start + length[0] if length[0] >= 0 else len(text) + length[0]
    return str(text[start : max(end, 0)])


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _parsed(given: list[Any]) -> str:
    try:
        day = datetime.fromisoformat(given[0]).replace(tzinfo=UTC)
    except ValueError:
        raise Undecided from None
    return day.isoformat().replace("+00:00", "Z")


def _difference(given: list[Any]) -> int:
    seconds = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}[given[2]]
    return int((_moment(given[0]) - _moment(given[1])).total_seconds() / seconds)


def _equal(left: Any, right: Any) -> bool:
    return bool(left == right)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """Instants by time, dates by the calendar, numbers by size."""

    def compared(left: Any, right: Any) -> bool:
        if isinstance(left, str) and "T" in left:
            return compare(_moment(left), _moment(right))
        return compare(left, right)

    return compared


_COMPARED: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": _ordered(lambda left, right: bool(left < right)),
    "<=": _ordered(lambda left, right: bool(left <= right)),
    ">": _ordered(lambda left, right: bool(left > right)),
    ">=": _ordered(lambda left, right: bool(left >= right)),
}

_OPERATIONS: Final[dict[str, Callable[[list[Any]], Any]]] = {
    "==": lambda given: _equal(*given),
    "===": lambda given: _equal(*given),
    "!=": lambda given: not _equal(*given),
    "!==": lambda given: not _equal(*given),
    "!": lambda given: not given[0],
    "!!": lambda given: bool(given[0]),
    "+": _fold(lambda left, right: left + right),
    "*": _fold(lambda left, right: left * right),
    "-": _minus,
    "/": _divided,
    "%": _remainder,
    "min": min,
    "max": max,
    "abs": lambda given: abs(given[0]),
    "ceil": lambda given: math.ceil(given[0]),
    "floor": lambda given: math.floor(given[0]),
    "in": lambda given: any(_equal(given[0], item) for item in given[1]),
    "merge": _merged,
    "length": lambda given: len(given[0]),
    "cat": "".join,
    "substr": _substring,
    "starts_with": lambda given: str(given[0]).startswith(given[1]),
    "ends_with": lambda given: str(given[0]).endswith(given[1]),
    "parse_date": _parsed,
    "date_diff": _difference,
}

_LAZY: Final[dict[str, Callable[[_Oracle, Call], Any]]] = {
    "if": _Oracle._if,
    "and": _Oracle._and,
    "or": _Oracle._or,
    "??": _Oracle._present,
    **dict.fromkeys(("<", "<=", ">", ">="), _Oracle._less),
    **dict.fromkeys(("map", "filter", "all", "some", "none"), _Oracle._each),
    "reduce": _Oracle._reduce,
}
