"""Whether there is anything, how much of it, and whether all of it is so.

hl7.org/fhirpath/N1/#existence
"""

from __future__ import annotations

from collections.abc import Sequence

from domain.fhirpath.comparison import Membership, distinct
from domain.fhirpath.evaluation import Evaluate, Run
from domain.fhirpath.functions.registry import eager, lazy, truth_of
from domain.fhirpath.lexer import refused
from domain.fhirpath.nodes import FALSE, TRUE, Nodes, truth, whole


@eager("empty")
def empty(_run: Run, focus: Nodes, _arguments: Sequence[Nodes], _at: int) -> Nodes:
    return FALSE if focus else TRUE


@eager("not")
def not_(_run: Run, focus: Nodes, _arguments: Sequence[Nodes], at: int) -> Nodes:
    value = truth_of(focus, at)
    return truth(None if value is None else not value)


@lazy("exists", 0, 1)
def exists(run: Run, focus: Nodes, arguments: Sequence[Evaluate], at: int) -> Nodes:
    if not arguments:
        return TRUE if focus else FALSE
    return truth(any(truth_of(result, at) for result in run.each(focus, arguments[0])))


@lazy("all", 1)
def all_(run: Run, focus: Nodes, arguments: Sequence[Evaluate], at: int) -> Nodes:
    return truth(all(truth_of(result, at) for result in run.each(focus, arguments[0])))


def _booleans(focus: Nodes, at: int) -> list[bool]:
    values = [node.system for node in focus]
    booleans = [value for value in values if isinstance(value, bool)]
    if len(booleans) != len(values):
        raise refused("only booleans are taken here", at)
    return booleans


@eager("allTrue")
def all_true(_run: Run, focus: Nodes, _arguments: Sequence[Nodes], at: int) -> Nodes:
    return truth(all(_booleans(focus, at)))


@eager("anyTrue")
def any_true(_run: Run, focus: Nodes, _arguments: Sequence[Nodes], at: int) -> Nodes:
    return truth(any(_booleans(focus, at)))


@eager("allFalse")
def all_false(_run: Run, focus: Nodes, _arguments: Sequence[Nodes], at: int) -> Nodes:
    return truth(not any(_booleans(focus, at)))


@eager("anyFalse")
def any_false(_run: Run, focus: Nodes, _arguments: Sequence[Nodes], at: int) -> Nodes:
    return truth(not all(_booleans(focus, at)))


def _within(run: Run, part: Nodes, whole_: Nodes) -> Nodes:
    members = Membership(run, whole_)
    return truth(all(node in members for node in part))


@eager("subsetOf", 1)
def subset_of(run: Run, focus: Nodes, arguments: Sequence[Nodes], _at: int) -> Nodes:
    return _within(run, focus, arguments[0])


@eager("supersetOf", 1)
def superset_of(run: Run, focus: Nodes, arguments: Sequence[Nodes], _at: int) -> Nodes:
    return _within(run, arguments[0], focus)


@eager("count")
def count(_run: Run, focus: Nodes, _arguments: Sequence[Nodes], _at: int) -> Nodes:
    return whole(len(focus))


@eager("distinct")
def distinct_(run: Run, focus: Nodes, _arguments: Sequence[Nodes], _at: int) -> Nodes:
    return distinct(run, focus)


@eager("isDistinct")
def is_distinct(run: Run, focus: Nodes, _arguments: Sequence[Nodes], _at: int) -> Nodes:
    return truth(len(distinct(run, focus)) == len(focus))
