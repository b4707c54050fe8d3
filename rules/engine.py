"""Evaluating a rule: the one place that calls the JSONLogic evaluator, and every guard that it needs.

The evaluator is a native library. The guards are for what was measured of it (ADR 0008, ADR 0019): it ends the process
on values nested thousands deep, panics with an exception that `except Exception` does not see, compares null with
numbers and text with times without complaint, and would work on a doubling rule for ever. So a rule is read and typed
by us before it is compiled, and the evaluator is given nothing but the facts that the rule reads, each of which has
been seen to be of its declared type.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock
from typing import Any, Final, NamedTuple

from datalogic_py import DataLogicError, Engine, Rule

from domain.errors import RuleUnusable
from rules.checking.checker import check_logic
from rules.document import RuleDocument
from rules.facts import Facts, look_up
from rules.findings import refuse
from rules.lacking import lacking
from rules.language import OPERATIONS_BUDGET
from rules.points import PointDefinition, Registry, Shape, shipped_registry
from rules.syntax import Node, Path, write
from rules.tables.compiling import NO_NUMBER, NO_ROW, ROWS_DISAGREE
from rules.taking import NOT_IT, Take

_CONFIG: Final = {
    "preset": "strict",
    "missing_var": "error",
    "division_by_zero": "throw_error",
    "ops_budget": OPERATIONS_BUDGET,
}


class Why(StrEnum):
    """Why a rule gave no answer."""

    MISSING_FACT = "missing-fact"
    WRONG_FACT = "wrong-fact"  # a fact is not of its declared type, code or range
    NO_ROW = "no-row"  # a table has no row for these facts
    ROWS_DISAGREE = "rows-disagree"  # a table's rows match that must not match together
    BUDGET = "budget"
    ERROR = "error"  # division by zero, an answer outside of the table, a defect of the evaluator


@dataclass(frozen=True)
class Evaluated:
    """The rule's answer, or the fallback with the reason.

    outcome: the key for a point that asks for one; the keys joined by a space for many; the number as text.
    outcomes: the keys, one or many.  number: for a numeric point.  missing: the facts that it needed and lacked;
    wrong: those that were not what they claim to be.
    """

    outcome: str
    reason: Why | None = None
    missing: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    number: float | None = None

    @property
    def indeterminate(self) -> bool:
        return self.reason is not None


class Reading(NamedTuple):
    """A fact that a rule reads: where it stands, how it is taken, whether it may be absent by right."""

    name: str
    path: Path
    take: Take
    absent: bool


@dataclass(frozen=True)
class Compiled:
    """A rule that may be evaluated: its native form, its tree, and the facts it reads.

    answers: what the evaluator's text means, known beforehand where the point asks for one outcome.
    """

    rule: Rule
    tree: Node
    point: PointDefinition
    reads: tuple[Reading, ...]
    answers: Mapping[str, Evaluated]


class RuleEngine:
    """Compiles a document once and evaluates it any number of times, from any thread.

    Compiled rules are kept by the document's digest, `keeps` of them, those used last.
    """

    def __init__(self, registry: Registry | None = None, *, keeps: int = 1_024) -> None:
        self._given_registry = registry
        self._engine = Engine(config=_CONFIG)
        self._keeps = keeps
        self._compiled: OrderedDict[str, Compiled] = OrderedDict()
        self._lock = Lock()

    @property
    def registry(self) -> Registry:
        return self._given_registry or shipped_registry()

    def evaluate(self, document: RuleDocument, facts: Facts) -> Evaluated:
        """The rule's answer to these facts; the fallback, marked indeterminate, when it cannot give one.

        Raises RuleUnusable only for a document that no facts could save.
        """
        compiled = self.compiled(document)
        given, missing, wrong = _supplied(compiled, facts)
        if wrong:
            return fallen_back(document, Why.WRONG_FACT, _lacked(compiled, given, missing), wrong)
        try:
            text, _operations = compiled.rule.evaluate_metered(given)
            if (known := compiled.answers.get(text)) is not None:
                return known
            answer = json.loads(text)
        except DataLogicError as error:
            why = _why(error)
            return fallen_back(document, why, _lacked(compiled, given, missing) if why is Why.MISSING_FACT else ())
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as panic:  # PanicException: the native library's own, outside of Exception
            if type(panic).__name__ != "PanicException":
                raise
            return fallen_back(document, Why.ERROR)
        return judged(document, compiled.point, answer)

    def compiled(self, document: RuleDocument) -> Compiled:
        """The rule ready to run. Raises RuleUnusable with the place of the first thing that is wrong with it."""
        digest = document.digest
        with self._lock:
            found = self._compiled.get(digest)
            if found is not None:
                self._compiled.move_to_end(digest)
                return found
        made = self._compile(document)
        with self._lock:
            self._compiled[digest] = made
            while len(self._compiled) > self._keeps:
                self._compiled.popitem(last=False)
        return made

    def _compile(self, document: RuleDocument) -> Compiled:
        point = self.registry.point(document.decision_point)
        checked = check_logic(document, self.registry)
        refuse(checked.findings)
        # What was read, in its one spelling, and as text: a Python str would itself be taken for JSON text.
        logic = json.dumps(write(checked.tree))
        try:
            problems = self._engine.check(logic, "strict")
            for problem in problems:
                if problem["severity"] == "error":
                    raise RuleUnusable(problem["message"], pointer=f"/logic{problem['pointer']}")
            rule = self._engine.compile_checked(logic)
        except DataLogicError as error:
            raise RuleUnusable(f"the evaluator does not take it: {type(error).__name__}", pointer="/logic") from error
        facts = self.registry.facts
        reads = tuple(
            Reading(name, tuple(name.split(".")), facts[name].take, facts[name].absent)
            for name in sorted(checked.reads)
        )
        one = document.outcomes if point.shape is Shape.ONE else ()
        answers = {json.dumps(key): Evaluated(key, outcomes=(key,)) for key in one}
        return Compiled(rule, checked.tree, point, reads, answers)


def judged(document: RuleDocument, point: PointDefinition, answer: Any) -> Evaluated:
    """What the logic's answer means: an outcome of the table, or the fallback with the reason."""
    match answer:
        case str() if answer in document.outcomes and point.shape is Shape.ONE:
            return Evaluated(answer, outcomes=(answer,))
        case list() if point.shape is Shape.MANY and all(key in document.outcomes for key in answer):
            return Evaluated(" ".join(answer), outcomes=tuple(answer))
        case int() | float() if point.shape is Shape.NUMBER and not isinstance(answer, bool):
            if abs(answer) < NO_NUMBER:
                return Evaluated(json.dumps(answer), number=answer)
            # Beyond it a number is not exact any more; nobody pays or waits by a number that is nearly right.
            return fallen_back(document, Why.NO_ROW if answer == NO_NUMBER else Why.ERROR)
        case str() if answer == NO_ROW:
            return fallen_back(document, Why.NO_ROW)
        case str() if answer == ROWS_DISAGREE:
            return fallen_back(document, Why.ROWS_DISAGREE)
    return fallen_back(document, Why.ERROR)


def fallen_back(
    document: RuleDocument, why: Why, missing: tuple[str, ...] = (), wrong: tuple[str, ...] = ()
) -> Evaluated:
    """The decision point's fallback, with the reason."""
    return Evaluated(document.fallback, why, missing, wrong, outcomes=(document.fallback,))


def _supplied(compiled: Compiled, facts: Facts) -> tuple[Facts, tuple[str, ...], tuple[str, ...]]:
    """What the rule reads, normalised, and the names of facts that are absent or not what they claim to be.

    Nothing deeper than a declared path and a record's field gets through, whatever the process supplied.
    """
    given: Facts = {}
    missing: list[str] = []
    wrong: list[str] = []
    for name, path, take, _ in compiled.reads:
        value = look_up(facts, path)
        if value is None:
            missing.append(name)
            continue
        taken = take(value)
        if taken is NOT_IT:
            wrong.append(name)
            continue
        here = given
        for part in path[:-1]:
            here = here.setdefault(part, {})
        here[path[-1]] = taken
    return given, tuple(missing), tuple(wrong)


def _lacked(compiled: Compiled, given: Facts, missing: tuple[str, ...]) -> tuple[str, ...]:
    """Of the missing facts those that the rule would have asked for, the one that stopped it first."""
    return missing if len(missing) == 1 else tuple(name for name in lacking(compiled.tree, given) if name in missing)


def normalised(compiled: Compiled, facts: Facts) -> Facts:
    """The facts as the evaluator is given them, those that are wrong left out."""
    return _supplied(compiled, facts)[0]


def _why(error: DataLogicError) -> Why:
    kind: Any = getattr(error, "error_type", None)
    return {"VariableNotFound": Why.MISSING_FACT, "BudgetExceeded": Why.BUDGET}.get(kind, Why.ERROR)
