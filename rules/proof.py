"""A rule's own tests: run, and what of the rule they reach. What they would notice: `rules.mutating`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from rules.document import AttachedTest, RuleDocument
from rules.engine import Compiled, Evaluated, RuleEngine, Why, fallen_back, judged, normalised
from rules.findings import Finding, Severity, finding
from rules.oracle import Trace, Undecided, answer
from rules.points import Shape
from rules.syntax import Call, Items, Names, Node, Switch, Var, walk

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
    branches: the two sides of every condition of an `if`, and the rows of a table, that some passing test takes.

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
    findings.extend(
        finding("branch-untested", pointer, Severity.NOTE, side_en=_SIDES[side][0], side_ko=_SIDES[side][1])
        for pointer, side in missed
    )
    findings.extend(
        finding("row-untested", f"/table/rows/{row - 1}", Severity.WARNING, row=row)
        for row, pointer in rows.items()
        if (pointer, True) not in seen
    )
    taken = sum((pointer, True) in seen for pointer in rows.values())
    whole = len(tried) == len(document.tests)
    return Proof(tried, len(sides), len(sides) - len(missed), len(rows), taken, tuple(findings), whole)


def passes(test: AttachedTest, evaluated: Evaluated, shape: Shape) -> bool:
    """Whether a rule's answer is what a test expects of it."""
    if test.indeterminate or evaluated.indeterminate:
        return test.indeterminate and evaluated.indeterminate and evaluated.outcome == test.outcome
    if shape is Shape.NUMBER:
        return evaluated.number == test.outcome
    keys = test.outcome if isinstance(test.outcome, tuple) else (test.outcome,)
    return evaluated.outcomes == keys


def followed(compiled: Compiled, tree: Node, document: RuleDocument, facts: Any, trace: Trace) -> Evaluated:
    """What the engine would say were `tree` the rule's logic, worked out with a trace; the facts are no lies."""
    try:
        return judged(document, compiled.point, answer(tree, normalised(compiled, facts), trace))
    except Undecided as undecided:
        why = Why.MISSING_FACT if undecided.missing else Why.BUDGET if undecided.spent else Why.ERROR
        return fallen_back(document, why)


_SIDES: Final = {
    True: ("is met", "충족되는"),
    False: ("is not met", "충족되지 않는"),
}


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
                    if not fixed(condition):
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


def fixed(node: Node) -> bool:
    """Whether a condition reads no fact, so that it goes one way only."""
    return not any(isinstance(part, Var | Names) for part in walk(node))


def _run(
    engine: RuleEngine, compiled: Compiled, document: RuleDocument
) -> tuple[tuple[Tried, ...], set[tuple[str, bool]]]:
    """The tests with what came of them, and the sides of conditions that those that pass took."""
    tried: list[Tried] = []
    seen: set[tuple[str, bool]] = set()
    steps = 0
    for test in document.tests:
        if steps > BUDGET:
            break
        trace = Trace()
        evaluated = engine.evaluate(document, test.facts)
        passed = passes(test, evaluated, compiled.point.shape)
        if not evaluated.wrong:  # of facts that lie, the engine asks nothing
            ours = followed(compiled, compiled.tree, document, test.facts, trace)
            if passed and (ours.outcomes, ours.reason) == (evaluated.outcomes, evaluated.reason):
                seen.update(trace.conditions.items())
        steps += trace.steps
        tried.append(Tried(test, evaluated, passed))
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
