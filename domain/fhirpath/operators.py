"""The operators between two expressions, as closures over both.

hl7.org/fhirpath/N1/#operations. Each is made for its operator once; the collections come with each evaluation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from domain.fhirpath.arithmetic import calculate, concatenated
from domain.fhirpath.comparison import Membership, equal, equivalent, ordered
from domain.fhirpath.evaluation import Evaluate, Run
from domain.fhirpath.functions.registry import single, text_of, truth_of
from domain.fhirpath.lexer import refused
from domain.fhirpath.nodes import FALSE, TRUE, Nodes, literal, truth


def _equality(left: Evaluate, right: Evaluate, operator: str, _at: int) -> Evaluate:
    negated = operator == "!="

    def compared(run: Run) -> Nodes:
        answer = equal(left(run), right(run))
        return [] if answer is None else (TRUE if answer is not negated else FALSE)

    return compared


def _equivalence(left: Evaluate, right: Evaluate, operator: str, _at: int) -> Evaluate:
    negated = operator == "!~"
    return lambda run: truth(equivalent(run, left(run), right(run)) is not negated)


_ANSWERS: Final[dict[str, Callable[[int], bool]]] = {
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
}


def _ordering(left: Evaluate, right: Evaluate, operator: str, at: int) -> Evaluate:
    answer = _ANSWERS[operator]

    def compared(run: Run) -> Nodes:
        order = ordered(left(run), right(run), at)
        return [] if order is None else truth(answer(order))

    return compared


def _membership(left: Evaluate, right: Evaluate, operator: str, at: int) -> Evaluate:
    item, collection = (left, right) if operator == "in" else (right, left)

    def tested(run: Run) -> Nodes:
        node = single(item(run), at)
        return [] if node is None else truth(node in Membership(run, collection(run)))

    return tested


_Answer = bool | None
_DECIDED_BY_LEFT: Final = {("and", False): FALSE, ("or", True): TRUE, ("implies", False): TRUE}
_TABLES: Final[dict[str, Callable[[_Answer, _Answer], _Answer]]] = {
    "and": lambda one, other: False if other is False else (True if one and other else None),
    "or": lambda one, other: True if other is True else (False if one is False and other is False else None),
    "xor": lambda one, other: None if one is None or other is None else one is not other,
    "implies": lambda one, other: True if other is True else (False if one and other is False else None),
}


def _logic(left: Evaluate, right: Evaluate, operator: str, at: int) -> Evaluate:
    """Three-valued (hl7.org/fhirpath/N1/#boolean-logic). The right side is left alone where the left one decides."""
    table = _TABLES[operator]

    def decided(run: Run) -> Nodes:
        one = truth_of(left(run), at)
        known = None if one is None else _DECIDED_BY_LEFT.get((operator, one))
        return truth(table(one, truth_of(right(run), at))) if known is None else known

    return decided


def _concatenation(left: Evaluate, right: Evaluate, _operator: str, at: int) -> Evaluate:
    def joined(run: Run) -> Nodes:
        return [literal(concatenated(text_of(left(run), at) or "", text_of(right(run), at) or "", at))]

    return joined


def _calculation(left: Evaluate, right: Evaluate, operator: str, at: int) -> Evaluate:
    def calculated(run: Run) -> Nodes:
        one, other = single(left(run), at), single(right(run), at)
        if one is None or other is None or one.value is None or other.value is None:
            return []
        first, second = one.system, other.system
        if first is None or second is None:
            raise refused(f"{operator} does not take these types", at)
        result = calculate(operator, first, second, at)
        return [] if result is None else [literal(result)]

    return calculated


Operator = Callable[[Evaluate, Evaluate, str, int], Evaluate]
OPERATORS: Final[Mapping[str, Operator]] = (
    dict.fromkeys(("=", "!="), _equality)
    | dict.fromkeys(("~", "!~"), _equivalence)
    | dict.fromkeys(("<", "<=", ">", ">="), _ordering)
    | dict.fromkeys(("in", "contains"), _membership)
    | dict.fromkeys(("and", "or", "xor", "implies"), _logic)
    | dict.fromkeys(("+", "-", "*", "/", "div", "mod"), _calculation)
    | {"&": _concatenation}
)
"""By operator; `|`, `is` and `as` are the compiler's own."""
