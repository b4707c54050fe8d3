"""Two evaluators, one by others in Rust and one by us in Python: they never differ on what the checker passes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from rules.document import RuleDocument
from rules.engine import Compiled, RuleEngine, Why, normalised
from rules.library import shipped
from rules.oracle import Trace, Undecided, answer
from tests.rulebook import REGISTRY, rule, yes_if
from tests.rules.random_rules import conditions, maybe_facts, plain_numbers

ENGINE = RuleEngine(REGISTRY)


def compare(logic: Any, facts: dict[str, Any]) -> None:
    document = rule(logic)
    native = ENGINE.evaluate(document, facts)
    compiled = ENGINE.compiled(document)
    ours, missing = asked(compiled, facts)
    if ours is None:
        assert native.reason is (Why.MISSING_FACT if missing else Why.ERROR), (logic, facts, native)
        assert not missing or missing in native.missing
    else:
        assert (native.outcome, native.reason) == (ours, None), (logic, facts)


def asked(compiled: Compiled, facts: dict[str, Any]) -> tuple[Any, str]:
    """The oracle's answer, or None and the fact that it missed."""
    try:
        return answer(compiled.tree, normalised(compiled, facts)), ""
    except Undecided as undecided:
        return None, undecided.missing


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(conditions, maybe_facts)
def test_engine_and_oracle_agree(condition: Any, facts: dict[str, Any]) -> None:
    compare(yes_if(condition), facts)


@pytest.mark.long
@settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(conditions, maybe_facts)
def test_engine_and_oracle_agree_ten_thousand_times_over(condition: Any, facts: dict[str, Any]) -> None:
    compare(yes_if(condition), facts)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(plain_numbers, maybe_facts)
def test_they_agree_on_numbers_to_the_last_digit(number: Any, facts: dict[str, Any]) -> None:
    document = rule(number, decision_point="how-much")
    native = ENGINE.evaluate(document, facts)
    ours, _ = asked(ENGINE.compiled(document), facts)
    assert (native.number, native.indeterminate) == (ours, ours is None)


@pytest.mark.parametrize("document", shipped().values(), ids=lambda document: document.id)
def test_they_agree_on_every_test_of_the_library(document: RuleDocument) -> None:
    engine = RuleEngine()
    compiled = engine.compiled(document)
    for test in document.tests:
        native = engine.evaluate(document, test.facts)
        ours, missing = asked(compiled, test.facts)
        if ours is None:
            assert native.reason in {Why.MISSING_FACT, Why.WRONG_FACT}, test.name
            assert missing in (*native.missing, *native.wrong), test.name
        elif isinstance(ours, list):
            assert native.outcomes == tuple(ours), test.name
        else:
            assert ours in {native.number, native.outcome}, test.name


def test_the_trace_tells_what_was_read_and_which_way_it_went() -> None:
    document = rule({"if": [{"<": [{"var": "spo2"}, 92]}, "yes", {"var": "on"}, "yes", "no"]})
    compiled = ENGINE.compiled(document)
    trace = Trace()
    assert answer(compiled.tree, {"spo2": 95, "on": False}, trace) == "no"
    assert trace.reads == {"spo2": 95, "on": False}
    assert trace.conditions == {"/logic/if/0/<": False, "/logic/if/2/var": False}
    assert trace.taken == ["/logic/if/4"]


def test_the_trace_names_the_fact_that_was_absent() -> None:
    trace = Trace()
    compiled = ENGINE.compiled(rule(yes_if({"<": [{"var": "spo2"}, 92]})))
    with pytest.raises(Undecided) as undecided:
        answer(compiled.tree, {}, trace)
    assert (undecided.value.missing, trace.reads) == ("spo2", {"spo2": None})
