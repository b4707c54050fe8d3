"""Invariants as schemas: what makes them certainly hold, and where nothing does."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from adapters.fhir.validation.certainty import BY_STRUCTURE, Certainty
from adapters.fhir.validation.keywords import KEYWORDS
from domain import fhir
from domain.fhir.elements import structure_of
from domain.fhirpath.parser import parse_tree

CONDITION = "http://terminology.hl7.org/CodeSystem/condition-clinical"

# Context, condition, instance, and whether the condition certainly holds: False for "no" and for "not sure".
CASES: list[tuple[str, str, dict[str, Any], bool]] = [
    ("Observation", "dataAbsentReason.empty() or value.empty()", {"valueString": "x"}, True),
    ("Observation", "dataAbsentReason.empty() or value.empty()", {"valueString": "x", "dataAbsentReason": {}}, False),
    ("Observation", "issued.exists()", {"_issued": {}}, True),
    ("Observation", "issued.hasValue()", {"_issued": {}}, False),
    ("Observation", "issued.empty()", {"_issued": {}}, False),
    ("Observation", "component.interpretation.exists()", {"component": [{}, {"interpretation": [{}]}]}, True),
    ("Observation", "component.interpretation.exists()", {"component": [{}, {}]}, False),
    ("Observation", "component.interpretation.empty()", {"component": [{}, {}]}, True),
    ("Observation", "component.all(interpretation.exists())", {"component": [{"interpretation": [{}]}, {}]}, False),
    ("Observation", "component.all(interpretation.exists())", {}, True),
    ("Appointment", "start.exists() = end.exists()", {"start": "x"}, False),
    ("Appointment", "start.exists() = end.exists()", {"start": "x", "end": "y"}, True),
    ("Appointment", "status in ('proposed' | 'cancelled')", {"status": "proposed"}, True),
    ("Appointment", "status in ('proposed' | 'cancelled')", {"status": "booked"}, False),
    ("Appointment", "Appointment.start.exists() implies status = 'booked'", {"start": "x", "status": "noshow"}, False),
    ("Appointment", "Appointment.start.exists() implies status = 'booked'", {"status": "noshow"}, True),
    ("Group", "member.empty() or (actual = true)", {"member": [{}], "actual": True}, True),
    ("Group", "member.empty() or (actual = true)", {"member": [{}], "actual": False}, False),
    ("Organization", "(identifier.count() + name.count()) > 0", {"name": "x"}, True),
    ("Organization", "(identifier.count() + name.count()) > 0", {"alias": ["x"]}, False),
    ("Organization.telecom", "where(use = 'home').empty()", {"use": "work"}, True),
    ("Organization.telecom", "where(use = 'home').empty()", {"use": "home"}, False),
    ("Organization.telecom", "where(use = 'home').empty()", {}, True),
    ("Condition", f"clinicalStatus.coding.where(system='{CONDITION}' and code='active').exists()",
     {"clinicalStatus": {"coding": [{"system": CONDITION, "code": "active"}]}}, True),
    ("Condition", f"clinicalStatus.coding.where(system='{CONDITION}' and code='active').exists()",
     {"clinicalStatus": {"coding": [{"system": CONDITION}, {"code": "active"}]}}, False),
    ("DataRequirement.codeFilter", "path.exists() xor searchParam.exists()", {"path": "x"}, True),
    ("DataRequirement.codeFilter", "path.exists() xor searchParam.exists()", {"path": "x", "searchParam": "y"}, False),
    ("Timing.repeat", "duration.exists() implies duration >= 0", {"duration": Decimal("-0.5")}, False),
    ("Bundle.entry", "fullUrl.contains('/_history/').not()", {"fullUrl": "http://x/_history/1"}, False),
    ("Bundle.entry", "fullUrl.contains('/_history/').not()", {"fullUrl": "http://x/1"}, True),
    ("Period", "start <= end", {"start": "2024-02-29", "end": "2024-02-29"}, True),
    ("Period", "start <= end", {"start": "2024-02-29", "end": "2024-02-28"}, False),
    ("Period", "start <= end", {"start": "2024-02-29T10:00:00+09:00", "end": "2024-03-01T00:00:00Z"}, False),
    ("Period", "start <= end", {"start": "2024", "end": "2025-01"}, False),
    ("Range", "low <= high", {"low": {"value": 1, "unit": "a"}, "high": {"value": Decimal("1.5"), "unit": "a"}}, True),
    ("Range", "low <= high", {"low": {"value": 1, "unit": "a"}, "high": {"value": 2, "unit": "b"}}, False),
    ("Questionnaire", "descendants().linkId.isDistinct()", {}, False),
]  # fmt: skip


@pytest.mark.parametrize(("path", "expression", "instance", "certain"), CASES)
def test_a_condition_is_certain_or_it_is_not(
    path: str, expression: str, instance: dict[str, Any], certain: bool
) -> None:
    schema = Certainty(path).sure(parse_tree(expression), "not false")
    assert Draft202012Validator(schema, keywords=KEYWORDS).is_valid(instance) is certain


def test_most_of_hl7s_invariants_can_be_certain() -> None:
    rules = {
        (rule.key, rule.path): rule.expression
        for name in fhir.types()
        for listed in structure_of(name).invariants.values()
        for rule in listed
        if rule.severity == "error" and rule.key not in BY_STRUCTURE
    }
    unsure = {
        key for (key, path), text in rules.items() if Certainty(path).sure(parse_tree(text), "not false") is False
    }
    assert len(rules) == 200
    assert unsure == {
        "cpb-7", "cpb-9", "cpb-12", "csd-1", "eld-3", "eld-13", "eld-14", "eld-19", "lnk-1", "msq-6", "nsd-2", "que-2",
        "ras-1", "ras-2", "sdf-8", "sdf-8a", "sdf-9", "sdf-16", "sdf-17", "sdf-20", "sdf-23",
    }  # fmt: skip
