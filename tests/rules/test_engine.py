"""The evaluator's guards: what cannot be answered falls back, and nothing in a rule or a fact ends the process."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import Any

import pytest

from domain.errors import RuleUnusable
from rules import document
from rules.document import load
from rules.engine import RuleEngine, Why
from tests.rulebook import REGISTRY, raw, rule, yes_if


@pytest.fixture
def engine() -> RuleEngine:
    return RuleEngine(REGISTRY)


BELOW_92 = yes_if({"<": [{"var": "spo2"}, 92]})


def test_the_two_sides_of_a_threshold(engine: RuleEngine) -> None:
    assert engine.evaluate(rule(BELOW_92), {"spo2": 91.9}).outcome == "yes"
    assert engine.evaluate(rule(BELOW_92), {"spo2": 92}).outcome == "no"


@pytest.mark.parametrize("facts", [{}, {"spo2": None}, {"spo2.": 1}], ids=["absent", "null", "under another name"])
def test_a_missing_fact_is_named_and_the_fallback_stands(engine: RuleEngine, facts: dict[str, Any]) -> None:
    evaluated = engine.evaluate(rule(BELOW_92), facts)
    assert (evaluated.outcome, evaluated.reason, evaluated.missing) == ("no", Why.MISSING_FACT, ("spo2",))


def test_a_fact_that_is_missing_but_not_asked_for_does_not_matter(engine: RuleEngine) -> None:
    either = {"if": [{"var": "on"}, "yes", {"<": [{"var": "spo2"}, 92]}, "yes", "no"]}
    assert engine.evaluate(rule(either), {"on": True}).outcome == "yes"
    assert engine.evaluate(rule(either), {"on": False}).missing == ("spo2",)


@pytest.mark.parametrize(
    "value", ["91", True, [91], {"value": 91}, float("nan"), float("inf"), 101, -1, 2**53, 10**400]
)
def test_a_fact_that_lies_about_its_type_is_named(engine: RuleEngine, value: Any) -> None:
    evaluated = engine.evaluate(rule(BELOW_92), {"spo2": value})
    assert (evaluated.outcome, evaluated.reason, evaluated.wrong) == ("no", Why.WRONG_FACT, ("spo2",))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("ward", "d"),
        ("ward", ["a"]),
        ("diagnosis", "24h"),
        ("diagnosis", "2026-01-01T00:00:00Z"),
        ("diagnosis", ""),
        ("diagnosis", "\ud800"),
        ("diagnosis", "I10\n"),
        ("diagnosis", "I" * 257),
        ("flags", ["a", "d"]),
        ("flags", "a"),
        ("pulse", 80.5),
        ("pulse", 10**400),
        ("bill", 1000.5),
        ("bill", -(10**400)),
        ("bill", float("nan")),
        ("on", "true"),
        ("on", 1),
        ("at", "2026-01-01"),
        ("at", "2026-01-01T00:00:00"),
        ("at", 1767225600),
        ("lines", [{"kind": "drug"}]),
        ("lines", [{"kind": "drug", "won": 1, "other": 2}]),
        ("lines", [{"kind": "drug", "won": "1"}]),
        ("lines", ["drug"]),
    ],
)
def test_each_type_tells_a_lie_from_a_value(engine: RuleEngine, path: str, value: Any) -> None:
    fact: Any = {"var": path}
    reading = {
        "ward": {"==": [fact, "a"]},
        "diagnosis": {"==": [fact, "I10"]},
        "flags": {"in": ["a", fact]},
        "pulse": {"<": [fact, 1]},
        "bill": {"<": [fact, 1]},
        "on": fact,
        "at": {"<": [fact, "2026-01-01T00:00:00Z"]},
        "lines": {"some": [fact, {"==": [{"var": "kind"}, "drug"]}]},
    }
    assert engine.evaluate(rule(yes_if(reading[path])), {path: value}).wrong == (path,)


def test_a_lie_that_the_rule_does_not_read_does_not_matter(engine: RuleEngine) -> None:
    assert engine.evaluate(rule(BELOW_92), {"spo2": 90, "ward": 7}).outcome == "yes"


def test_instants_are_compared_as_instants_whatever_their_offset(engine: RuleEngine) -> None:
    before = rule(yes_if({"<": [{"var": "at"}, "2026-01-01T00:00:00Z"]}))
    assert engine.evaluate(before, {"at": "2026-01-01T08:59:59+09:00"}).outcome == "yes"
    assert engine.evaluate(before, {"at": "2026-01-01T09:00:00+09:00"}).outcome == "no"


def test_a_division_by_zero_gives_no_answer(engine: RuleEngine) -> None:
    divided = rule(yes_if({"<": [{"/": [1, {"var": "spo2"}]}, 92]}))
    assert engine.evaluate(divided, {"spo2": 0}).reason is Why.ERROR


def test_work_without_end_is_stopped_by_the_budget(engine: RuleEngine) -> None:
    numbers = list(range(60))
    work: Any = {"+": [{"var": ""}, 1]}
    for _ in range(3):
        work = {"reduce": [{"map": [numbers, work]}, {"+": [{"var": "accumulator"}, {"var": "current"}]}, 0]}
    endless = {"some": [{"map": [numbers, work]}, {"<": [{"var": ""}, 0]}]}
    spent = engine.evaluate(rule(yes_if({"and": [{"var": "on"}, endless]})), {"on": True})
    assert spent.reason is Why.BUDGET


class PanicException(BaseException):  # the native library's own name for it
    """Stands for the exception that a defect in the native library raises, outside of `Exception`."""


class Panicking:
    def __init__(self, error: BaseException) -> None:
        self._error = error

    def evaluate_metered(self, _facts: Any) -> tuple[str, int]:
        raise self._error


@pytest.mark.parametrize("error", [PanicException("index out of bounds"), KeyboardInterrupt(), RuntimeError()])
def test_a_panic_of_the_native_library_is_an_answer_that_is_missing(
    engine: RuleEngine, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    from dataclasses import replace

    compiled = engine.compiled(rule(BELOW_92))
    broken: Any = Panicking(error)
    monkeypatch.setattr(engine, "compiled", lambda _document: replace(compiled, rule=broken))
    if isinstance(error, PanicException):
        assert engine.evaluate(rule(BELOW_92), {"spo2": 1}).reason is Why.ERROR
    else:
        with pytest.raises(type(error)):
            engine.evaluate(rule(BELOW_92), {"spo2": 1})


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("path", ["spo2", "lines", "flags", "somewhere"])
def test_facts_nested_ten_thousand_deep_do_not_end_the_process(engine: RuleEngine, path: str) -> None:
    reads_all = yes_if(
        {"and": [{"<": [{"var": "spo2"}, 92]}, {"in": ["a", {"var": "flags"}]}, {"some": [{"var": "lines"}, True]}]}
    )
    facts = {"spo2": 1, "flags": [], "lines": []} | {path: nested(20_000)}
    assert engine.evaluate(rule(reads_all), facts).wrong == ((path,) if path != "somewhere" else ())


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


@pytest.mark.parametrize(
    "changed",
    [
        {"logic": list(range(document.MAX_NODES))},
        {"source": "x" * 256 * 1024},
        {"table": {"rows": [0] * (document.MAX_ROWS + 1)}},
        {"logic": float("nan")},
    ],
    ids=["too many values", "too many bytes", "too many rows", "not a number"],
)
def test_a_rule_that_is_too_large_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(RuleUnusable):
        load(raw(BELOW_92) | changed)


@pytest.mark.parametrize(
    ("logic", "pointer", "code"),
    [
        (yes_if({"vr": "spo2"}), "/logic/if/0/vr", "unknown-operator"),
        (yes_if({"not": [True]}), "/logic/if/0/not", "operator-kept-out"),
        (yes_if({"<": [{"var": "sp02"}, 92]}), "/logic/if/0/</0/var", "unknown-fact"),
        (yes_if({"<": [{"var": {"var": "ward"}}, 92]}), "/logic/if/0/</0/var", "computed-path"),
        (yes_if({"==": [{"now": []}, "x"]}), "/logic/if/0/==/0/now", "operator-kept-out"),
        (yes_if({"try": [True]}), "/logic/if/0/try", "operator-kept-out"),
        (yes_if({"==": [1, 1], "<": [1, 2]}), "/logic/if/0", "not-one-operator"),
        (yes_if({"!": [True, False]}), "/logic/if/0/!", "argument-count"),
        ({"if": [True, "yes"]}, "/logic/if", "argument-count"),
        ({"if": [True, {"yes": "no"}, "no"]}, "/logic/if/1/yes", "unknown-operator"),
        ({"if": [True, "maybe", "no"]}, "/logic/if/1", "outcome-unknown"),
        (yes_if({"var": ""}), "/logic/if/0/var", "whole-facts"),
        (yes_if({"var": "elsewhere"}), "/logic/if/0/var", "fact-not-supplied"),
        ({"var": "ward"}, "/logic/var", "outcome-shape"),
    ],
)
def test_a_rule_that_cannot_be_evaluated_safely_is_refused_where_it_is_wrong(
    engine: RuleEngine, logic: Any, pointer: str, code: str
) -> None:
    with pytest.raises(RuleUnusable) as refused:
        engine.evaluate(rule(logic), {"spo2": 1})
    assert (refused.value.params["pointer"], refused.value.params["finding"]) == (pointer, code)


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"fallback": "elsewhere"}, "/fallback"),
        ({"tests": []}, "/tests"),
        ({"profile": "js"}, "/profile"),
        ({"facts": ["Spo2"]}, "/facts/0"),
        ({"facts": ["spo2", "spo2"]}, "/facts"),
        ({"unknown": 1}, "/unknown"),
        ({"scope": {"level": "hospital"}}, "/scope/place"),
        ({"scope": {"level": "hospital", "place": "hanbit/icu"}}, "/scope/place"),
        ({"scope": {"level": "hospital", "place": "Hanbit"}}, "/scope/place"),
        ({"scope": {"level": "department", "place": "hanbit"}}, "/scope/place"),
        ({"scope": {"level": "department", "place": "hanbit/"}}, "/scope/place"),
        ({"scope": {"level": "department", "place": "hanbit/a/b"}}, "/scope/place"),
        ({"effective": {"since": 1767225600}}, "/effective/since"),
        ({"effective": {"since": "2026-01-01"}}, "/effective/since"),
        ({"effective": {"since": "0001-01-01T00:00:00+14:00"}}, "/effective/since"),
        ({"effective": {"until": "9999-12-31T23:59:59-14:00"}}, "/effective/until"),
        ({"effective": {"since": "2026-02-01T00:00:00Z", "until": "2026-01-01T00:00:00Z"}}, "/effective/until"),
    ],
)
def test_a_document_that_does_not_hold_together_is_refused(changed: dict[str, Any], pointer: str) -> None:
    with pytest.raises(RuleUnusable) as refused:
        load(raw(BELOW_92) | changed)
    assert refused.value.params["pointer"] == pointer


def test_what_is_no_object_is_refused() -> None:
    for value in ([], "rule", None, 1):
        with pytest.raises(RuleUnusable):
            load(value)


def test_the_same_document_has_the_same_digest_however_it_is_written() -> None:
    written = raw(BELOW_92)
    assert load(dict(reversed(written.items()))).digest == load(written).digest
    assert load(written | {"version": "1.0.1"}).digest != load(written).digest


def test_a_rule_is_compiled_once_and_only_so_many_are_kept() -> None:
    engine = RuleEngine(REGISTRY, keeps=2)
    rules = [rule(BELOW_92, version=f"1.0.{number}") for number in range(3)]
    first = engine.compiled(rules[0])
    assert engine.compiled(load(raw(BELOW_92))) is first
    engine.compiled(rules[1])
    engine.compiled(rules[0])
    engine.compiled(rules[2])
    assert engine.compiled(rules[0]) is first  # used last but one: the second went
    assert len(engine._compiled) == 2


def test_one_engine_answers_many_threads() -> None:
    engine = RuleEngine(REGISTRY, keeps=3)
    rules = [rule(yes_if({"<": [{"var": "pulse"}, limit]})) for limit in range(8)]

    def ask(number: int) -> bool:
        limit, pulse = number % 8, number % 11
        return engine.evaluate(rules[limit], {"pulse": pulse}).outcome == ("yes" if pulse < limit else "no")

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(ask, range(800)))


def test_a_point_may_ask_for_several_outcomes_or_a_number(engine: RuleEngine) -> None:
    several = rule({"merge": [["yes"], {"if": [{"var": "on"}, ["no"], []]}]}, decision_point="which", facts=["on"])
    assert engine.evaluate(several, {"on": True}).outcomes == ("yes", "no")
    assert engine.evaluate(several, {"on": False}).outcomes == ("yes",)
    counted = rule({"+": [{"if": [{"var": "on"}, 2.5, 0]}, 1]}, decision_point="how-much", facts=["on"])
    assert engine.evaluate(counted, {"on": True}).number == 3.5
    assert engine.evaluate(counted, {}).outcomes == ("no",)


def test_the_fact_that_stopped_the_rule_is_named_first_and_absences_by_right_are_not(engine: RuleEngine) -> None:
    reads = [{"<": [{"var": "weight"}, 3]}, {"<": [{"var": "spo2"}, 92]}]
    late = yes_if({"and": [{"!": [{"exists": ["since"]}]}, *reads]})
    assert engine.evaluate(rule(late), {}).missing == ("weight", "spo2")
    unguarded = yes_if({"<": [{"var": "since"}, "2026-01-01T00:00:00Z"]})
    assert engine.evaluate(rule(unguarded), {}).missing == ("since",)


def test_an_enumeration_s_member_is_its_code(engine: RuleEngine) -> None:
    class Ward(StrEnum):
        A = "a"

    both = yes_if({"and": [{"==": [{"var": "ward"}, "a"]}, {"in": ["a", {"var": "flags"}]}]})
    assert engine.evaluate(rule(both), {"ward": Ward.A, "flags": [Ward.A]}).outcome == "yes"


@pytest.mark.parametrize("facts", [[], None, "spo2", 3])
def test_what_is_no_object_of_facts_has_none(engine: RuleEngine, facts: Any) -> None:
    assert engine.evaluate(rule(BELOW_92), facts).missing == ("spo2",)
