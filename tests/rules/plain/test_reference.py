"""Each operator of jsonlogic.com with its edges, as json-logic-js 2.0 answers; and where the suites decide otherwise.

The answers of the first list were taken from json-logic-js itself.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from rules.plain.errors import NoResult
from rules.plain.lines import PlainEvaluator
from tests.rules.plain.test_suites import same

PLAIN = PlainEvaluator()
DATA: Any = {
    "n": 4, "s": "jsonlogic", "e": "", "nul": None, "z": 0, "l": [1, 2, 3], "o": {"p": {"q": "deep"}},
    "a.b": "dotted", "a": {"b": "nested"}, "objs": [{"q": 1}, {"q": 2}, {}], "1": "one", "empty": {},
}  # fmt: skip
ITEM, CURRENT, SUM = {"var": ""}, {"var": "current"}, {"var": "accumulator"}

AS_THE_REFERENCE: list[tuple[Any, Any]] = [
    # what is true
    ({"!!": ["0"]}, True), ({"!!": [0]}, False), ({"!!": [""]}, False), ({"!!": [[]]}, False), ({"!!": [[0]]}, True),
    ({"!!": {"var": "empty"}}, True), ({"!": {}}, False), ({"if": [{}, 1, 2]}, 1), ({"!": [[]]}, True),
    ({"if": []}, None), ({"if": [7]}, 7), ({"if": [False, 1]}, None), ({"if": [0, 1, "", 2, "0", 3, 4]}, 3),
    ({"and": [1, "", 3]}, ""), ({"and": [1, 2]}, 2), ({"or": [0, [], "x", 1]}, "x"), ({"or": [0, ""]}, ""),
    ({"?:": [True, 1, 2]}, 1),
    # comparing
    ({"==": [1, "1"]}, True), ({"==": [1, 1.0]}, True), ({"===": [1, "1"]}, False), ({"===": [1, 1.0]}, True),
    ({"==": ["", 0]}, True), ({"==": [0, False]}, True), ({"==": [True, "1"]}, True), ({"==": [None, None]}, True),
    ({"==": [None, ""]}, False), ({"==": ["a", "A"]}, False), ({"===": [[1], [1]]}, False),
    ({"!==": [[1], [1]]}, True),
    ({"==": [True, "true"]}, False), ({"<": ["10", "9"]}, True), ({"<": ["10", 9]}, False), ({"<": [None, 1]}, True),
    ({"<": [1, 2, 3]}, True), ({"<": [1, 1, 3]}, False), ({"<=": [1, 1, 3]}, True), ({">": ["b", "a"]}, True),
    ({"<": [True, "a"]}, False), ({"!=": [1, " 1 "]}, False), ({"==": ["0x10", 16]}, True),
    # var
    (ITEM, DATA), ({"var": []}, DATA), ({"var": None}, DATA), ({"var": "o.p.q"}, "deep"), ({"var": "o.x.q"}, None),
    ({"var": ["o.x.q", 9]}, 9), ({"var": ["nul", 9]}, None), ({"var": ["z", 9]}, 0), ({"var": "l.1"}, 2),
    ({"var": "l.9"}, None), ({"var": "l.length"}, 3), ({"var": "l.-1"}, None), ({"var": 1}, "one"),
    ({"var": "a.b"}, "nested"),
    ({"var": {"cat": ["a", ".b"]}}, "nested"), ({"var": 1.0}, "one"), ({"var": "s.0"}, "j"),
    ({"var": ["zz", {"+": [1, 1]}]}, 2),
    # what is missing: null and "" are, 0 is not
    ({"missing": ["n", "zz", "nul", "e", "z"]}, ["zz", "nul", "e"]), ({"missing": "zz"}, ["zz"]),
    ({"missing": [["zz", "n"]]}, ["zz"]), ({"missing": {"merge": ["zz", ["yy"]]}}, ["zz", "yy"]),
    ({"missing": []}, []),
    ({"missing_some": [1, ["n", "zz"]]}, []), ({"missing_some": [2, ["n", "zz", "e"]]}, ["zz", "e"]),
    ({"missing_some": [0, ["zz"]]}, []),
    # reckoning
    ({"+": []}, 0), ({"+": "3.5"}, 3.5), ({"+": ["3", 4, "-1"]}, 6), ({"+": [" 1 ", 1]}, 2), ({"-": [2]}, -2),
    ({"-": "5"}, -5), ({"-": ["5", "3"]}, 2), ({"*": ["2", 3, 2]}, 12), ({"/": [1, 4]}, 0.25), ({"/": [4, 2]}, 2),
    ({"%": [-5, 3]}, -2), ({"%": [5, -3]}, 2), ({"%": [5.5, 2]}, 1.5), ({"max": [1, 3, 2]}, 3),
    ({"min": [1, -3]}, -3),
    ({"+": [0.1, 0.2]}, 0.30000000000000004), ({"+": [9007199254740992, 1]}, 9007199254740992),
    # texts
    ({"cat": ["a", 1, 1.0, 2.5, True, None, "!"]}, "a112.5true!"), ({"cat": [[1, [2, 3]], 4]}, "1,2,34"),
    ({"cat": []}, ""),
    ({"cat": [1e21, " ", 1e-7, " ", 123456789012345680000]}, "1e+21 1e-7 123456789012345680000"),
    ({"cat": [0.000001, " ", -1.5e-9, " ", 1.25e30]}, "0.000001 -1.5e-9 1.25e+30"),
    ({"cat": [{"var": "o"}]}, "[object Object]"), ({"cat": [[None, 1]]}, ",1"), ({"cat": "x"}, "x"),
    ({"substr": ["jsonlogic", 4]}, "logic"), ({"substr": ["jsonlogic", -5]}, "logic"),
    ({"substr": ["jsonlogic", 1, 3]}, "son"),
    ({"substr": ["jsonlogic", 4, -2]}, "log"), ({"substr": ["jsonlogic", -5, -2]}, "log"),
    ({"substr": ["jsonlogic", 20]}, ""),
    ({"substr": ["jsonlogic", -20, 2]}, "js"), ({"substr": ["jsonlogic", 1, 0]}, ""),
    ({"substr": ["jsonlogic", "2", 1]}, "o"),
    ({"substr": [12345, 1, 2]}, "23"), ({"substr": ["가나다라", 1, 2]}, "나다"), ({"substr": ["x", 0, None]}, ""),
    ({"in": ["Spring", "Springfield"]}, True), ({"in": ["", "abc"]}, True), ({"in": [1, "123"]}, True),
    ({"in": ["1", [1]]}, False),
    ({"in": [1, [1]]}, True), ({"in": [[1], [[1]]]}, False), ({"in": ["x", None]}, False), ({"in": ["x", 5]}, False),
    # lists
    ({"merge": []}, []), ({"merge": [1, [2, [3]]]}, [1, 2, [3]]), ({"merge": None}, [None]),
    ({"merge": {"var": "l"}}, [1, 2, 3]),
    ({"map": [[1, 2], {"*": [ITEM, 2]}]}, [2, 4]), ({"map": [{"var": "objs"}, {"var": "q"}]}, [1, 2, None]),
    ({"map": [{"var": "zz"}, 1]}, []), ({"map": [[], 1]}, []), ({"map": ["abc", ITEM]}, []),
    ({"filter": [{"var": "zz"}, 1]}, []),
    ({"filter": [[0, 1, "", "0", [], [0]], ITEM]}, [1, "0", [0]]), ({"filter": [5, ITEM]}, []),
    ({"reduce": [[1, 2, 3], {"+": [CURRENT, SUM]}, 10]}, 16), ({"reduce": [{"var": "zz"}, CURRENT, 5]}, 5),
    ({"reduce": [[], CURRENT, 5]}, 5), ({"all": [[], True]}, False), ({"none": [[], True]}, True),
    ({"some": [[], True]}, False),
    ({"all": [[1, "0"], ITEM]}, True), ({"all": [[1, 0], ITEM]}, False), ({"none": [[0, ""], ITEM]}, True),
    ({"some": [[0, 3], {">": [ITEM, 2]}]}, True), ({"all": [{"var": "zz"}, True]}, False),
    ({"none": [{"var": "zz"}, True]}, True),
    # the rest
    ({"log": "x"}, "x"), ({"log": [1, 2]}, 1), ([{"+": [1, 1]}, {"var": "n"}, "x"], [2, 4, "x"]), ("text", "text"),
    (None, None),
    ({}, {}), ({"if": [True, 1, {"nope": []}]}, 1),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "result"), AS_THE_REFERENCE, ids=lambda value: json.dumps(value)[:60])
def test_the_answer_is_the_reference_s(rule: Any, result: Any) -> None:
    assert same(PLAIN.evaluate(rule, DATA), result)


@pytest.mark.parametrize(
    ("rule", "data", "result"),
    [
        (ITEM, 5, 5),
        ({"var": "a"}, None, None),
        ({"var": ["a", 3]}, None, 3),
        ({"var": 0}, ["x"], "x"),
        ({"var": "1"}, "가나", "나"),
        ({"var": "length"}, "😀", 2),
        ({"substr": [ITEM, 2]}, "😀ab", "ab"),
        ({"===": [{"var": "x"}, {"var": "x"}]}, {"x": [1]}, True),
    ],
)
def test_data_need_not_be_an_object(rule: Any, data: Any, result: Any) -> None:
    assert same(PLAIN.evaluate(rule, data), result)


NO_ANSWERS: list[tuple[Any, str]] = [
    # the suites ask for an error where the reference gives NaN, Infinity, or compares what cannot be compared
    ({"+": ["x", 1]}, "NaN"), ({"-": ["x"]}, "NaN"), ({"*": ["x", 2]}, "NaN"), ({"/": [1, 0]}, "NaN"),
    ({"/": [0, 0]}, "NaN"),
    ({"%": [1, 0]}, "NaN"), ({"+": ["1a"]}, "NaN"), ({"+": [[1, 2], 1]}, "NaN"), ({"+": [1e308, 1e308]}, "NaN"),
    ({"<": ["a", 1]}, "NaN"), ({"==": ["a", 1]}, "NaN"), ({"==": [[1], 5]}, "NaN"), ({">": [[1], 0]}, "NaN"),
    ({"max": []}, "Invalid Arguments"), ({"min": ["1", 2]}, "Invalid Arguments"), ({"-": []}, "Invalid Arguments"),
    ({"==": [1]}, "Invalid Arguments"), ({"<": 1}, "Invalid Arguments"), ({"if": True}, "Invalid Arguments"),
    ({"map": {"var": "l"}}, "Invalid Arguments"), ({"missing_some": [1]}, "Invalid Arguments"),
    ({"%": [1]}, "Invalid Arguments"),
    # no operator
    ({"nope": [1]}, "Unknown Operator"), ({"": 1}, "Unknown Operator"),
    ({"==": [1, 1], "!": True}, "Unknown Operator"),
    ({"now": []}, "Unknown Operator"), ({"today": []}, "Unknown Operator"),
    ({"try": [{"now": []}, 1]}, "Unknown Operator"),
    ({"if": [False, 1, {"nope": []}]}, "Unknown Operator"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "kind"), NO_ANSWERS, ids=lambda value: json.dumps(value)[:60])
def test_what_has_no_answer_is_an_error(rule: Any, kind: str) -> None:
    with pytest.raises(NoResult) as refused:
        PLAIN.evaluate(rule, DATA)
    assert refused.value.kind == kind


@pytest.mark.parametrize(
    ("rule", "result"),
    [
        ({"==": [None, 0]}, True),  # false there
        ({"+": [None, 1]}, 1),  # NaN there, as with true and ""
        ({"and": []}, False),  # nothing at all there
        ({"or": []}, False),
        ({"max": {"val": "l"}}, 3),  # a list that is worked out stands for the arguments
        ({"cat": {"merge": [["a"], ["b"]]}}, "ab"),  # "a,b" there
        ({"-": [9, 3, 1]}, 5),  # 6 there: the third is not looked at
        ({"reduce": [[2, 3], {"*": [CURRENT, SUM]}]}, 6),  # NaN there: it begins with null
        ({"preserve": {"a": 1}}, {"a": 1}),
        ({"val": ["o", "p", "q"]}, "deep"),
        ({"val": ["o", "x", "q"]}, None),
        ({"val": []}, DATA),
        ({"map": [[1, 2], {"val": [[-2], "n"]}]}, [4, 4]),
        ({"exists": "n"}, True),
        ({"??": [None, 3]}, 3),
        ({"try": [{"/": [1, 0]}, 7]}, 7),
        ({"length": ["가나다"]}, 3),
        ({"starts_with": ["jsonlogic", "json"]}, True),
    ],
)
def test_where_the_compatibility_suites_say_more_they_are_followed(rule: Any, result: Any) -> None:
    assert same(PLAIN.evaluate(rule, DATA), result)


@pytest.mark.parametrize(
    ("rule", "result"),
    [
        ({"==": ["1d", "24h"]}, False),
        ({"===": ["60m", "1h"]}, False),
        ({"!=": ["1d", "24h"]}, True),
        ({"==": ["2026-01-01T00:00:00+09:00", "2025-12-31T15:00:00Z"]}, False),
        ({"in": ["1d", ["24h", "x"]]}, False),
        ({"in": ["24h", ["24h"]]}, True),
        ({"<": ["10h", "9d"]}, True),
        ({"==": ["1d", None]}, False),
        ({"??": [{"==": ["1d", "24h"]}, 1]}, False),  # by the native library, which would compare their lengths
        ({"try": [{"in": ["1d", ["24h"]]}, 1]}, False),
        ({"??": [{"<": ["10h", "9d"]}, 1]}, True),
        ({"??": [{"<": ["1h", "2h", "3h"]}, 1]}, True),
        ({"??": [{"!==": ["1d", "1d"]}, 1]}, False),
        ({"??": [{"in": ["1d", "abc1d"]}, 1]}, True),
    ],
)
def test_texts_that_read_as_times_are_texts(rule: Any, result: Any) -> None:
    assert PLAIN.evaluate(rule, None) == result


@pytest.mark.parametrize(
    "rule", [{"==": ["1d", 1]}, {"-": ["3h", "1h"]}, {"??": [{"-": ["3h", "1h"]}]}, {"??": [{"==": ["1d", 1]}]}]
)
def test_a_text_that_reads_as_a_time_is_no_number(rule: Any) -> None:
    with pytest.raises(NoResult) as refused:
        PLAIN.evaluate(rule, None)
    assert refused.value.kind == "NaN"
