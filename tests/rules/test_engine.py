"""The evaluator's guards: what cannot be answered falls back, and nothing in a rule or a fact ends the process."""

from __future__ import annotations

from typing import Any

import pytest

from domain.decisions import DecisionPoint
from domain.errors import RuleUnusable
from rules import document
from rules.document import RuleDocument, load
from rules.engine import RuleEngine, Why
from rules.library import shipped

_SHIPPED = shipped()[DecisionPoint.BED_ASSIGNMENT_DUE]


def rule(logic: Any, **changed: Any) -> RuleDocument:
    """The shipped rule with other logic, about a number `spo2` and a list `rows`."""
    raw = _SHIPPED.model_dump(mode="json")
    title = {"ko": "사실", "en": "a fact"}
    facts = {
        "spo2": {"type": "number", "unit": "%", "title": title},
        "rows": {"type": "instant", "title": title},
        "on": {"type": "boolean", "title": title},
    }
    return load(raw | {"logic": logic, "facts": facts} | changed)


def yes_if(condition: Any) -> Any:
    return {"if": [condition, "within-15-minutes", "within-30-minutes"]}


def test_the_two_sides_of_a_threshold() -> None:
    below_92 = rule(yes_if({"<": [{"var": "spo2"}, 92]}))
    assert RuleEngine().evaluate(below_92, {"spo2": 91.9}).outcome == "within-15-minutes"
    assert RuleEngine().evaluate(below_92, {"spo2": 92}).outcome == "within-30-minutes"


@pytest.mark.parametrize("facts", [{}, {"spo2": None}], ids=["absent", "null"])
def test_a_missing_fact_is_named_and_the_fallback_stands(facts: dict[str, Any]) -> None:
    evaluated = RuleEngine().evaluate(rule(yes_if({"<": [{"var": "spo2"}, 92]})), facts | {"rows": "", "on": True})
    assert (evaluated.reason, evaluated.missing) == (Why.MISSING_FACT, ("spo2",))
    assert evaluated.outcome == _SHIPPED.fallback


def test_a_fact_that_is_missing_but_not_read_does_not_matter() -> None:
    assert not RuleEngine().evaluate(rule("within-15-minutes"), {}).indeterminate


@pytest.mark.parametrize("value", ["91", True, [91]])
def test_a_fact_of_another_type_is_not_compared(value: Any) -> None:
    evaluated = RuleEngine().evaluate(rule(yes_if({"<": [{"var": "spo2"}, 92]})), {"spo2": value})
    assert evaluated.reason is Why.ERROR


def test_a_division_by_zero_gives_no_answer() -> None:
    divided = rule(yes_if({"<": [{"/": [1, {"var": "spo2"}]}, 92]}))
    assert RuleEngine().evaluate(divided, {"spo2": 0}).reason is Why.ERROR


def test_an_answer_outside_of_the_outcome_table_is_no_answer() -> None:
    assert RuleEngine().evaluate(rule({"var": "rows"}), {"rows": "elsewhere"}).reason is Why.ERROR
    assert RuleEngine().evaluate(rule({"var": "spo2"}), {"spo2": 1}).reason is Why.ERROR


def test_work_without_end_is_stopped_by_the_budget() -> None:
    numbers = list(range(60))
    work: Any = {"+": [{"var": ""}, 1]}
    for _ in range(4):
        work = {"map": [numbers, work]}
    assert RuleEngine().evaluate(rule(yes_if({"in": [{"var": "spo2"}, work]})), {"spo2": 0}).reason is Why.BUDGET


class PanicException(BaseException):  # the native library's own name for it
    """Stands for the exception that a defect in the native library raises, outside of `Exception`."""


def test_a_panic_of_the_native_library_is_an_answer_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Panicking:
        def evaluate_metered(self, _facts: Any) -> tuple[str, int]:
            raise PanicException("index out of bounds")

    engine = RuleEngine()
    monkeypatch.setattr(engine, "_rule", lambda _document: Panicking())
    assert engine.evaluate(_SHIPPED, {"priority": "stat"}).reason is Why.ERROR


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def test_facts_nested_ten_thousand_deep_do_not_end_the_process() -> None:
    assert RuleEngine().evaluate(rule("within-15-minutes"), {"spo2": nested(20_000)}).reason is Why.ERROR


@pytest.mark.parametrize(("depth", "usable"), [(document.MAX_DEPTH - 2, True), (document.MAX_DEPTH - 1, False)])
def test_a_rule_may_be_nested_only_so_deep(depth: int, usable: bool) -> None:
    if usable:
        assert rule(nested(depth))
    else:
        with pytest.raises(RuleUnusable):
            rule(nested(depth))


def test_a_rule_nested_ten_thousand_deep_is_refused_in_words() -> None:
    with pytest.raises(RuleUnusable) as refused:
        rule(nested(20_000))
    assert refused.value.params["pointer"].startswith("/logic/0")


def test_a_rule_of_too_many_values_is_refused() -> None:
    with pytest.raises(RuleUnusable, match="more than"):
        rule(list(range(document.MAX_NODES)))


@pytest.mark.parametrize(
    ("logic", "pointer"),
    [
        (yes_if({"vr": "spo2"}), "/logic/if/0"),
        (yes_if({"<": [{"var": "sp02"}, 92]}), "/logic"),
        (yes_if({"<": [{"var": {"var": "rows"}}, 92]}), "/logic"),
        (yes_if({"==": [{"now": []}, "x"]}), "/logic"),
    ],
    ids=["unknown operator", "undeclared fact", "computed path", "the clock"],
)
def test_a_rule_that_cannot_be_evaluated_safely_is_refused_where_it_is_wrong(logic: Any, pointer: str) -> None:
    with pytest.raises(RuleUnusable) as refused:
        RuleEngine().evaluate(rule(logic), {"spo2": 1, "rows": "", "on": True})
    assert refused.value.params["pointer"] == pointer


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"fallback": "elsewhere"}, ""),
        ({"tests": []}, "/tests"),
        ({"profile": "js"}, "/profile"),
        ({"facts": {"spo2": {"type": "number", "title": {"ko": "가", "en": "a"}}}}, "/facts/spo2"),
        ({"unknown": 1}, "/unknown"),
    ],
    ids=["no fallback", "no tests", "another profile", "a quantity without a unit", "an unknown element"],
)
def test_a_document_that_does_not_hold_together_is_refused(changed: dict[str, Any], pointer: str) -> None:
    with pytest.raises(RuleUnusable) as refused:
        load(_SHIPPED.model_dump(mode="json") | changed)
    assert refused.value.params["pointer"] == pointer


def test_the_same_document_has_the_same_digest_however_it_is_written() -> None:
    raw = _SHIPPED.model_dump(mode="json")
    assert load(dict(reversed(raw.items()))).digest == _SHIPPED.digest
    assert load(raw | {"version": "1.0.1"}).digest != _SHIPPED.digest
