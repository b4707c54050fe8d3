"""What an author is told before a rule is saved: the place, how grave it is, and a sentence in both languages."""

from __future__ import annotations

from typing import Any

import pytest

from rules.checking.checker import check
from rules.findings import Finding, Severity, finding
from rules.sentences import SENTENCES
from tests.rulebook import REGISTRY, TITLE, codes, raw, registry, yes_if


def found(logic: Any, **changed: Any) -> list[Finding]:
    """Without the words about facts that a test lists and does not read."""
    quiet = {"fact-not-read", "outcome-unused"}
    return [one for one in check(raw(logic, **changed), REGISTRY) if one.code not in quiet]


def v(path: str) -> dict[str, str]:
    return {"var": path}


@pytest.mark.parametrize(
    ("condition", "code", "pointer"),
    [
        ({"<": [v("spo2"), "92"]}, "types-differ", "</"),
        ({"==": [v("ward"), "d"]}, "unknown-code", "=="),
        ({"==": [v("ward"), 1]}, "types-differ", "=="),
        ({"in": [v("ward"), ["a", "bb"]]}, "unknown-code", "in"),
        ({"in": [v("diagnosis"), ["I10", "24h"]]}, "code-like-time", "in"),
        ({"==": [v("diagnosis"), "1d"]}, "code-like-time", "=="),
        ({"==": [v("diagnosis"), v("ward")]}, "systems-differ", "=="),
        ({"<": [v("spo2"), v("pulse")]}, "units-differ", "<"),
        ({"<": [{"+": [v("spo2"), v("weight")]}, 3]}, "units-differ", "</0/+"),
        ({"<": [v("ward"), "b"]}, "not-ordered", "<"),
        ({"<": [v("on"), True]}, "not-ordered", "<"),
        ({"==": [v("flags"), v("flags")]}, "not-comparable", "=="),
        ({"and": [v("spo2"), True]}, "wrong-type", "and/0/var"),
        ({"!": [v("ward")]}, "wrong-type", "!/0/var"),
        ({"in": [v("ward"), v("diagnosis")]}, "not-a-list", "in/1/var"),
        ({"some": [v("ward"), True]}, "not-a-list", "some/0/var"),
        ({"some": [v("flags"), v("")]}, "wrong-type", "some/1/var"),
        ({"some": [v("lines"), {"==": [v("kinds"), "drug"]}]}, "unknown-element", "some/1/==/0/var"),
        ({"some": [v("lines"), {"==": [v("kind"), "drugs"]}]}, "unknown-code", "some/1/=="),
        ({"some": [v("lines"), v("on")]}, "unknown-element", "some/1/var"),
        ({"<": [v("at"), "2026-01-01"]}, "not-an-instant", "<"),
        ({"<": [v("at"), "2026-01-01T00:00:00+09:00"]}, "not-an-instant", "<"),
        ({"<": [v("patient.born"), "2026-13-01"]}, "not-a-date", "<"),
        ({"<": [v("patient.born"), v("at")]}, "types-differ", "<"),
        ({"<": [{"date_diff": [v("at"), v("since"), "weeks"]}, 3]}, "date-unit", "</0/date_diff/2"),
        ({"<": [{"date_diff": [v("at"), v("patient.born"), "days"]}, 3]}, "wrong-type", "</0/date_diff/1/var"),
        ({"<": [{"parse_date": [v("patient.born"), "dd.MM.yyyy"]}, v("at")]}, "date-format", "</0/parse_date/1"),
        ({"<": [{"var": ["spo2", 99]}, 92]}, "default-not-allowed", "</0/var"),
        ({"<": [{"var": ["score", "x"]}, 92]}, "types-differ", "</0/var"),
        ({"<": [{"??": [{"var": ["spo2", None]}, 3]}, 92]}, "default-not-allowed", "</0/??/0/var"),
        ({"==": [{"cat": [v("ward"), v("diagnosis")]}, "1d"]}, "computed-text", "=="),
        ({"==": [{"if": [v("on"), 1, "one"]}, 1]}, "branches-differ", "==/0/if/1"),
        ({"==": [{"switch": [v("ward"), [["d", 1]], 2]}, 1]}, "unknown-code", "==/0/switch/1/0/0"),
        ({"==": [{"switch": [v("ward"), [[v("ward"), 1]], 2]}, 1]}, "switch-literal", "==/0/switch/1/0/0/var"),
        ({"==": [{"switch": [v("ward"), [["a"]], 2]}, 1]}, "switch-case", "==/0/switch/1/0"),
        ({"in": [v("spo2"), [1, "a"]]}, "mixed-list", "in/1/1"),
        ({"<": [v("spo2"), 2**60]}, "number-too-large", "</1"),
        ({"starts_with": [v("pulse"), "1"]}, "wrong-type", "starts_with/0/var"),
        ({"var": "patient"}, "unknown-fact", "var"),
        ({"exists": [v("ward")]}, "computed-path", "exists"),
        ({"log": [v("on")]}, "operator-kept-out", "log"),
        ({"val": ["on"]}, "operator-kept-out", "val"),
    ],
)
def test_a_condition_that_does_not_fit_is_an_error_at_its_place(condition: Any, code: str, pointer: str) -> None:
    errors = [one for one in found(yes_if(condition)) if one.refuses]
    assert [(one.code, one.pointer) for one in errors] == [(code, f"/logic/if/0/{pointer}".rstrip("/"))]


@pytest.mark.parametrize(
    "condition",
    [
        {"<": [v("spo2"), 92]},
        {"<": [{"/": [v("spo2"), v("spo2")]}, 1]},
        {"<": [{"/": [v("bill"), v("weight")]}, {"/": [v("bill"), v("weight")]}]},
        {"in": ["a", v("flags")]},
        {"<": [80, v("spo2"), 92]},
        {"==": [v("patient.born"), "2026-01-01"]},
        {"<": [{"parse_date": [v("patient.born"), "yyyy-MM-dd"]}, v("at")]},
        {"starts_with": [{"cat": ["x", v("diagnosis")]}, "xI"]},
        {"<": [{"??": [{"var": ["score", None]}, 3]}, 2]},
    ],
)
def test_a_condition_that_fits_is_not_spoken_of(condition: Any) -> None:
    assert found(yes_if(condition)) == []


@pytest.mark.parametrize(
    ("written", "meant"), [("sp02", "spo2"), ("patient.birth", "patient.born"), ("war", "ward"), ("zzz", "")]
)
def test_an_unknown_fact_is_answered_with_the_nearest_known(written: str, meant: str) -> None:
    (one,) = found(yes_if({"exists": written.split(".")}))
    assert one.en.endswith(f"Did you mean {meant}?" if meant else f"There is no fact {written}.")
    assert (f"혹시 {meant}입니까?" in one.ko) == bool(meant)


@pytest.mark.parametrize(
    ("logic", "code", "pointer"),
    [
        ({"if": [{"<": [v("spo2"), 92]}, "yes", {"<": [v("spo2"), 90]}, "yes", "no"]}, "never-true", "/logic/if/2/<"),
        (
            {"if": [{"<": [v("spo2"), 92]}, "yes", {">=": [v("spo2"), 92]}, "no", "yes"]},
            "always-true",
            "/logic/if/2/>=",
        ),
        (yes_if({"and": [{"==": [v("ward"), "a"]}, {"==": [v("ward"), "b"]}]}), "never-true", "/logic/if/0/and"),
        (yes_if({"or": [{"==": [v("on"), True]}, {"==": [v("on"), False]}]}), "always-true", "/logic/if/0/or"),
        (yes_if({">": [v("spo2"), 100]}), "never-true", "/logic/if/0/>"),
        (yes_if({"<=": [v("pulse"), 300]}), "always-true", "/logic/if/0/<="),
        (yes_if({"in": [v("ward"), ["a", "b", "c"]]}), "always-true", "/logic/if/0/in"),
        (yes_if({"exists": ["spo2"]}), "always-true", "/logic/if/0/exists"),
        (yes_if({"and": [{">": [v("pulse"), 3]}, {"<": [v("pulse"), 4]}]}), "never-true", "/logic/if/0/and"),
    ],
)
def test_a_branch_that_nothing_reaches_is_a_warning(logic: Any, code: str, pointer: str) -> None:
    assert [(one.code, one.pointer, one.severity) for one in found(logic)] == [(code, pointer, Severity.WARNING)]


@pytest.mark.parametrize(
    "condition", [{"exists": ["since"]}, {"and": [{">": [v("spo2"), 3]}, {"<": [v("spo2"), 4]}]}, {"!": [v("on")]}]
)
def test_a_branch_that_something_reaches_is_none(condition: Any) -> None:
    assert found(yes_if(condition)) == []


STRICT = registry(
    {
        "id": "strict",
        "title": TITLE,
        "purpose": TITLE,
        "process": "test",
        "facts": ["on"],
        "pin": "latest",
        "values": {
            "minutes": {"type": "integer", "unit": "min", "title": TITLE},
            "who": {"type": "code", "codes": ["nurse", "attending"], "title": TITLE, "required": False},
        },
        "fallback": {"outcome": "no", "values": {"minutes": 5}, "effect": TITLE, "position": "attending", "minutes": 5},
    }
)


@pytest.mark.parametrize(
    ("yes", "no", "fallback", "code", "pointer"),
    [
        ({"minutes": 1}, {"minutes": 6}, "no", "fallback-weaker", "/outcomes/no/values/minutes"),
        ({"minutes": 1}, {"minutes": 5}, "yes", "fallback-differs", "/fallback"),
        ({}, {"minutes": 5}, "no", "value-missing", "/outcomes/yes/values"),
        ({"minutes": "1"}, {"minutes": 5}, "no", "value-type", "/outcomes/yes/values/minutes"),
        ({"minutes": True}, {"minutes": 5}, "no", "value-type", "/outcomes/yes/values/minutes"),
        ({"minutes": 1, "who": "nobody"}, {"minutes": 5}, "no", "value-type", "/outcomes/yes/values/who"),
        ({"minutes": 1, "minute": 1}, {"minutes": 5}, "no", "value-unknown", "/outcomes/yes/values/minute"),
    ],
)
def test_the_outcome_table_is_what_the_process_reads(yes: Any, no: Any, fallback: str, code: str, pointer: str) -> None:
    outcomes = {"yes": {"values": yes, "text": TITLE}, "no": {"values": no, "text": TITLE}}
    tests = [{"name": "open", "facts": {}, "outcome": fallback, "indeterminate": True}]
    written = raw(
        yes_if(v("on")), decision_point="strict", facts=["on"], outcomes=outcomes, fallback=fallback, tests=tests
    )
    assert [(one.code, one.pointer) for one in check(written, STRICT)] == [(code, pointer)]


def test_what_a_document_says_of_itself_is_checked() -> None:
    document = raw(yes_if(v("on")), facts=["spo2"], decision_point="yes-or-not")
    assert [one.code for one in check(document, REGISTRY)] == ["unknown-point"]
    document |= {"decision_point": "yes-or-no"}
    assert [(one.code, one.pointer) for one in check(document, REGISTRY)] == [
        ("fact-not-listed", "/logic/if/0/var"),
        ("fact-not-read", "/facts/0"),
    ]
    lying = {"name": "lies", "facts": {"on": "yes"}, "outcome": "yes"}
    codes_found = [one.code for one in check(document | {"facts": ["on"], "tests": [lying]}, REGISTRY)]
    assert codes_found == ["test-fact", "fallback-untested"]
    table = {"hit": "first", "columns": ["on"], "rows": [{"when": [{"is": True}], "then": "yes"}]}
    differs = check(document | {"facts": ["on"], "table": table}, REGISTRY)
    assert [one.code for one in differs if one.refuses] == ["form-differs"]


def test_an_outcome_is_written_down_and_used() -> None:
    unused = check(raw("no", facts=[]), REGISTRY)
    assert [(one.code, one.pointer) for one in unused] == [("outcome-unused", "/outcomes/yes")]
    computed = {"cat": ["y", "es"]}
    assert [one.code for one in found(computed)] == ["outcome-computed"]
    assert [one.code for one in found(["yes"])] == ["outcome-shape"]
    assert [one.code for one in found({"merge": [["yes"], ["maybe"]]}, decision_point="which")] == ["outcome-unknown"]
    assert [one.code for one in found(v("spo2"), decision_point="how-much")] == ["outcome-shape"]


@pytest.mark.parametrize("key", ["no-row", "rows-disagree"])
def test_no_outcome_has_the_name_of_no_answer(key: str) -> None:
    """A table that has no row for the facts would seem to have decided."""
    outcomes = raw("no")["outcomes"] | {key: raw("no")["outcomes"]["yes"]}
    assert [(one.code, one.pointer) for one in found(yes_if(v("on")), outcomes=outcomes) if one.refuses] == [
        ("outcome-reserved", f"/outcomes/{key}")
    ]


def test_a_malformed_document_is_told_every_place() -> None:
    document = raw("no") | {"version": "1", "owner": 3, "extra": 1}
    assert {one.pointer for one in check(document, REGISTRY)} == {"/version", "/owner", "/extra"}
    assert [one.code for one in check([], REGISTRY)] == ["not-a-document"]


@pytest.mark.parametrize(
    ("change", "pointer", "en", "ko"),
    [
        ({"tests": []}, "/tests", "At least 1 is needed here.", "1개 이상 있어야 합니다."),
        ({"version": "1"}, "/version", "Expected here: three numbers such as 1.0.0.", "1.0.0처럼"),
        ({"owner": 3}, "/owner", "Expected here: text.", "여기에는 글을 적습니다."),
        ({"colour": 1}, "/colour", "There is no member colour here.", "colour 항목을 둘 수 없습니다"),
        ({"review_by": "soon"}, "/review_by", "A date is written as 2027-01-31.", "날짜는"),
        ({"effective": {"since": "2026-01-01"}}, "/effective/since", "An instant is written with its", "시차와 함께"),
        ({"scope": {"level": "planet"}}, "/scope/level", "Expected here is one of: national, network,", "중 하나"),
        ({"fallback": "maybe"}, "/fallback", "The fallback maybe is not in the outcome table.", "결과표에 없습니다"),
        ({"source": ""}, "/source", "This text is empty.", "비어 있습니다"),
        ({"title": {"en": "x"}}, "/title/ko", "ko is missing.", "ko 항목이 없습니다."),
        (
            {"tests": [{"name": "{odd}", "facts": {}, "outcome": "maybe"}]},
            "/tests/0/outcome",
            "The test {odd} expects an outcome that is not in the outcome table.",
            "시험 {odd}의 기대 결과가",
        ),
        (
            {"tests": [{"name": "x", "facts": {}, "outcome": {"a": 1}}]},
            "/tests/0/outcome",
            "Nothing of this kind may stand here.",
            "쓸 수 없는 종류",
        ),
        (
            {
                "table": {
                    "hit": "first",
                    "columns": ["pulse"],
                    "rows": [{"when": [{"is": 1, "below": 3}], "then": "no"}],
                }
            },
            "/table/rows/0/when/0",
            "A cell holds one condition; what does not matter is written null.",
            "칸에는 조건이 하나만",
        ),
        (
            {"table": {"hit": "first", "columns": ["pulse"], "rows": [{"when": [], "then": "no"}]}},
            "/table/rows/0/when",
            "Row 1 has 0 cells for 1 columns.",
            "열은 1개인데 1행의 칸은 0개",
        ),
    ],
)
def test_what_is_malformed_is_said_with_its_place_in_both_languages(
    change: dict[str, Any], pointer: str, en: str, ko: str
) -> None:
    (one,) = check(raw("no") | change, REGISTRY)
    assert (one.pointer, one.refuses) == (pointer, True)
    assert one.en.startswith(en)
    assert ko in one.ko


def test_an_outcome_that_is_not_in_the_table_is_shown_where_it_is_written() -> None:
    chain = {"if": [v("on"), "yes", {"==": [v("ward"), "a"]}, {"if": [v("on"), "maybe", "no"]}, "no"]}
    assert [(one.code, one.pointer) for one in found(chain)] == [("outcome-unknown", "/logic/if/3/if/1")]


def test_every_sentence_is_there_in_both_languages_with_the_same_details() -> None:
    import re

    for code, (en, ko) in SENTENCES.items():
        plain = [{name.removesuffix("_en").removesuffix("_ko") for name in re.findall(r"{(\w+)}", s)} for s in (en, ko)]
        assert plain[0] == plain[1], code
        assert re.search("[가-힣]", ko), code
    with pytest.raises(KeyError):
        finding("never-heard-of", "")


def test_a_code_that_reads_as_a_time_cannot_be_declared() -> None:
    from rules.facts import FactDefinition

    for code in ("1d", "24h", "90m", "1h:30m", "2026-01-01T00:00:00Z"):
        with pytest.raises(ValueError, match="reads as a time"):
            FactDefinition.model_validate(
                {"path": "x", "type": "code", "system": "urn:x", "codes": codes(code), "title": TITLE}
                | {"privacy": "operational", "source": "x"}
            )
