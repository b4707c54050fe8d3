"""Why and why not, in words of the hospital, with the values that were read."""

from __future__ import annotations

import re

import pytest

from domain.decisions import DecisionPoint
from rules.engine import RuleEngine
from rules.explaining import explain
from rules.facts import Facts
from rules.library import shipped
from tests.rulebook import REGISTRY, rule, yes_if

ENGINE = RuleEngine()
CRITICAL = shipped()[DecisionPoint.CRITICAL_VALUE]
FACTS: Facts = {"result": {"test": "2823-3", "value": 6.3, "flag": "abnormal", "patient_age_days": 9000}}


def test_an_answer_is_explained_by_what_was_met_and_what_was_not() -> None:
    told = explain(ENGINE, CRITICAL, FACTS, "en")
    assert told.answer == "Critical value: Critical: told at once"
    assert "Age in days at collection: 9000 days" in told.reads
    assert told.why == (
        "Met: Test is potassium and Value in the test's shipped unit is above 6.2 and Age in days at collection is "
        "above 28 days [Age in days at collection 9000 days, Test potassium, Value in the test's shipped unit 6.3]",
    )
    assert told.why_not[0].startswith("Not ‘Not critical’: not met — Test is blood culture")


def test_it_is_the_same_in_korean() -> None:
    told = explain(ENGINE, CRITICAL, FACTS, "ko")
    assert told.answer == "위험값 판정: 위험값입니다. 바로 알립니다"
    assert "검사 항목: 칼륨" in told.reads
    assert told.why[0].startswith("충족: 검사 항목 = 칼륨 그리고 결과값(기준 단위) > 6.2")


@pytest.mark.parametrize(
    ("facts", "en", "ko"),
    [
        ({}, "Not decided: a fact that it needs is missing (", "판정하지 못했습니다. 필요한 사실이 없습니다"),
        (
            {"result": FACTS["result"] | {"test": "a name"}},
            "Not decided: a fact is not what it claims to be (Test). Meanwhile: Treated as critical and told",
            "판정하지 못했습니다. 사실의 값이 정의와 다릅니다 (검사 항목)",
        ),
    ],
)
def test_what_was_left_open_says_why_and_what_happens_meanwhile(facts: Facts, en: str, ko: str) -> None:
    assert explain(ENGINE, CRITICAL, facts, "en").answer.startswith(en)
    assert explain(ENGINE, CRITICAL, facts, "ko").answer.startswith(ko)


def test_a_value_that_lies_is_not_repeated() -> None:
    told = explain(ENGINE, CRITICAL, {"result": FACTS["result"] | {"test": "홍길동 010-1234-5678"}}, "en")
    assert "홍길동" not in "".join(told.lines)
    assert "Test: a value that does not fit its declaration (str)" in told.reads


@pytest.mark.parametrize("document", shipped().values(), ids=lambda document: document.id)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_attached_test_of_the_library_can_be_explained(document: object, language: str) -> None:
    assert hasattr(document, "tests")
    for test in document.tests[:12]:
        told = explain(ENGINE, document, test.facts, language)  # type: ignore[arg-type]
        assert told.answer
        if language == "ko":
            assert re.search("[가-힣]", told.answer)


def test_a_score_is_said_by_its_sum_and_what_it_is_made_of() -> None:
    score = shipped()[DecisionPoint.EARLY_WARNING]
    facts = next(test.facts for test in score.tests if test.name == "respiration 9 with four more")
    en, ko = (explain(ENGINE, score, facts, language) for language in ("en", "ko"))
    high = "the sum 5 (Respiration 1, Pulse 2, On oxygen 2) is at least 7"
    assert any(line.startswith(f"Not ‘Emergency response (7 or more)’: not met — {high}") for line in en.why_not)
    assert any("합계 5 (호흡수 1, 맥박 2, 산소 투여 중 2) ≥ 5" in line for line in ko.why)


@pytest.mark.parametrize(
    ("condition", "en", "ko"),
    [
        ({"in": [{"var": "ward"}, ["a", "b"]]}, "a fact is one of a fact, a fact", "사실: 사실, 사실 중 하나"),
        ({"in": ["a", {"var": "flags"}]}, "a fact has a fact", "사실에 사실 있음"),
        (
            {"some": [{"var": "flags"}, {"in": [{"var": ""}, ["a", "b"]]}]},
            "a fact has one of a fact, a fact",
            "사실에 사실, 사실 중 하나 있음",
        ),
        (
            {"none": [{"var": "flags"}, {"in": [{"var": ""}, ["a"]]}]},
            "a fact has none of a fact",
            "사실에 사실 모두 없음",
        ),
        ({">=": [{"var": "bill"}, 3_000_000]}, "a fact is at least 3,000,000 won", "사실 ≥ 3,000,000원"),
    ],
)
def test_conditions_are_said_as_people_say_them(condition: object, en: str, ko: str) -> None:
    engine = RuleEngine(REGISTRY)
    facts = {"ward": "c", "flags": ["c"], "bill": 5}
    for language, expected in (("en", en), ("ko", ko)):
        told = explain(engine, rule(yes_if(condition)), facts, language)
        assert expected in " ".join((*told.why, *told.why_not))


def test_every_operator_has_words() -> None:
    engine = RuleEngine(REGISTRY)
    condition = {
        "and": [
            {"or": [{"!": [{"var": "on"}]}, {"exists": ["since"]}]},
            {"some": [{"var": "lines"}, {"==": [{"var": "kind"}, "drug"]}]},
            {">": [{"date_diff": [{"var": "at"}, "2026-01-01T00:00:00Z", "days"]}, -9]},
            {">": [{"switch": [{"var": "ward"}, [["a", 1]], 2]}, {"if": [{"var": "on"}, 0, 0]}]},
            {"<": [{"-": [{"var": "bill"}, 1]}, 10]},
            {"!!": [True]},
        ]
    }
    facts = {"on": False, "lines": [{"kind": "drug", "won": 1}], "at": "2026-01-01T00:00:00Z", "ward": "a", "bill": 3}
    told = explain(engine, rule(yes_if(condition)), facts, "en")
    assert told.answer.endswith("Yes")
    assert explain(engine, rule(yes_if(condition)), facts, "ko").answer.endswith("예")
