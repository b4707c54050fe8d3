"""Other people's suites under plain JSONLogic. Where we differ, it is named here and in the documentation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rules import plain
from rules.plain import NoResult, PlainEvaluator

DATA = Path(__file__).parents[3] / "shared" / "data" / "rules"
given = pytest.mark.skipif(not DATA.is_dir(), reason="other people's suites are not beside this checkout")
PLAIN = PlainEvaluator()

DIFFERENT = {
    json.dumps(rule)
    for rule in (
        {"and": []},  # null here, false there
        {"or": []},
        {"!!": [{}]},  # an empty object is false here, true there
        {"!": [{}]},
        {"!!": {"val": "obj"}},
        {"if": [{}, "apple", "banana"]},
        {"if": [{}, "apple", 0, "banana", 7, "carrot", "date"]},
    )
}


def same(left: Any, right: Any) -> bool:
    """Equal as JSON: true is not 1, 1.0 is 1."""
    if isinstance(left, bool) != isinstance(right, bool):
        return False
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


def passes(case: dict[str, Any]) -> bool:
    try:
        result = PLAIN.evaluate(case["rule"], case.get("data"))
    except NoResult as error:
        return "error" in case and case["error"]["type"] == error.kind
    return "result" in case and same(result, case["result"])


@given
def test_all_280_shared_tests_of_jsonlogic_pass() -> None:
    cases = [case for case in json.loads((DATA / "jsonlogic-official" / "tests.json").read_text()) if len(case) == 3]
    cases = [case for case in cases if isinstance(case, list)]
    assert len(cases) == 280
    assert [case for case in cases if not same(PLAIN.evaluate(case[0], case[1]), case[2])] == []


@given
@pytest.mark.parametrize(
    ("suite", "count"),
    [
        ("compatible", 278),
        ("chained", 7),
        ("scopes", 4),
        ("truthiness", 13),
        ("control/and", 25),
        ("control/or", 24),
        ("control/not", 23),
        ("control/doublebang", 23),
        ("control/if", 44),
        ("string/cat", 9),
        ("string/in", 8),
        ("string/substr", 12),
    ],
)
def test_the_compatibility_suites_pass_but_for_what_is_named(suite: str, count: int) -> None:
    cases = json.loads((DATA / "jsonlogic-compat" / f"{suite}.json").read_text())
    cases = [case for case in cases if isinstance(case, dict)]
    assert len(cases) == count
    differing = {json.dumps(case["rule"]) for case in cases if not passes(case)}
    assert differing == DIFFERENT & {json.dumps(case["rule"]) for case in cases}
    assert suite != "compatible" or not differing


@given
def test_the_assertions_of_certlogic_pass_but_for_its_dates() -> None:
    failing, tried = [], 0
    for file in sorted((DATA / "certlogic").glob("*.json")):
        document = json.loads(file.read_text("utf-8"))
        for case in document.get("cases", []):
            for claim in case.get("assertions", []):
                expression = claim.get("certLogicExpression", case.get("certLogicExpression"))
                tried += 1
                if not passes({"rule": expression, "data": claim["data"], "result": claim["expected"]}):
                    failing.append(json.dumps(expression))
    assert tried == 132
    assert len(failing) == 1  # date functions are compiled on import (rules/certlogic.py), not evaluated
    assert "plusTime" in failing[0]


@given
@pytest.mark.parametrize("suite", ["jsonlogic-official/tests", "jsonlogic-compat/compatible"])
def test_the_operators_that_compare_texts_as_texts_pass_the_suites_as_well(
    suite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain, "holds_times", lambda *_: True)
    cases = [case for case in json.loads((DATA / f"{suite}.json").read_text()) if not isinstance(case, str)]
    listed = [
        dict(zip(("rule", "data", "result"), case, strict=True)) if isinstance(case, list) else case for case in cases
    ]
    assert [case for case in listed if not passes(case)] == []


@pytest.mark.parametrize(
    ("rule", "result"),
    [
        ({"==": ["1d", "24h"]}, False),
        ({"===": ["60m", "1h"]}, False),
        ({"!=": ["1d", "24h"]}, True),
        ({"!==": ["1d", "1d"]}, False),
        ({"==": ["2026-01-01T00:00:00+09:00", "2025-12-31T15:00:00Z"]}, False),
        ({"in": ["1d", ["24h", "x"]]}, False),
        ({"in": ["24h", ["24h"]]}, True),
        ({"in": ["1d", "abc1d"]}, True),
        ({"<": ["10h", "9d"]}, True),
        ({"<": ["1h", "2h", "3h"]}, True),
        ({"==": ["1d", None]}, False),
        ({"+": ["1d", "1d"]}, 2),
        ({"filter": [["1d", "24h"], {"==": [{"var": ""}, "24h"]}]}, ["24h"]),
        ({"cat": ["1d", "x"]}, "1dx"),
    ],
)
def test_texts_that_read_as_times_are_texts(rule: Any, result: Any) -> None:
    assert PLAIN.evaluate(rule, None) == result


@pytest.mark.parametrize("rule", [{"==": ["1d", 1]}, {"-": ["3h", "1h"]}])
def test_a_text_that_reads_as_a_time_is_no_number(rule: Any) -> None:
    with pytest.raises(NoResult) as refused:
        PLAIN.evaluate(rule, None)
    assert refused.value.kind == "NaN"


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ('{"rule": {"+": [1, 2]}, "data": null}', {"result": 3}),
        ('{"rule": {"var": "a"}, "data": {"a": [1]}}', {"result": [1]}),
        ('{"rule": {"var": "a"}}', {"result": None}),
        ('{"rule": "x"}', {"result": "x"}),
    ],
)
def test_a_line_is_answered(line: str, answer: Any) -> None:
    assert PLAIN.line(line) == answer


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("", "InvalidLine"),
        ("[]", "InvalidLine"),
        ('{"data": 1}', "InvalidLine"),
        ('{"rule": NaN}', "InvalidLine"),
        ('{"rule": {"no-such": 1}}', "InvalidOperator"),
        ('{"rule": {"+": ["x", 1]}}', "NaN"),
        ('{"rule": ' + "[" * 700 + "]" * 700 + "}", "TooDeep"),
        ('{"rule": ' + "[" * 60_000 + "]" * 60_000 + "}", "TooDeep"),
        ('{"rule": 1, "data": ' + "[" * 700 + "]" * 700 + "}", "TooDeep"),
    ],
)
def test_a_line_that_cannot_be_answered_gives_an_error(line: str, kind: str) -> None:
    assert PLAIN.line(line)["error"]["type"] == kind


def test_work_without_end_is_stopped() -> None:
    numbers = list(range(60))
    work: Any = {"+": [{"var": ""}, 1]}
    for _ in range(4):
        work = {"map": [numbers, work]}
    assert PLAIN.line(json.dumps({"rule": work}))["error"]["type"] == "BudgetExceeded"
