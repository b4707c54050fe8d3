"""A small book of rules for tests: a registry with facts of every type, and documents about them."""

from __future__ import annotations

from typing import Any

from rules.document import RuleDocument, load
from rules.facts import FactDefinition
from rules.points import PointDefinition, Registry

TITLE = {"ko": "사실", "en": "a fact"}
ABOUT = {"title": TITLE, "privacy": "operational", "source": "a test"}
SYSTEM = "urn:test"


def codes(*names: str) -> dict[str, Any]:
    return dict.fromkeys(names, TITLE)


FACTS: tuple[dict[str, Any], ...] = (
    {"path": "spo2", "type": "number", "unit": "%", "minimum": 0, "maximum": 100},
    {"path": "pulse", "type": "integer", "unit": "/min", "minimum": 0, "maximum": 300},
    {"path": "weight", "type": "number", "unit": "kg"},
    {"path": "bill", "type": "money"},
    {"path": "on", "type": "boolean"},
    {"path": "ward", "type": "code", "system": SYSTEM, "codes": codes("a", "b", "c")},
    {"path": "diagnosis", "type": "code", "system": "urn:kcd"},
    {"path": "flags", "type": "codes", "system": SYSTEM, "codes": codes("a", "b", "c")},
    {"path": "patient.born", "type": "date"},
    {"path": "at", "type": "instant"},
    {"path": "since", "type": "instant", "absent": True},
    {"path": "score", "type": "integer", "unit": "1", "absent": True, "default_allowed": True},
    {
        "path": "lines",
        "type": "records",
        "fields": [
            {"path": "kind", "type": "code", "system": SYSTEM, "codes": codes("drug", "test"), **ABOUT},
            {"path": "won", "type": "money", **ABOUT},
        ],
    },
)
ELSEWHERE = {"path": "elsewhere", "type": "boolean"}
"""Declared, and supplied by no point."""

_POINT: dict[str, Any] = {
    "title": TITLE,
    "purpose": TITLE,
    "process": "test",
    "values": {"minutes": {"type": "integer", "unit": "min", "title": TITLE, "required": False}},
    "facts": [fact["path"] for fact in FACTS],
    "pin": "latest",
    "fallback": {"outcome": "no", "values": {}, "effect": TITLE, "position": "attending", "minutes": 30},
}
POINTS: tuple[dict[str, Any], ...] = (
    _POINT | {"id": "yes-or-no"},
    _POINT | {"id": "which", "shape": "many"},
    _POINT | {"id": "how-much", "shape": "number", "unit": "1"},
)


def registry(*points: dict[str, Any]) -> Registry:
    facts = [FactDefinition.model_validate(ABOUT | fact) for fact in (*FACTS, ELSEWHERE)]
    declared = [PointDefinition.model_validate(point) for point in (*POINTS, *points)]
    return Registry({fact.path: fact for fact in facts}, {point.id: point for point in declared})


REGISTRY = registry()


def raw(logic: Any, **changed: Any) -> dict[str, Any]:
    """A document as it is written, with `logic`, about all facts."""
    return {
        "id": "of-a-test",
        "version": "1.0.0",
        "title": TITLE,
        "source": "a test",
        "rationale": TITLE,
        "owner": "nurse",
        "review_by": "2027-12-31",
        "profile": "jl-strict/1",
        "decision_point": "yes-or-no",
        "facts": [fact["path"] for fact in FACTS],
        "outcomes": {
            "yes": {"values": {}, "text": {"ko": "예", "en": "Yes"}},
            "no": {"values": {}, "text": {"ko": "아니요", "en": "No"}},
        },
        "fallback": "no",
        "logic": logic,
        "tests": [{"name": "left open", "facts": {}, "outcome": "no", "indeterminate": True}],
    } | changed


def rule(logic: Any, **changed: Any) -> RuleDocument:
    return load(raw(logic, **changed))


def yes_if(condition: Any) -> Any:
    return {"if": [condition, "yes", "no"]}
