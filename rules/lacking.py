"""Which missing facts stand between a rule and its answer: those that it would ask for, given what is known.

The tree is evaluated with unknown values. Where a condition is unknown, both ways are looked at; where it is known, the
way not taken is not, so a fact that only other rows need is not named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Final

from rules.language import OPERATIONS_BUDGET
from rules.oracle import Trace, Undecided, answer, computed, found, in_order
from rules.syntax import Call, Items, Literal, Names, Node, Switch, Var, walk

_UNKNOWN: Final = object()
_IN_ORDER: Final = frozenset({"<", "<=", ">", ">="})
_OVER_LISTS: Final = frozenset({"map", "filter", "all", "some", "none", "reduce"})


def lacking(tree: Node, facts: Mapping[str, Any]) -> tuple[str, ...]:
    """The facts that are not there and would be asked for, in the order of asking. facts: normalised.

    The first one is what stops the rule. A rule too large to look at to its end names those found until then.
    """
    looking = _Looking(facts)
    with suppress(_Enough):
        looking.value(tree)
    return tuple(looking.names)


class _Enough(Exception):
    """So many steps that the rest is not looked at."""


class _Looking:
    def __init__(self, facts: Mapping[str, Any]) -> None:
        self._facts = facts
        self._steps = 0
        self.names: dict[str, None] = {}

    def value(self, node: Node) -> Any:
        """The node's value, or `_UNKNOWN`."""
        self._steps += 1
        if self._steps > OPERATIONS_BUDGET:
            raise _Enough
        match node:
            case Literal():
                return node.value
            case Items():
                return self._all_or_unknown(node.items)
            case Var():
                return self._fact(node)
            case Names():
                return answer(node, self._facts)
            case Switch():
                return self._switch(node)
            case Call(operator="if"):
                return self._if(node)
            case Call(operator="and" | "or"):
                return self._until(node, node.operator == "or")
            case Call(operator="??"):
                return self._first_there(node)
            case Call():
                return self._call(node)

    def _fact(self, node: Var) -> Any:
        value = found(self._facts, node.path)
        if value is not None:
            return value
        if node.default is not None:
            return self.value(node.default)
        self.names[node.name] = None
        return _UNKNOWN

    def _if(self, node: Call) -> Any:
        *pairs, last = node.arguments
        possible: list[Any] = []
        for condition, result in zip(pairs[::2], pairs[1::2], strict=True):
            met = self.value(condition)
            if met is False:
                continue
            possible.append(self.value(result))
            if met is True:
                return _agreed(possible)
        return _agreed([*possible, self.value(last)])

    def _switch(self, node: Switch) -> Any:
        on, possible = self.value(node.on), []
        for case in node.cases:
            if on is _UNKNOWN or on == self.value(case.value):
                possible.append(self.value(case.result))
                if on is not _UNKNOWN:
                    return _agreed(possible)
        return _agreed([*possible, self.value(node.otherwise)])

    def _until(self, node: Call, end: bool) -> Any:
        """`and` ends with the first part that fails, `or` with the first that is met."""
        unknown = False
        for part in node.arguments:
            met = self.value(part)
            if met is end:
                return end  # whatever the unknown ones before it are
            unknown = unknown or met is _UNKNOWN
        return _UNKNOWN if unknown else not end

    def _first_there(self, node: Call) -> Any:
        for part in node.arguments:
            value = self.value(part)
            if value is not None:
                return value
        return None

    def _call(self, node: Call) -> Any:
        if node.operator in _OVER_LISTS:
            over, body, *start = node.arguments
            known = self._all_or_unknown((over, *start))
            if known is _UNKNOWN:
                return _UNKNOWN
            items, *begin = (Literal("", value) for value in known)
            self._steps += sum(1 for _ in walk(body)) * len(known[0])
            return self._worked_out(Call(node.pointer, node.operator, (items, body, *begin)))
        if node.operator in _IN_ORDER:
            return self._ordered(node)
        known = self._all_or_unknown(node.arguments)
        if known is _UNKNOWN:
            return _UNKNOWN
        try:
            return computed(node.operator, known)
        except Undecided:
            return _UNKNOWN

    def _ordered(self, node: Call) -> Any:
        """A chain is followed until two neighbours are not in order."""
        left, unknown = self.value(node.arguments[0]), False
        for part in node.arguments[1:]:
            right = self.value(part)
            if left is _UNKNOWN or right is _UNKNOWN:
                unknown = True
            elif not in_order(node.operator, left, right):
                return False
            left = right
        return _UNKNOWN if unknown else True

    def _worked_out(self, node: Node) -> Any:
        try:
            return answer(node, self._facts, Trace())
        except Undecided:
            return _UNKNOWN

    def _all_or_unknown(self, nodes: Iterable[Node]) -> Any:
        values = [self.value(node) for node in nodes]
        return _UNKNOWN if any(value is _UNKNOWN for value in values) else values


def _agreed(possible: list[Any]) -> Any:
    """What every possible way gives; unknown where they differ."""
    first, *others = possible
    return first if all(other is first or (other == first and other is not _UNKNOWN) for other in others) else _UNKNOWN
