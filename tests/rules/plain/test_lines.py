"""A line is answered with a result or an error, whatever it holds, and nothing is made without end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rules.plain.lines import PlainEvaluator

PLAIN = PlainEvaluator()
SUM = {"var": "accumulator"}


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ('{"rule": {"+": [1, 2]}, "data": null}', {"result": 3}),
        ('{"rule": {"var": "a"}, "data": {"a": [1]}}', {"result": [1]}),
        ('{"rule": {"var": "a"}}', {"result": None}),
        ('{"rule": "x"}', {"result": "x"}),
        ('{"rule": {"cat": ["\\ud800"]}}', {"result": "\ud800"}),
    ],
)
def test_a_line_is_answered(line: str, answer: Any) -> None:
    assert PLAIN.line(line) == answer


@pytest.mark.parametrize(
    ("line", "kind", "told"),
    [
        ("", "InvalidLine", "no JSON"),
        ("[]", "InvalidLine", "an object with rule and data"),
        ('{"data": 1}', "InvalidLine", "an object with rule and data"),
        ('{"rule": NaN}', "InvalidLine", "NaN is no JSON number"),
        ('{"rule": -Infinity}', "InvalidLine", "-Infinity is no JSON number"),
        ('{"rule": {"+": [1e400, 1]}}', "InvalidLine", "1e400 is too large"),
        ('{"rule": {"no-such": 1}}', "Unknown Operator", "no-such"),
        ('{"rule": {"+": ["x", 1]}}', "NaN", "+"),
        ('{"rule": {"??": ["\\ud800"]}}', "InvalidLine", "half a character"),
        ('{"rule": ' + '{"??":[' * 230 + "1" + "]}" * 230 + "}", "TooDeep", "native library"),
        ('{"rule": ' + "[" * 700 + "]" * 700 + "}", "TooDeep", "500"),
        ('{"rule": ' + "[" * 60_000 + "]" * 60_000 + "}", "TooDeep", "too deep"),
        ('{"rule": 1, "data": ' + "[" * 700 + "]" * 700 + "}", "TooDeep", "500"),
    ],
)
def test_a_line_that_cannot_be_answered_gives_an_error(line: str, kind: str, told: str) -> None:
    error = PLAIN.line(line)["error"]
    assert (error["type"], told in error["message"]) == (kind, True)


@pytest.mark.parametrize("operator", ["!", "if", "map", "+"])
def test_rules_as_deep_as_is_allowed_are_evaluated(operator: str) -> None:
    rule: Any = 1
    for _ in range(230):
        rule = {operator: {"if": [True, rule], "map": [[1], rule]}.get(operator, [rule])}
    assert "result" in PLAIN.line(json.dumps({"rule": rule}))


def _doubled(body: Any) -> Any:
    return {"reduce": [list(range(60)), body, ["x"]]}


@pytest.mark.parametrize(
    "rule",
    [
        _doubled([SUM, SUM]),
        _doubled({"cat": [SUM, SUM]}),
        _doubled({"merge": [SUM, SUM]}),
        _doubled([{"var": ""}, {"var": ""}]),
        {"cat": [_doubled([SUM, SUM])]},
        {"==": [_doubled([SUM, SUM]), _doubled([SUM, SUM])]},
        {"reduce": [list(range(5_000)), {"merge": [SUM, ["y" * 10_000]]}, []]},
        {"??": [_doubled({"cat": [SUM, SUM]})]},
    ],
    ids=lambda rule: json.dumps(rule)[-60:],
)
def test_what_doubles_is_stopped(rule: Any) -> None:
    assert PLAIN.line(json.dumps({"rule": rule}))["error"]["type"] == "BudgetExceeded"


def test_work_without_end_is_stopped() -> None:
    numbers = list(range(60))
    work: Any = {"+": [{"var": ""}, 1]}
    for _ in range(4):
        work = {"map": [numbers, work]}
    assert PLAIN.line(json.dumps({"rule": work}))["error"]["type"] == "BudgetExceeded"


def test_what_becomes_too_deep_on_the_way_is_an_error() -> None:
    deep = {"reduce": [[1] * 1_200, [SUM], 1]}
    assert PLAIN.line(json.dumps({"rule": deep}))["error"]["type"] == "TooDeep"
