"""A rule that stops for want of facts names those that stand between it and its answer, and no others."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.decisions import DecisionPoint
from rules.engine import RuleEngine, Why, normalised
from rules.facts import nested
from rules.library import shipped
from rules.oracle import Undecided, answer
from tests.rulebook import REGISTRY, rule, yes_if
from tests.rules.random_rules import all_facts, conditions

ENGINE = RuleEngine(REGISTRY)
GLUCOSE, CULTURE = "2345-7", "600-7"


def missing(logic: Any, **facts: Any) -> tuple[str, ...]:
    return ENGINE.evaluate(rule(logic), facts).missing


def var(path: str) -> dict[str, str]:
    return {"var": path}


@pytest.mark.parametrize(
    ("result", "lacks"),
    [
        ({"test": GLUCOSE}, ("result.value", "result.patient_age_days")),
        ({"test": GLUCOSE, "flag": None, "value": None, "patient_age_days": 9_000}, ("result.value",)),
        ({"test": CULTURE}, ("result.flag",)),
        ({}, ("result.test", "result.flag", "result.value", "result.patient_age_days")),
    ],
)
def test_facts_that_only_other_rows_of_critical_value_need_are_not_named(
    result: dict[str, Any], lacks: tuple[str, ...]
) -> None:
    rule = shipped()[DecisionPoint.CRITICAL_VALUE]
    assert RuleEngine().evaluate(rule, {"result": result}).missing == lacks


def test_a_branch_that_is_not_taken_lacks_nothing() -> None:
    chosen = {"if": [var("on"), yes_if({"<": [var("spo2"), 92]}), yes_if({"<": [var("pulse"), 50]})]}
    assert missing(chosen, on=True) == ("spo2",)
    assert missing(chosen, on=False) == ("pulse",)
    assert missing(chosen) == ("on", "spo2", "pulse")


def test_what_an_unknown_condition_leads_to_on_both_sides_is_known() -> None:
    same = yes_if({"and": [{"if": [var("on"), False, False]}, {"<": [var("spo2"), 92]}]})
    assert missing(same) == ("on",)


def test_what_follows_a_part_that_fails_is_not_asked_for_even_behind_an_unknown_one() -> None:
    parts = [{"<": [var("spo2"), 92]}, var("on"), {"<": [var("pulse"), 50]}]
    assert missing(yes_if({"and": parts}), on=False) == ("spo2",)
    assert missing(yes_if({"and": parts}), on=True) == ("spo2", "pulse")
    assert missing(yes_if({"or": parts}), on=True) == ("spo2",)


def test_a_chain_is_followed_until_it_is_out_of_order() -> None:
    assert missing(yes_if({"<": [5, 3, var("spo2")]})) == ()  # no fact is asked for at all
    assert missing(yes_if({"and": [var("on"), {"<": [3, var("pulse"), 9]}]})) == ("on", "pulse")


def test_a_choice_among_codes_lacks_what_its_own_case_needs() -> None:
    chosen = yes_if({"<": [{"switch": [var("ward"), [["a", var("spo2")], ["b", 95]], 1]}, {"max": [var("spo2"), 92]}]})
    assert missing(chosen) == ("ward", "spo2")
    assert missing(yes_if({"switch": [var("ward"), [["a", var("on")], ["b", True]], False]}), ward="a") == ("on",)


def test_lists_that_are_there_are_looked_through_and_those_that_are_not_are_named() -> None:
    some = {"some": [var("flags"), {"==": [var(""), "a"]}]}
    assert missing(yes_if({"and": [some, var("on")]}), flags=["b"]) == ()
    assert missing(yes_if({"and": [some, var("on")]}), flags=["a"]) == ("on",)
    assert missing(yes_if({"and": [some, var("on")]})) == ("flags", "on")


def test_a_fact_that_lies_is_not_missing_and_what_it_hides_is() -> None:
    evaluated = ENGINE.evaluate(rule(yes_if({"and": [var("on"), {"<": [var("spo2"), 92]}]})), {"on": "yes"})
    assert (evaluated.wrong, evaluated.missing) == (("on",), ("spo2",))


def test_a_rule_of_very_much_work_names_the_fact_that_stopped_it() -> None:
    numbers = list(range(300))
    work = {"map": [numbers, {"+": [{"reduce": [numbers, {"+": [{"var": "accumulator"}, 1]}, 0]}, 1]}]}
    dear = {"some": [work, {"<": [var(""), 0]}]}
    assert missing(yes_if({"and": [var("on"), dear, var("on"), {"<": [var("spo2"), 1]}]}))[:1] == ("on",)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(conditions, all_facts, st.sets(st.sampled_from([fact.path for fact in REGISTRY.facts.values()])))
def test_the_first_one_stopped_the_rule_and_together_they_let_it_go_on(
    condition: Any, everything: dict[str, Any], held_back: set[str]
) -> None:
    document = rule(yes_if(condition))
    supplied = {path: value for path, value in everything.items() if path not in held_back}
    evaluated = ENGINE.evaluate(document, nested(supplied))
    if evaluated.reason is not Why.MISSING_FACT:
        return
    compiled = ENGINE.compiled(document)
    with pytest.raises(Undecided) as stopped:
        answer(compiled.tree, normalised(compiled, nested(supplied)))
    assert evaluated.missing[0] == stopped.value.missing
    assert set(evaluated.missing) <= held_back
    found = {path: everything[path] for path in evaluated.missing}
    assert ENGINE.evaluate(document, nested(supplied | found)).reason is not Why.MISSING_FACT
