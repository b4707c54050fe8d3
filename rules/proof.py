"""A rule's own tests: run, what they reach, and how many slips of the pen they would notice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from rules.document import AttachedTest, RuleDocument
from rules.engine import Compiled, Evaluated, RuleEngine, normalised
from rules.findings import Finding, Severity, finding
from rules.oracle import Trace, Undecided, answer
from rules.points import Shape
from rules.syntax import Call, Items, Literal, Names, Node, Switch, Var, walk

BUDGET: Final = 1_000_000
"""Steps for all tests of a document: a second or two. The library's dearest rule takes some thousands."""


@dataclass(frozen=True)
class Tried:
    """One test with what came of it."""

    test: AttachedTest
    evaluated: Evaluated
    passed: bool


@dataclass(frozen=True)
class Proof:
    """tests: those that were run. whole: they are all of them; otherwise they cost more than is spent on a document.
    branches: the two sides of every condition of an `if`, and the rows of a table, that some test takes.

    findings: a failing test is an error; a side that no test takes is a note, a row that never answers a warning.
    """

    tests: tuple[Tried, ...]
    branches: int
    branches_taken: int
    rows: int
    rows_taken: int
    findings: tuple[Finding, ...]
    whole: bool = True

    @property
    def passed(self) -> bool:
        return self.whole and all(tried.passed for tried in self.tests)

    @property
    def branch_coverage(self) -> float:
        return self.branches_taken / self.branches if self.branches else 1.0

    @property
    def row_coverage(self) -> float:
        return self.rows_taken / self.rows if self.rows else 1.0


@dataclass(frozen=True)
class Mutation:
    """Changes to the logic that the tests noticed, of all that were tried; the others with their places."""

    tried: int
    noticed: int
    survived: tuple[tuple[str, str], ...]

    @property
    def score(self) -> float:
        return self.noticed / self.tried if self.tried else 1.0


def prove(engine: RuleEngine, document: RuleDocument) -> Proof:
    """Run the attached tests, as far as they cost no more than `BUDGET`. Raises RuleUnusable for a rule that does not
    compile."""
    compiled = engine.compiled(document)
    tried, seen = _run(engine, compiled, document)
    sides = {(pointer, side) for pointer in _conditions(compiled.tree) for side in (True, False)}
    rows = _rows(document)
    missed = sorted(sides - seen)
    findings = [
        finding("test-fails", f"/tests/{index}", name=one.test.name, expected=_expected(one.test), given=_given(one))
        for index, one in enumerate(tried)
        if not one.passed
    ]
    if len(tried) < len(document.tests):
        findings.append(finding("tests-too-costly", f"/tests/{len(tried)}", limit=BUDGET, count=len(tried)))
    findings.extend(finding("branch-untested", pointer, Severity.NOTE) for pointer, _ in missed)
    findings.extend(
        finding("row-untested", f"/table/rows/{row - 1}", Severity.WARNING, row=row)
        for row, pointer in rows.items()
        if (pointer, True) not in seen
    )
    taken = sum((pointer, True) in seen for pointer in rows.values())
    whole = len(tried) == len(document.tests)
    return Proof(tried, len(sides), len(sides) - len(missed), len(rows), taken, tuple(findings), whole)


def mutate(engine: RuleEngine, document: RuleDocument, most: int = 200) -> Mutation:
    """Change the logic in `most` small ways, one at a time, and see whether a test fails.

    Comparisons lose or gain their bound, `and` becomes `or`, numbers move by one, codes of a list are left out. The
    tests are run on the oracle. Changes that mean the same as before cannot be noticed, so 1.0 is not always reached.
    """
    compiled = engine.compiled(document)
    tried, survived, spent = 0, [], Trace()
    for pointer, changed in _changes(compiled.tree):
        if tried >= most or spent.steps > 10 * BUDGET:
            break
        tried += 1
        mutant = replace(compiled, tree=changed)
        if all(_still(mutant, document, test, spent) for test in document.tests):
            survived.append((pointer, "the tests do not notice"))
    return Mutation(tried, tried - len(survived), tuple(survived))


def _try(engine: RuleEngine, document: RuleDocument, test: AttachedTest, shape: Shape) -> Tried:
    evaluated = engine.evaluate(document, test.facts)
    if test.indeterminate or evaluated.indeterminate:
        passed = test.indeterminate and evaluated.indeterminate and evaluated.outcome == test.outcome
    elif shape is Shape.NUMBER:
        passed = evaluated.number == test.outcome
    else:
        keys = test.outcome if isinstance(test.outcome, tuple) else (test.outcome,)
        passed = evaluated.outcomes == keys
    return Tried(test, evaluated, passed)


def _expected(test: AttachedTest) -> str:
    return "indeterminate" if test.indeterminate else str(test.outcome)


def _given(tried: Tried) -> str:
    evaluated = tried.evaluated
    return f"indeterminate ({evaluated.reason.value})" if evaluated.reason else evaluated.outcome or "nothing"


def _conditions(tree: Node) -> Iterator[str]:
    """The pointers of conditions of `if`s that could go either way, outside of lists."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        match node:
            case Call(operator="if"):
                for condition in node.arguments[:-1:2]:
                    if not _fixed(condition):
                        yield condition.pointer
                waiting.extend(node.arguments)
            case Call(operator="map" | "filter" | "all" | "some" | "none" | "reduce"):
                waiting.append(node.arguments[0])
            case Call():
                waiting.extend(node.arguments)
            case Items():
                waiting.extend(node.items)
            case Switch():
                waiting.extend((node.on, *(case.result for case in node.cases), node.otherwise))


def _fixed(node: Node) -> bool:
    return not any(isinstance(part, Var | Names) for part in walk(node))


def _run(
    engine: RuleEngine, compiled: Compiled, document: RuleDocument
) -> tuple[tuple[Tried, ...], set[tuple[str, bool]]]:
    """The tests with what came of them, and the sides of conditions that they took."""
    tried: list[Tried] = []
    seen: set[tuple[str, bool]] = set()
    steps = 0
    for test in document.tests:
        if steps > BUDGET:
            break
        trace = Trace()
        with suppress(Undecided):  # what it asked before it stopped was asked
            answer(compiled.tree, normalised(compiled, test.facts), trace)
        seen.update(trace.conditions.items())
        steps += trace.steps
        tried.append(_try(engine, document, test, compiled.point.shape))
    return tuple(tried), seen


def _rows(document: RuleDocument) -> dict[int, str]:
    """The pointer of each row's condition in the compiled table."""
    if document.table is None:
        return {}
    hits: list[str] = []
    waiting: list[tuple[Any, str]] = [(document.logic, "/logic")]
    while waiting and not hits:
        here, pointer = waiting.pop(0)
        match here:
            case {"if": [*parts]} if len(parts) == 2 * len(document.table.rows) + 1 and pointer == "/logic":
                hits = [f"{pointer}/if/{2 * row}/and" for row in range(len(document.table.rows))]
            case {"merge": [*parts]}:
                hits = [f"{pointer}/merge/{row}/if/0/and" for row in range(len(parts))]
            case {"+": [0, *parts]}:
                hits = [f"{pointer}/+/{row + 1}/if/0/and" for row in range(len(parts))]
            case dict():
                waiting.extend(
                    (part, f"{pointer}/{name}/{place}")
                    for name, given in here.items()
                    for place, part in enumerate(given if isinstance(given, list) else [])
                )
    return dict(enumerate(hits, start=1))


def _still(mutant: Compiled, document: RuleDocument, test: AttachedTest, spent: Trace) -> bool:
    trace = Trace()
    try:
        given = answer(mutant.tree, normalised(mutant, test.facts), trace)
    except Undecided:
        return test.indeterminate
    finally:
        spent.steps += trace.steps
    expected = list(test.outcome) if isinstance(test.outcome, tuple) else test.outcome
    if test.indeterminate:
        return given not in document.outcomes if isinstance(given, str) else False
    return bool(given == expected)


_SWAPPED = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "and": "or", "or": "and", "==": "!=", "+": "-"}


def _changes(tree: Node) -> Iterator[tuple[str, Node]]:
    for node in walk(tree):
        for changed in _changed(node):
            yield node.pointer, _put(tree, node, changed)


def _changed(node: Node) -> Iterator[Node]:
    match node:
        case Call() if node.operator in _SWAPPED and len(node.arguments) > 1:
            if not (node.operator in {"and", "or"} and sum(not _fixed(part) for part in node.arguments) < 2):
                yield replace(node, operator=_SWAPPED[node.operator])
        case Literal(value=bool()):
            return
        case Literal(value=int() | float() as value):
            yield replace(node, value=value + 1)
        case Items() if len(node.items) > 1:
            yield replace(node, items=node.items[1:])


def _put(tree: Node, old: Node, new: Node) -> Node:
    """The tree with one node changed, found by identity."""
    if tree is old:
        return new
    match tree:
        case Call():
            return replace(tree, arguments=tuple(_put(part, old, new) for part in tree.arguments))
        case Items():
            return replace(tree, items=tuple(_put(part, old, new) for part in tree.items))
        case Switch():
            cases = tuple(replace(case, result=_put(case.result, old, new)) for case in tree.cases)
            return replace(tree, on=_put(tree.on, old, new), cases=cases, otherwise=_put(tree.otherwise, old, new))
    return tree
