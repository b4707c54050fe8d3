"""Other people's suites under plain JSONLogic. Where we differ, it is named here and in the documentation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rules.plain import native
from rules.plain.errors import NoResult
from rules.plain.lines import PlainEvaluator
from rules.plain.native import NativeEvaluator

DATA = Path(__file__).parents[4] / "shared" / "data" / "rules"
given = pytest.mark.skipif(not DATA.is_dir(), reason="other people's suites are not beside this checkout")
PLAIN = PlainEvaluator()


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
def test_the_compatibility_suites_pass(suite: str, count: int) -> None:
    cases = json.loads((DATA / "jsonlogic-compat" / f"{suite}.json").read_text())
    cases = [case for case in cases if isinstance(case, dict)]
    assert len(cases) == count
    assert [case["description"] for case in cases if not passes(case)] == []


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
    dates, empty = failing  # date functions are compiled on import (rules/certlogic.py), not evaluated
    assert "plusTime" in dates
    assert empty == '{"if": [{"var": ""}, "T", "F"]}'  # of {}: false to CertLogic, true to the compatibility suites


@given
@pytest.mark.parametrize("suite", ["jsonlogic-official/tests", "jsonlogic-compat/compatible"])
@pytest.mark.parametrize("times", [False, True], ids=["as they are", "as if they held times"])
def test_the_native_library_passes_them_as_well(suite: str, times: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "holds_times", lambda *_: times)
    evaluator = NativeEvaluator()
    for case in json.loads((DATA / f"{suite}.json").read_text()):
        if not isinstance(case, str):
            rule, data, *expected = case if isinstance(case, list) else (case["rule"], case.get("data"), case["result"])
            assert same(evaluator.evaluate(rule, data), expected[0]), rule
