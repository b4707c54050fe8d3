"""$validate: profiles, warnings, and what references point at."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest

from adapters.fhir.validation import check, check_fully
from adapters.fhir.validation.profiles import covers, same
from domain import fhir
from tests.adapters.fhir.validation.documents import OBSERVATION, changed

BLOOD_PRESSURE = "http://hl7.org/fhir/StructureDefinition/bp"
LOINC = "http://loinc.org"
CATEGORY = {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}


def component(code: str, value: int) -> dict[str, Any]:
    quantity = {"value": value, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}
    return {"code": {"coding": [{"system": LOINC, "code": code}]}, "valueQuantity": quantity}


PRESSURE: dict[str, Any] = {
    "resourceType": "Observation",
    "meta": {"profile": [BLOOD_PRESSURE]},
    "text": {"status": "generated", "div": "<div>120/80</div>"},
    "status": "final",
    "category": [{"coding": [CATEGORY]}],
    "code": {"coding": [{"system": LOINC, "code": "85354-9"}]},
    "subject": {"reference": "Patient/p1"},
    "effectiveDateTime": "2026-03-09T10:15:00+09:00",
    "component": [component("8480-6", 120), component("8462-4", 80)],
}


def with_change(*path: str | int, value: Any) -> dict[str, Any]:
    document = copy.deepcopy(PRESSURE)
    place: Any = document
    for step in path[:-1]:
        place = place[step]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return document


def errors(document: Any, **arguments: Any) -> list[tuple[str, str]]:
    found = check_fully(document, **arguments)
    return [(each.expression, each.diagnostics) for each in found if each.severity == "error"]


def test_a_blood_pressure_keeps_hl7s_profile() -> None:
    assert check_fully(PRESSURE) == []


BREACHES: list[tuple[tuple[str | int, ...], Any, str, str]] = [
    (("component", 0), component("9999-9", 1), "Observation.component", "`component:SystolicBP` must occur at least 1"),
    (("component", 1), component("8480-6", 1), "Observation.component", "`component:SystolicBP` may occur 1 times"),
    (("component", 0, "valueQuantity", "code"), "kPa", "Observation.component[0].value.ofType(Quantity).code", "fixed"),
    (
        ("component", 0, "valueQuantity", "value"),
        ...,
        "Observation.component[0].value.ofType(Quantity).value",
        "`value`",
    ),
    (("component", 0, "valueQuantity"), ..., "Observation.component[0]", "vs-3"),
    (("category",), ..., "Observation.category", "`category` must occur at least 1"),
    (("category", 0, "coding", 0, "code"), "exam", "Observation.category", "`category:VSCat` must occur at least 1"),
    (("code", "coding", 0, "code"), "0-0", "Observation.code.coding", "`coding:BPCode` must occur at least 1"),
    (("valueQuantity",), {"value": 1}, "Observation.value", "`value[x]:valueQuantity` may occur 0 times"),
    (("valueString",), "high", "Observation.value.ofType(string)", "must be Quantity"),
    (("effectiveDateTime",), ..., "Observation.effective", "`effective[x]` must occur at least 1"),
    (("effectiveDateTime",), "2026", "Observation.effective.ofType(dateTime)", "vs-1"),
    (("subject", "reference"), "Group/1", "Observation.subject", "may not point to Group: Patient"),
]


@pytest.mark.parametrize(("path", "value", "where", "says"), BREACHES, ids=lambda value: str(value)[:40])
def test_what_a_profile_asks_for_and_does_not_get_is_said(
    path: tuple[str | int, ...], value: Any, where: str, says: str
) -> None:
    document = with_change(*path, value=value)
    assert check(document) == []
    found = errors(document)
    assert any(expression == where and says in diagnostics for expression, diagnostics in found), found


def test_a_profile_is_asked_for_by_name_too() -> None:
    assert errors(OBSERVATION) == []
    assert errors(OBSERVATION, profile_urls=["http://hl7.org/fhir/StructureDefinition/bodyweight"])
    assert errors(OBSERVATION, profile_urls=[f"{BLOOD_PRESSURE}|4.0.1"])
    ((_, says),) = errors({"resourceType": "Basic", "code": {"text": "x"}}, profile_urls=[BLOOD_PRESSURE])
    assert "is for Observation" in says


def test_a_profile_that_nobody_knows_is_an_error_when_asked_for_and_a_warning_when_named() -> None:
    unknown = "http://example.org/StructureDefinition/x"
    ((_, says),) = errors(OBSERVATION, profile_urls=[unknown])
    assert "not known" in says
    named = {**OBSERVATION, "meta": {"profile": [unknown]}}
    assert errors(named) == []
    assert any(each.severity == "warning" and "not known" in each.diagnostics for each in check_fully(named))


def test_hospitals_profiles_are_found_where_the_caller_looks() -> None:
    def element(identity: str, **more: Any) -> dict[str, Any]:
        return {"id": identity, "path": identity.split(":", maxsplit=1)[0], "min": 0, "max": "*", **more}

    slicing = {"discriminator": [{"type": "value", "path": "system"}], "rules": "closed"}
    number = {"type": [{"code": "Identifier"}]}
    listed = [
        element("Patient"),
        element("Patient.identifier", slicing=slicing, **number),
        element("Patient.identifier:mrn", sliceName="mrn", **number, min=1, max="1"),
        {
            **element("Patient.identifier:mrn.system"),
            "path": "Patient.identifier.system",
            "patternUri": "urn:oid:1.2.3",
        },
        element("Patient.name", patternHumanName={"use": "official"}),
        element("Patient.extension", slicing={"discriminator": [{"type": "value", "path": "url"}], "rules": "open"}),
        element(
            "Patient.extension:nick", sliceName="nick", min=1, type=[{"code": "Extension", "profile": ["http://n"]}]
        ),
    ]
    profile = {"type": "Patient", "snapshot": {"element": listed}}
    known = {"http://example.org/p": profile}
    arguments = {"profile_urls": ["http://example.org/p"], "find": known.get}
    right = {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:oid:1.2.3", "value": "1"}],
        "name": [{"use": "official", "text": "홍길동"}],
        "extension": [{"url": "http://n", "valueString": "x"}],
    }
    assert errors(right, **arguments) == []
    found = errors(
        {**right, "identifier": [{"system": "urn:oid:9", "value": "1"}], "name": [{"text": "x"}]}, **arguments
    )
    assert [where for where, _ in found] == ["Patient.identifier[0]", "Patient.identifier", "Patient.name[0]"]
    other = {**right, "extension": [{"url": "http://o", "valueCode": "x"}]}
    assert [where for where, _ in errors(other, **arguments)] == ["Patient.extension"]
    del profile["snapshot"]
    ((_, says),) = errors(right, **arguments)
    assert "no snapshot" in says


def test_a_profile_that_asks_for_itself_ends() -> None:
    again = [{"code": "Extension", "profile": ["http://example.org/e"]}]

    def definition(kind: str) -> dict[str, Any]:
        root = {"id": kind, "path": kind, "min": 0, "max": "*"}
        inner = {"id": f"{kind}.extension", "path": f"{kind}.extension", "min": 0, "max": "*", "type": again}
        return {"type": kind, "snapshot": {"element": [root, inner]}}

    profiles = {"http://example.org/p": definition("Patient"), "http://example.org/e": definition("Extension")}
    extension: dict[str, Any] = {"url": "http://example.org/e", "valueCode": "x"}
    for _ in range(30):
        extension = {"url": "http://example.org/e", "extension": [extension]}
    document = {"resourceType": "Patient", "extension": [extension]}
    assert errors(document, profile_urls=["http://example.org/p"], find=profiles.get) == []


def test_every_profile_of_hl7_can_be_used() -> None:
    for url in fhir.profile_urls():
        definition = fhir.profile(url)
        assert definition is not None
        if definition["type"] in fhir.resource_types():
            document = {"resourceType": definition["type"]}
            found = check_fully(
                {**OBSERVATION} if definition["type"] == "Observation" else document, profile_urls=[url]
            )
            assert not any("cannot be used" in each.diagnostics for each in found), url


def test_a_reference_to_a_type_that_has_no_place_there_is_an_error() -> None:
    wrong = changed("Observation", "subject/reference", "http://example.org/fhir/Practitioner/1/_history/2")
    assert errors(wrong) == [
        ("Observation.subject.reference", "may not point to Practitioner: Device, Group, Location, Patient")
    ]
    assert errors(changed("Observation", "subject/reference", "urn:uuid:c757873d-ec9a-4326-a141-556f43239520")) == []


def test_warnings_are_told_and_are_no_errors() -> None:
    types = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "XX"}]}
    found = check_fully(changed("Patient", "identifier/0/type", types))
    assert [(each.severity, each.expression) for each in found] == [
        ("warning", "Patient.identifier[0].type"), ("warning", "Patient.meta.profile"),
    ]  # fmt: skip
    assert any("dom-6" in each.diagnostics for each in check_fully(OBSERVATION))


def test_patterns_cover_and_fixed_values_equal() -> None:
    assert covers({"coding": [{"code": "a"}]}, {"text": "x", "coding": [{"code": "b"}, {"code": "a", "system": "s"}]})
    assert not covers({"coding": [{"code": "a"}]}, {"coding": [{"code": "b"}]})
    assert not covers({"a": 1}, None)
    assert same({"value": 1.5}, {"value": Decimal("1.50")})
    assert not same({"value": 1}, {"value": 1, "unit": "kg"})
    assert not same(True, 1)
