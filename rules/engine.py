"""Evaluating a rule: the one place that calls the JSONLogic evaluator, and every guard that it needs.

The evaluator is a native library. The guards are for what was measured of it (ADR on the rules engine): it ends the
process on values nested thousands deep, panics with an exception that `except Exception` does not see, compares null
with numbers without complaint, and would work on a doubling rule for ever.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from datalogic_py import DataLogicError, Engine, Rule

from domain.errors import RuleUnusable
from rules.document import MAX_DEPTH, Facts, RuleDocument, depth_of

_OPERATIONS = 100_000
_CONFIG = {
    "preset": "strict",
    "missing_var": "error",
    "division_by_zero": "throw_error",
    "ops_budget": _OPERATIONS,
}


class Why(StrEnum):
    """Why a rule gave no answer."""

    MISSING_FACT = "missing-fact"
    ERROR = "error"
    BUDGET = "budget"


@dataclass(frozen=True)
class Evaluated:
    """The rule's outcome, or the fallback's with the reason and the facts that were missing."""

    outcome: str
    reason: Why | None = None
    missing: tuple[str, ...] = ()

    @property
    def indeterminate(self) -> bool:
        return self.reason is not None


class RuleEngine:
    """Compiles a document once and evaluates it any number of times, from any thread."""

    def __init__(self) -> None:
        self._engine = Engine(config=_CONFIG)
        self._compiled: dict[str, Rule] = {}

    def evaluate(self, document: RuleDocument, facts: Facts) -> Evaluated:
        """The rule's answer to these facts; the fallback, marked indeterminate, when it cannot give one.

        Raises RuleUnusable only for a document that no facts could save.
        """
        rule = self._rule(document)
        given = {name: value for name, value in facts.items() if value is not None}
        known = set(document.facts) & set(given)
        missing = tuple(sorted(set(document.facts) - known))
        # The depth before anything else looks at them; then an unknown code is no ground to answer as for a known one.
        if depth_of(given) > MAX_DEPTH or not all(document.facts[name].fits(given[name]) for name in known):
            return Evaluated(document.fallback, Why.ERROR, missing)
        try:
            text, _operations = rule.evaluate_metered(given)
            outcome = json.loads(text)
        except DataLogicError as error:
            return Evaluated(document.fallback, _why(error), missing)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as panic:  # PanicException: the native library's own, outside of Exception
            if type(panic).__name__ != "PanicException":
                raise
            return Evaluated(document.fallback, Why.ERROR, missing)
        if not isinstance(outcome, str) or outcome not in document.outcomes:
            return Evaluated(document.fallback, Why.ERROR, missing)
        return Evaluated(outcome)

    def _rule(self, document: RuleDocument) -> Rule:
        digest = document.digest
        if digest not in self._compiled:
            self._compiled[digest] = self._compile(document)
        return self._compiled[digest]

    def _compile(self, document: RuleDocument) -> Rule:
        logic = json.dumps(document.logic)  # as text: a Python str would itself be read as JSON text
        for problem in self._engine.check(logic, "strict"):
            raise RuleUnusable(problem["message"], pointer=f"/logic{problem['pointer']}")
        rule = self._engine.compile_checked(logic)
        reads = rule.facts()
        if reads["computed_reads"] or not reads["deterministic"]:
            raise RuleUnusable("a rule reads named facts only, and no clock", pointer="/logic")
        for path in reads["reads"]:
            if ".".join(path) not in document.facts:
                raise RuleUnusable(f"reads {'.'.join(path)!r}, which is not among its facts", pointer="/logic")
        return rule


def _why(error: DataLogicError) -> Why:
    kind: Any = getattr(error, "error_type", None)
    return {"VariableNotFound": Why.MISSING_FACT, "BudgetExceeded": Why.BUDGET}.get(kind, Why.ERROR)
