"""What a rule's tests would let through: small changes, tried everywhere in the rule, told where no test notices."""

from __future__ import annotations

from typing import Any

from rules.engine import RuleEngine
from rules.mutating import mutate
from tests.rulebook import REGISTRY, rule, yes_if

ENGINE = RuleEngine(REGISTRY)
OPEN = {"name": "open", "facts": {}, "outcome": "no", "indeterminate": True}
LIE = {"name": "a lie", "facts": {"spo2": 980, "on": False}, "outcome": "no", "indeterminate": True}
BELOW = yes_if({"<": [{"var": "spo2"}, 92]})


def case(name: str, outcome: Any, **facts: Any) -> dict[str, Any]:
    return {"name": name, "facts": facts, "outcome": outcome}


def test_tests_on_one_side_of_a_threshold_do_not_notice_that_it_moves() -> None:
    weak = mutate(ENGINE, rule(BELOW, tests=[OPEN, case("low", "yes", spo2=50), case("high", "no", spo2=99)]))
    assert (weak.tried, weak.noticed) == (2, 0)
    assert weak.survived == (("/logic/if/0/<", "< → <="), ("/logic/if/0/</1", "92 → 93"))
    strong = mutate(ENGINE, rule(BELOW, tests=[OPEN, case("low", "yes", spo2=91.9), case("at", "no", spo2=92)]))
    assert (strong.score, strong.survived, strong.possible) == (1.0, (), 2)


def test_a_fact_that_lies_or_is_missing_notices_no_change() -> None:
    """The rule is never asked for a lie, and a missing fact is missing in every version of it."""
    found = mutate(ENGINE, rule(BELOW, tests=[OPEN, LIE]))
    assert (found.passed, found.tried, found.noticed, found.score) == (True, 2, 0, 0.0)


def test_a_test_that_expects_no_answer_notices_when_there_is_one() -> None:
    table = {"hit": "first", "columns": ["pulse"], "rows": [{"when": [{"below": 50}], "then": "yes"}]}
    chain = {"if": [{"and": [{"<": [{"var": "pulse"}, 50]}]}, "yes", "no-row"]}
    at = case("nobody answers for 50", "no", pulse=50) | {"indeterminate": True}
    found = mutate(ENGINE, rule(chain, table=table, outcomes=_outcomes(), tests=[at]))
    assert (found.tried, found.noticed) == (2, 2)


def test_where_a_test_fails_no_change_is_tried() -> None:
    found = mutate(ENGINE, rule(BELOW, tests=[OPEN, case("wrong", "no", spo2=50)]))
    assert (found.passed, found.possible, found.tried, found.score) == (False, 2, 0, 0.0)


def test_of_more_changes_than_are_tried_some_from_everywhere_are_and_each_time_the_same() -> None:
    long = yes_if({"or": [{"==": [{"var": "pulse"}, number]} for number in range(100)]})
    document = rule(
        long, tests=[OPEN, *(case(f"at {n}", "yes", pulse=n) for n in range(50)), case("x", "no", pulse=200)]
    )
    found = mutate(ENGINE, document, most=60)
    assert (found.possible, found.tried) == (201, 60)
    assert found == mutate(ENGINE, document, most=60)
    places = {int(pointer.split("/")[5]) for pointer, _ in found.survived if pointer.count("/") > 4}
    assert min(places) < 60
    assert max(places) > 90


def test_the_value_of_a_case_is_changed_as_well() -> None:
    chosen = {"switch": [{"var": "ward"}, [["a", 1], ["b", 2]], 3]}
    tests = [OPEN, case("a", 1, ward="a"), case("b", 2, ward="b"), case("c", 3, ward="c")]
    found = mutate(ENGINE, rule(chosen, decision_point="how-much", tests=tests))
    assert (found.score, found.tried) == (1.0, 3)


def _outcomes() -> dict[str, Any]:
    return {key: {"values": {}, "text": {"ko": "예", "en": "Yes"}} for key in ("yes", "no")}
