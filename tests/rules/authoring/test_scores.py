"""What is written in Python is what stands in the library, to the letter."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from domain.decisions import DecisionPoint
from rules.authoring.scores import WRITTEN
from rules.authoring.writing import emitted, fact, scoring, when
from rules.engine import RuleEngine
from rules.library import shipped


@pytest.mark.parametrize("point", WRITTEN)
def test_what_is_emitted_is_the_shipped_rule(point: DecisionPoint) -> None:
    assert WRITTEN[point]() == shipped()[point].logic


def test_negation_is_spelled_as_jsonlogic_spells_it() -> None:
    assert emitted(~fact("on")) == {"!": [{"var": "on"}]}
    nested: Any = emitted(when((~(fact("on") & ~fact("off")), "yes"), otherwise="no"))
    assert nested == {"if": [{"!": [{"and": [{"var": "on"}, {"!": [{"var": "off"}]}]}]}, "yes", "no"]}


def test_what_scores_enough_is_said_by_its_bounds() -> None:
    def said(least: int) -> Any:
        return emitted(scoring(least, fact("x"), (8, 3), (11, 1), (20, 0), (24, 2), above=3))

    x = {"var": "x"}
    assert said(3) == {"or": [{"<=": [x, 8]}, {">": [x, 24]}]}
    assert said(1) == {"or": [{"<=": [x, 11]}, {">": [x, 20]}]}
    assert emitted(scoring(2, fact("x"), (1, 0), (5, 2), above=1)) == {"and": [{">": [x, 1]}, {"<=": [x, 5]}]}


def test_the_shipped_early_warning_is_news2_added_up() -> None:
    """Charts 1 and 2 once more, as a person adds them up, beside 4,000 patients around every threshold."""
    engine, rule, chance = RuleEngine(), shipped()[DecisionPoint.EARLY_WARNING], Random(2)  # noqa: S311  (patients)
    told = set()
    for _ in range(4_000):
        vitals: dict[str, Any] = {
            "respiration": chance.choice([8, 9, 11, 12, 16, 20, 21, 24, 25]),
            "spo2": chance.choice([83, 84, 85, 86, 87, 88, 91, 92, 93, 94, 95, 96, 97]),
            "hypercapnic": chance.random() < 0.4,
            "on_oxygen": chance.random() < 0.3,
            "systolic": chance.choice([90, 91, 100, 101, 110, 111, 150, 219, 220]),
            "pulse": chance.choice([40, 41, 50, 51, 70, 90, 91, 110, 111, 130, 131]),
            "consciousness": chance.choice(["alert"] * 9 + ["confused"]),
            "temperature": chance.choice([35.0, 35.1, 36.0, 36.1, 37.0, 38.0, 38.1, 39.0, 39.1]),
        }
        if chance.random() < 0.7:  # most patients are well in most ways
            usual = {"respiration": 16, "systolic": 150, "pulse": 70, "temperature": 37.0, "consciousness": "alert"}
            vitals |= dict(chance.sample(list(usual.items()), chance.randint(2, 5)))
        points = news2(**vitals)
        told.add(grade := graded(points))
        facts = {"vitals": vitals, "patient": {"age": 50}}
        assert engine.evaluate(rule, facts).outcome == grade, (vitals, points)
    assert told == {"high", "medium", "low-medium", "low", "routine"}


def graded(points: list[int]) -> str:
    total = sum(points)
    if total >= 5:
        return "high" if total >= 7 else "medium"
    return "low-medium" if 3 in points else "low" if total else "routine"


def news2(
    *,
    respiration: int,
    spo2: int,
    hypercapnic: bool,
    on_oxygen: bool,
    systolic: int,
    pulse: int,
    consciousness: str,
    temperature: float,
) -> list[int]:
    first = [3, 2, 1, 0][sum(spo2 > bound for bound in (91, 93, 95))]
    second = [3, 2, 1, 0, 1, 2, 3][sum(spo2 > bound for bound in (83, 85, 87, 92, 94, 96))]
    if not on_oxygen and spo2 >= 88:
        second = 0
    return [
        [3, 1, 0, 2, 3][sum(respiration > bound for bound in (8, 11, 20, 24))],
        second if hypercapnic else first,
        2 if on_oxygen else 0,
        [3, 2, 1, 0, 3][sum(systolic > bound for bound in (90, 100, 110, 219))],
        [3, 1, 0, 1, 2, 3][sum(pulse > bound for bound in (40, 50, 90, 110, 130))],
        0 if consciousness == "alert" else 3,
        [3, 1, 0, 1, 2][sum(temperature > bound for bound in (35.0, 36.0, 38.0, 39.0))],
    ]
