"""When two things are equal, equivalent, or one before the other.

hl7.org/fhirpath/N1/#equality: three answers, for a date beside a date-time of that day is neither. Equal things have
equal keys where a key exists, so that sets of codes and ids cost no comparison of each with each.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from decimal import Decimal
from typing import Any

from domain.fhirpath import quantities, temporal
from domain.fhirpath.evaluation import Run
from domain.fhirpath.lexer import refused
from domain.fhirpath.model import Value
from domain.fhirpath.nodes import Node, Nodes
from domain.fhirpath.numbers import rounded_alike
from domain.fhirpath.quantities import Quantity
from domain.fhirpath.temporal import Temporal


def _number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def _paired(left: Value, right: Value) -> tuple[Value, Value]:
    """A number beside a quantity is a quantity of unit 1 (hl7.org/fhirpath/N1/#conversion)."""
    if isinstance(left, Quantity) and isinstance(right, int | Decimal) and _number(right):
        return left, Quantity(Decimal(right))
    if isinstance(right, Quantity) and isinstance(left, int | Decimal) and _number(left):
        return Quantity(Decimal(left)), right
    return left, right


def same(left: Node, right: Node) -> bool | None:
    """Whether two items are equal; None where it cannot be said."""
    one, other = left.system, right.system
    if one is None or other is None:
        return bool(left.value == right.value and left.twin == right.twin and (one is None) == (other is None))
    one, other = _paired(one, other)
    if isinstance(one, Temporal) and isinstance(other, Temporal):
        if (one.kind == "Time") != (other.kind == "Time"):
            return False
        result = temporal.order(one, other)
        return None if result is None else result == 0
    if isinstance(one, Quantity) and isinstance(other, Quantity):
        return quantities.equal(one, other)
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return one == other


def equal(left: Nodes, right: Nodes) -> bool | None:
    """`=`: in this order, one by one."""
    if not left or not right:
        return None
    if len(left) != len(right):
        return False
    answers = [same(one, other) for one, other in zip(left, right, strict=True)]
    if False in answers:
        return False
    return None if None in answers else True


def equivalent(run: Run, left: Nodes, right: Nodes) -> bool:
    """`~`: in any order, and without regard to case, spaces and precision."""
    if len(left) != len(right):
        return False
    run.spend(len(left) * len(right))
    rest = list(right)
    for one in left:
        match = next((number for number, other in enumerate(rest) if _alike(run, one, other)), None)
        if match is None:
            return False
        del rest[match]
    return True


def _alike(run: Run, left: Node, right: Node) -> bool:
    one, other = left.system, right.system
    if one is None or other is None:
        return (one is None) == (other is None) and _alike_json(run, left.value, right.value)
    one, other = _paired(one, other)
    if isinstance(one, Quantity) and isinstance(other, Quantity):
        return quantities.equivalent(one, other)
    if isinstance(one, str) and isinstance(other, str):
        return _folded(one) == _folded(other)
    if isinstance(one, int | Decimal) and isinstance(other, int | Decimal) and _number(one) and _number(other):
        return rounded_alike(one, other)
    return same(left, right) is True


def _alike_json(run: Run, left: Any, right: Any) -> bool:
    run.spend(1)
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_alike_json(run, left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        rest = list(right)
        for one in left:
            match = next((number for number, other in enumerate(rest) if _alike_json(run, one, other)), None)
            if match is None:
                return False
            del rest[match]
        return not rest
    if isinstance(left, str) and isinstance(right, str):
        return _folded(left) == _folded(right)
    return bool(left == right)


def _folded(value: str) -> str:
    return " ".join(value.casefold().split())


def ordered(left: Nodes, right: Nodes, at: int) -> int | None:
    """-1, 0 or 1; None where one is empty or it cannot be said. Raises Invalid for things that have no order."""
    if not left or not right:
        return None
    if len(left) > 1 or len(right) > 1:
        raise refused("only single values have an order", at)
    one, other = left[0].system, right[0].system
    if one is None or other is None:
        if left[0].value is None or right[0].value is None:
            return None  # a primitive without a value, only extensions
        raise refused("only numbers, strings, dates, times and quantities have an order", at)
    try:
        return order(one, other)
    except Unordered:
        raise refused("these two types have no order", at) from None


class Unordered(Exception):
    """A text and a number, or two booleans."""


def order(one: Value, other: Value) -> int | None:
    """-1, 0 or 1, None where it cannot be said. Raises Unordered."""
    one, other = _paired(one, other)
    if not isinstance(one, bool) and not isinstance(other, bool):
        if isinstance(one, int | Decimal) and isinstance(other, int | Decimal):
            return (one > other) - (one < other)
        if isinstance(one, str) and isinstance(other, str):
            return (one > other) - (one < other)
        if isinstance(one, Quantity) and isinstance(other, Quantity):
            return quantities.order(one, other)
        if isinstance(one, Temporal) and isinstance(other, Temporal) and (one.kind == "Time") == (other.kind == "Time"):
            return temporal.order(one, other)
    raise Unordered


def _key(node: Node) -> Hashable | None:
    """Equal for equal items; None where only a comparison tells."""
    value = node.system
    if isinstance(value, bool):
        return ("boolean", value)
    if value is None or isinstance(value, Quantity | Temporal):
        return None
    return value


class Membership:
    """A collection that is asked again and again whether something equal is in it."""

    def __init__(self, run: Run, nodes: Iterable[Node] = ()) -> None:
        self._run = run
        self._keys: set[Hashable] = set()
        self._others: Nodes = []
        for node in nodes:
            self.add(node)

    def add(self, node: Node) -> None:
        self._run.spend(1)
        key = _key(node)
        if key is None:
            self._others.append(node)
        else:
            self._keys.add(key)

    def __contains__(self, node: Node) -> bool:
        key = _key(node)
        if key is not None:
            return key in self._keys
        self._run.spend(len(self._others))
        return any(same(node, other) is True for other in self._others)


def distinct(run: Run, nodes: Nodes) -> Nodes:
    """Each once, in the order of the first."""
    if len(nodes) < 2:
        return nodes
    seen = Membership(run)
    found: Nodes = []
    for node in nodes:
        if node not in seen:
            seen.add(node)
            found.append(node)
    return found
