"""What a rule's tests show, and what they would let through."""

from __future__ import annotations

from typing import Any

import pytest

from domain.decisions import DecisionPoint
from rules.engine import RuleEngine
from rules.library import shipped
from rules.proof import mutate, prove
from rules.tables.compiling import compile_table
from rules.tables.model import Table
from tests.rulebook import REGISTRY, rule, yes_if

ENGINE = RuleEngine(REGISTRY)
OPEN = {"name": "open", "facts": {}, "outcome": "no", "indeterminate": True}


def case(name: str, outcome: Any, **facts: Any) -> dict[str, Any]:
    return {"name": name, "facts": facts, "outcome": outcome}


def test_a_test_fails_with_what_was_expected_and_what_came() -> None:
    wrong = rule(yes_if({"var": "on"}), tests=[OPEN, case("wrong", "yes", on=False), case("open after all", "yes")])
    proof = prove(ENGINE, wrong)
    assert not proof.passed
    assert [(one.pointer, one.en) for one in proof.findings if one.refuses] == [
        ("/tests/1", "The test wrong expects yes and gets no."),
        ("/tests/2", "The test open after all expects yes and gets indeterminate (missing-fact)."),
    ]


def test_both_sides_of_a_condition_count() -> None:
    below = {"<": [{"var": "spo2"}, 92]}
    one_side = prove(ENGINE, rule(yes_if(below), tests=[OPEN, case("low", "yes", spo2=91)]))
    assert (one_side.branches, one_side.branches_taken, one_side.branch_coverage) == (2, 1, 0.5)
    assert [one.code for one in one_side.findings] == ["branch-untested"]
    both = prove(ENGINE, rule(yes_if(below), tests=[OPEN, case("low", "yes", spo2=91), case("not", "no", spo2=92)]))
    assert (both.branch_coverage, both.findings) == (1.0, ())


@pytest.mark.parametrize(
    ("hit", "point", "expected"),
    [("first", "yes-or-no", "yes"), ("collect", "which", ["yes"]), ("unique", "yes-or-no", "yes")],
)
def test_a_row_that_answers_no_test_is_named(hit: str, point: str, expected: Any) -> None:
    rows = [{"when": [{"above": 100}], "then": "yes"}, {"when": [{"below": 50}], "then": "no"}]
    table = Table.model_validate({"hit": hit, "columns": ["pulse"], "rows": rows})
    document = rule(
        compile_table(table),
        table={"hit": hit, "columns": ["pulse"], "rows": rows},
        decision_point=point,
        tests=[OPEN, case("fast", expected, pulse=101)],
    )
    proof = prove(ENGINE, document)
    assert (proof.rows, proof.rows_taken, proof.row_coverage) == (2, 1, 0.5)
    assert [(one.pointer) for one in proof.findings if one.code == "row-untested"] == ["/table/rows/1"]


def test_tests_on_one_side_of_a_threshold_do_not_notice_that_it_moves() -> None:
    below = yes_if({"<": [{"var": "spo2"}, 92]})
    weak = mutate(ENGINE, rule(below, tests=[OPEN, case("low", "yes", spo2=50), case("high", "no", spo2=99)]))
    assert (weak.tried, weak.noticed) == (2, 0)
    strong = mutate(ENGINE, rule(below, tests=[OPEN, case("low", "yes", spo2=91.9), case("at", "no", spo2=92)]))
    assert (strong.score, strong.survived) == (1.0, ())


@pytest.mark.parametrize("document", shipped().values(), ids=lambda document: document.id)
def test_the_library_s_tests_take_every_row_and_notice_most_slips(document: Any) -> None:
    engine = RuleEngine()
    proof = prove(engine, document)
    assert (proof.passed, proof.row_coverage) == (True, 1.0)
    assert proof.branch_coverage > 0.9
    # The two scores repeat their sum for each threshold, and most changes to one copy mean nothing.
    if document.decision_point not in {DecisionPoint.EARLY_WARNING, DecisionPoint.READMISSION_RISK}:
        assert mutate(engine, document, most=40).score >= 0.9


def test_tests_that_cost_too_much_are_not_all_run_and_prove_nothing() -> None:
    numbers = {
        "map": [list(range(300)), {"+": [{"reduce": [list(range(100)), {"+": [{"var": "accumulator"}, 1]}, 0]}, 1]}]
    }
    endless = yes_if({"and": [{"var": "on"}, {"some": [numbers, {"<": [{"var": ""}, 0]}]}]})
    document = rule(endless, tests=[OPEN, *(case(f"dear {number}", "no", on=True) for number in range(2_500))])
    proof = prove(ENGINE, document)
    assert (proof.whole, proof.passed, all(tried.passed for tried in proof.tests)) == (False, False, True)
    assert 5 < len(proof.tests) < 50
    (refused,) = [found for found in proof.findings if found.refuses]
    assert (refused.code, refused.pointer) == ("tests-too-costly", f"/tests/{len(proof.tests)}")
    assert "시험" in refused.ko
    assert mutate(ENGINE, document, most=5).tried <= 5
