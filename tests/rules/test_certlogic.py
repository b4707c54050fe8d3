"""67 rules that four authorities published, with their 438 tests, as rule documents of ours."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from domain.errors import RuleUnusable
from rules.certlogic import certificate_registry, facts_of, imported
from rules.checking.checker import check_document
from rules.engine import RuleEngine

DATA = Path(__file__).parents[3] / "shared" / "data" / "rules" / "eu-dcc-rules"
REGISTRY = certificate_registry()
given = pytest.mark.skipif(not DATA.is_dir(), reason="the published rules are not beside this checkout")


def published() -> list[dict[str, Any]]:
    sets = json.loads((DATA / "value-sets.json").read_text("utf-8"))
    entries: list[dict[str, Any]] = json.loads((DATA / "rules-with-tests.json").read_text("utf-8"))
    for entry in entries:
        for test in entry["tests"]:
            known = test["external"].get("valueSets")
            if isinstance(known, dict) and "$ref" in known:
                test["external"]["valueSets"] = sets[known["$ref"]]
    return entries


@given
def test_every_published_rule_passes_its_own_tests() -> None:
    engine = RuleEngine(REGISTRY)
    tried: Counter[str] = Counter()
    for entry in published():
        document = imported(entry["rule"], entry["tests"])
        assert [one for one in check_document(document, REGISTRY) if one.refuses] == []
        for test in document.tests:
            evaluated = engine.evaluate(document, test.facts)
            assert (evaluated.outcome, evaluated.reason) == (test.outcome, None), (document.id, test.name)
            tried[document.scope.place] += 1
    assert (sum(tried.values()), len(tried)) == (438, 4)


@given
def test_scope_validity_and_version_come_along() -> None:
    entry = next(entry for entry in published() if entry["rule"]["Identifier"] == "VR-AT-0004")
    document = imported(entry["rule"], entry["tests"])
    assert (document.id, document.version, document.scope.place) == ("vr-at-0004", entry["rule"]["Version"], "AT")
    assert document.effective.since is not None
    assert document.effective.since.isoformat() == entry["rule"]["ValidFrom"].replace("Z", "+00:00")


def rule(logic: Any) -> dict[str, Any]:
    return {
        "Identifier": "GR-XX-0001",
        "Country": "XX",
        "Version": "1.0.0",
        "Description": [{"lang": "en", "desc": "of a test"}],
        "ValidFrom": "2021-06-01T00:00:00Z",
        "ValidTo": "2030-06-01T00:00:00Z",
        "Logic": logic,
    }


TEST = {"name": None, "payload": {"v": [{"dt": "2021-05-01", "dn": 1, "sd": 2}]}, "expected": True}


def decide(logic: Any, clock: str) -> str:
    external = {"validationClock": clock, "valueSets": {}}
    document = imported(rule(logic), [TEST | {"external": external}])
    return RuleEngine(REGISTRY).evaluate(document, facts_of(TEST["payload"], external)).outcome  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("operator", "on_the_day", "after_it"),
    [
        ("before", "refused", "refused"),
        ("not-after", "accepted", "refused"),
        ("not-before", "accepted", "accepted"),
        ("after", "refused", "accepted"),
    ],
)
def test_a_date_is_compared_to_the_millisecond(operator: str, on_the_day: str, after_it: str) -> None:
    clock = {"plusTime": [{"var": "external.validationClock"}, 0, "day"]}
    logic = {operator: [clock, {"plusTime": [{"var": "payload.v.0.dt"}, 14, "day"]}]}
    assert decide(logic, "2021-05-15T00:00:00Z") == on_the_day
    assert decide(logic, "2021-05-15T00:00:00.001Z") == after_it


@pytest.mark.parametrize(
    "logic",
    [
        {"plusTime": [{"var": "payload.v.0.dt"}, 1, "day"]},
        {"before": [{"plusTime": [{"var": "payload.v.0.dt"}, 1, "month"]}, {"var": "external.validationClock"}]},
        {"===": [{"var": "payload.nam.fn"}, "x"]},
        {"===": [{"extractFromUVCI": [{"var": "payload.v.0.ci"}, 1]}, "x"]},
        3,
    ],
)
def test_what_has_no_meaning_in_the_profile_is_refused(logic: Any) -> None:
    with pytest.raises(RuleUnusable):
        imported(rule(logic), [TEST | {"external": {}}])
