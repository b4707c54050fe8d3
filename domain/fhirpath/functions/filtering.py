"""Choosing among items, going over them, and putting collections together.

hl7.org/fhirpath/N1/#filtering-and-projection, #subsetting, #combining, #aggregates; sort() as hl7.org/fhirpath/#sort
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cmp_to_key

from domain.fhirpath.comparison import Membership, Unordered, distinct, order
from domain.fhirpath.evaluation import Evaluate, Run
from domain.fhirpath.functions.registry import eager, lazy, single, truth_of, whole_of
from domain.fhirpath.lexer import refused
from domain.fhirpath.model import Value
from domain.fhirpath.navigation import children
from domain.fhirpath.nodes import Nodes


@lazy("where", 1)
def where(run: Run, focus: Nodes, arguments: Sequence[Evaluate], at: int) -> Nodes:
    results = run.each(focus, arguments[0])
    return [node for node, result in zip(focus, results, strict=True) if truth_of(result, at)]


@lazy("select", 1)
def select(run: Run, focus: Nodes, arguments: Sequence[Evaluate], _at: int) -> Nodes:
    return [node for result in run.each(focus, arguments[0]) for node in result]


@lazy("repeat", 1)
def repeat(run: Run, focus: Nodes, arguments: Sequence[Evaluate], _at: int) -> Nodes:
    """Again on what it gave, until nothing new comes: an expression that gives its input ends."""
    seen = Membership(run)
    found: Nodes = []
    while focus:
        fresh: Nodes = []
        for result in run.each(focus, arguments[0]):
            for node in result:
                if node not in seen:
                    seen.add(node)
                    fresh.append(node)
        found += fresh
        focus = fresh
    return found


@eager("children")
def children_(run: Run, focus: Nodes, _arguments: Sequence[Nodes], _at: int) -> Nodes:
    run.spend(len(focus))
    return [child for node in focus for child in children(node)]


@eager("descendants")
def descendants(run: Run, focus: Nodes, _arguments: Sequence[Nodes], _at: int) -> Nodes:
    found: Nodes = []
    while focus:
        run.spend(len(focus))
        focus = [child for node in focus for child in children(node)]
        found += focus
    return found


@eager("single")
def single_(_run: Run, focus: Nodes, _arguments: Sequence[Nodes], at: int) -> Nodes:
    single(focus, at)
    return focus


@eager("first")
def first(_run: Run, focus: Nodes, _arguments: Sequence[Nodes], _at: int) -> Nodes:
    return focus[:1]


@eager("last")
def last(_run: Run, focus: Nodes, _arguments: Sequence[Nodes], _at: int) -> Nodes:
    return focus[-1:]


@eager("tail")
def tail(_run: Run, focus: Nodes, _arguments: Sequence[Nodes], _at: int) -> Nodes:
    return focus[1:]


@eager("skip", 1)
def skip(_run: Run, focus: Nodes, arguments: Sequence[Nodes], at: int) -> Nodes:
    return focus[max(0, whole_of(arguments[0], at) or 0) :]


@eager("take", 1)
def take(_run: Run, focus: Nodes, arguments: Sequence[Nodes], at: int) -> Nodes:
    return focus[: max(0, whole_of(arguments[0], at) or 0)]


@eager("intersect", 1)
def intersect(run: Run, focus: Nodes, arguments: Sequence[Nodes], _at: int) -> Nodes:
    others = Membership(run, arguments[0])
    return distinct(run, [node for node in focus if node in others])


@eager("exclude", 1)
def exclude(run: Run, focus: Nodes, arguments: Sequence[Nodes], _at: int) -> Nodes:
    others = Membership(run, arguments[0])
    return [node for node in focus if node not in others]


@eager("union", 1)
def union(run: Run, focus: Nodes, arguments: Sequence[Nodes], _at: int) -> Nodes:
    return distinct(run, focus + arguments[0])


@eager("combine", 1)
def combine(run: Run, focus: Nodes, arguments: Sequence[Nodes], _at: int) -> Nodes:
    run.spend(len(arguments[0]))
    return focus + arguments[0]


@lazy("aggregate", 1, 2)
def aggregate(run: Run, focus: Nodes, arguments: Sequence[Evaluate], _at: int) -> Nodes:
    outer = run.total
    run.total = arguments[1](run) if len(arguments) == 2 else []
    this, index = run.this, run.index
    run.spend(len(focus))
    for number, node in enumerate(focus):
        run.this, run.index = [node], number
        run.total = arguments[0](run)
    result, run.total = run.total or [], outer
    run.this, run.index = this, index
    return result


@lazy("iif", 2, 3)
def iif(run: Run, focus: Nodes, arguments: Sequence[Evaluate], at: int) -> Nodes:
    """Only the branch taken is evaluated. `$this` is the item it is called on, if there is one."""
    single(focus, at)
    outer = run.this
    run.this = focus or outer
    branch = 1 if truth_of(arguments[0](run), at) else 2
    result = arguments[branch](run) if branch < len(arguments) else []
    run.this = outer
    return result


def sorted_by(run: Run, focus: Nodes, keys: Sequence[tuple[Evaluate, bool]], at: int) -> Nodes:
    """By each key in turn, descending where its flag says so; items without a key come last."""
    run.spend(len(focus) * max(1, len(keys)) * 4)
    columns = [[_value(result, at) for result in run.each(focus, key)] for key, _ in keys]
    if not keys:
        columns = [[node.system for node in focus]]
    descending = [flag for _, flag in keys] or [False]

    def compared(left: int, right: int) -> int:
        for column, down in zip(columns, descending, strict=True):
            result = _compared(column[left], column[right], at)
            if result:
                return -result if down else result
        return 0

    numbers: Callable[[int], object] = cmp_to_key(compared)
    return [focus[number] for number in sorted(range(len(focus)), key=numbers)]  # type: ignore[arg-type]  # K is ordered


def _value(result: Nodes, at: int) -> Value | None:
    node = single(result, at)
    return None if node is None else node.system


def _compared(left: Value | None, right: Value | None, at: int) -> int:
    if left is None or right is None:
        return (left is None) - (right is None)
    try:
        return order(left, right) or 0
    except Unordered:
        raise refused("these items have no order", at) from None
