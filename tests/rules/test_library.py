"""The shipped rules prove themselves: every attached test of every file, and the shape that the processes rely on."""

from __future__ import annotations

import pytest

from domain.decisions import DecisionPoint
from domain.worklist import Priority
from rules.checking.checker import check_document
from rules.document import AttachedTest, RuleDocument
from rules.engine import RuleEngine, Why
from rules.library import shipped
from rules.points import Shape, shipped_registry
from rules.proof import prove

ENGINE = RuleEngine()


def answer_of(rule: RuleDocument, test: AttachedTest) -> object:
    """What the rule says, in the form in which a test expects it; None when it is left open."""
    evaluated = ENGINE.evaluate(rule, test.facts)
    if evaluated.indeterminate:
        return None
    if shipped_registry().point(rule.decision_point).shape is Shape.NUMBER:
        return evaluated.number
    return evaluated.outcomes if isinstance(test.outcome, tuple) else evaluated.outcome


@pytest.mark.parametrize("rule", shipped().values(), ids=lambda rule: rule.id)
def test_every_attached_test_gives_its_outcome(rule: RuleDocument) -> None:
    for test in rule.tests:
        assert answer_of(rule, test) == (None if test.indeterminate else test.outcome), test.name


@pytest.mark.parametrize("rule", shipped().values(), ids=lambda rule: rule.id)
def test_a_shipped_rule_leaves_the_checker_nothing_to_say(rule: RuleDocument) -> None:
    assert check_document(rule, shipped_registry()) == ()


@pytest.mark.parametrize("rule", shipped().values(), ids=lambda rule: rule.id)
def test_every_outcome_and_the_fallback_are_reached_by_an_attached_test(rule: RuleDocument) -> None:
    reached: set[object] = set()
    for test in rule.tests:
        if not test.indeterminate:
            reached.update(test.outcome if isinstance(test.outcome, tuple) else (test.outcome,))
    if shipped_registry().point(rule.decision_point).shape is not Shape.NUMBER:
        assert reached | {rule.fallback} == set(rule.outcomes)
    assert any(test.indeterminate for test in rule.tests)


@pytest.mark.parametrize("rule", shipped().values(), ids=lambda rule: rule.id)
def test_the_attached_tests_take_every_branch_both_ways_and_every_row(rule: RuleDocument) -> None:
    proof = prove(ENGINE, rule)
    assert proof.findings == ()
    assert (proof.passed, proof.branch_coverage, proof.row_coverage) == (True, 1.0, 1.0)


@pytest.mark.parametrize(
    ("priority", "minutes"), [(Priority.STAT, 15), (Priority.ASAP, 15), (Priority.URGENT, 30), (Priority.ROUTINE, 30)]
)
def test_a_bed_is_due_in_half_the_time_for_the_two_most_urgent_priorities(priority: Priority, minutes: int) -> None:
    rule = shipped()[DecisionPoint.BED_ASSIGNMENT_DUE]
    evaluated = ENGINE.evaluate(rule, {"priority": priority.value})
    assert rule.outcomes[evaluated.outcome].values["minutes"] == minutes


def test_a_priority_the_rule_does_not_know_is_not_taken_for_routine() -> None:
    rule = shipped()[DecisionPoint.BED_ASSIGNMENT_DUE]
    evaluated = ENGINE.evaluate(rule, {"priority": "STAT"})
    assert (evaluated.reason, evaluated.wrong) == (Why.WRONG_FACT, ("priority",))
    assert evaluated.outcome == rule.fallback


def test_every_declared_fact_is_supplied_somewhere() -> None:
    registry = shipped_registry()
    assert [path for path in registry.facts if not registry.supplied_by(path)] == []
