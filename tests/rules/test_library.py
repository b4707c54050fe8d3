"""The shipped rules prove themselves: every attached test of every file, and the shape that the processes rely on."""

from __future__ import annotations

import pytest

from domain.decisions import DecisionPoint
from domain.worklist import Priority
from rules.document import AttachedTest, RuleDocument
from rules.engine import RuleEngine, Why
from rules.library import shipped

_ATTACHED = [(rule, test) for rule in shipped().values() for test in rule.tests]


@pytest.mark.parametrize(("rule", "test"), _ATTACHED, ids=[f"{rule.id}: {test.name}" for rule, test in _ATTACHED])
def test_an_attached_test_gives_its_outcome(rule: RuleDocument, test: AttachedTest) -> None:
    evaluated = RuleEngine().evaluate(rule, test.facts)
    assert (evaluated.outcome, evaluated.indeterminate) == (test.outcome, test.indeterminate)


@pytest.mark.parametrize("rule", shipped().values(), ids=lambda rule: rule.id)
def test_every_outcome_and_the_fallback_are_reached_by_an_attached_test(rule: RuleDocument) -> None:
    assert {test.outcome for test in rule.tests if not test.indeterminate} == set(rule.outcomes)
    assert any(test.indeterminate for test in rule.tests)


@pytest.mark.parametrize("rule", shipped().values(), ids=lambda rule: rule.id)
def test_every_code_of_a_coded_fact_is_tried(rule: RuleDocument) -> None:
    for name, fact in rule.facts.items():
        assert {test.facts.get(name) for test in rule.tests} >= set(fact.codes)


@pytest.mark.parametrize(
    ("priority", "minutes"), [(Priority.STAT, 15), (Priority.ASAP, 15), (Priority.URGENT, 30), (Priority.ROUTINE, 30)]
)
def test_a_bed_is_due_in_half_the_time_for_the_two_most_urgent_priorities(priority: Priority, minutes: int) -> None:
    rule = shipped()[DecisionPoint.BED_ASSIGNMENT_DUE]
    evaluated = RuleEngine().evaluate(rule, {"priority": priority.value})
    assert rule.outcomes[evaluated.outcome].values["minutes"] == minutes


def test_a_priority_the_rule_does_not_know_is_not_taken_for_routine() -> None:
    rule = shipped()[DecisionPoint.BED_ASSIGNMENT_DUE]
    evaluated = RuleEngine().evaluate(rule, {"priority": "STAT"})
    assert evaluated.reason is Why.ERROR
    assert evaluated.outcome == rule.fallback
