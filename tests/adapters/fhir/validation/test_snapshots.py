"""Profiles that come as a differential: laid over what they are derived from."""

from __future__ import annotations

from typing import Any

import pytest

from adapters.fhir.validation import check_fully
from adapters.fhir.validation.snapshots import elements_of
from domain.errors import Invalid

Json = dict[str, Any]

URL = "http://example.org/StructureDefinition/korean"
STRICTER = f"{URL}-inpatient"
PATIENT = "http://hl7.org/fhir/StructureDefinition/Patient"


def profile(url: str, base: str, *elements: Json, **more: Any) -> Json:
    made = {"url": url, "type": "Patient", "derivation": "constraint", "baseDefinition": base}
    return {**made, "differential": {"element": [*elements]}, **more}


MRN = "urn:oid:1.2.410.1"
SLICING = {"discriminator": [{"type": "value", "path": "system"}], "rules": "open"}
KOREAN = profile(
    URL,
    PATIENT,
    {"path": "Patient"},
    {"path": "Patient.identifier", "slicing": SLICING, "min": 1},
    {"path": "Patient.identifier", "sliceName": "mrn", "min": 1, "max": "1"},
    {"path": "Patient.identifier.system", "min": 1, "fixedUri": MRN},
    {"path": "Patient.name.family", "min": 1},
)
INPATIENT = profile(
    STRICTER,
    URL,
    {"id": "Patient", "path": "Patient", "constraint": [
        {"key": "kr-1", "severity": "error", "human": "has a birth date", "expression": "birthDate.exists()"}]},
    {"id": "Patient.identifier:mrn.value", "path": "Patient.identifier.value", "min": 1},
    {"id": "Patient.name", "path": "Patient.name", "max": "1"},
)  # fmt: skip
KNOWN = {each["url"]: each for each in (KOREAN, INPATIENT)}

RIGHT: Json = {
    "resourceType": "Patient",
    "identifier": [{"system": MRN, "value": "1"}, {"system": "urn:oid:9"}],
    "name": [{"family": "김"}],
    "birthDate": "1970",
}


def errors(document: Json, url: str) -> list[str]:
    found = check_fully(document, profile_urls=[url], find=KNOWN.get)
    return [each.expression for each in found if each.severity == "error"]


def test_elements_without_ids_are_named_by_path_slice_and_order() -> None:
    assert [each["id"] for each in elements_of(KOREAN, KNOWN.get)] == [
        "Patient",
        "Patient.identifier",
        "Patient.identifier:mrn",
        "Patient.identifier:mrn.system",
        "Patient.name",  # nobody said anything of it, but of what is in it
        "Patient.name.family",
    ]


def test_a_derived_profile_keeps_what_it_is_derived_from() -> None:
    made = {each["id"]: each for each in elements_of(INPATIENT, KNOWN.get)}
    assert made["Patient.identifier:mrn.system"]["fixedUri"] == MRN
    assert made["Patient.identifier:mrn"]["max"] == "1"
    assert made["Patient.name"]["max"] == "1"
    assert made["Patient.name.family"]["min"] == 1


BREACHES: list[tuple[str, Json, list[str]]] = [
    (URL, {}, []),
    (URL, {"birthDate": ...}, []),
    (URL, {"identifier": [{"system": "urn:oid:9"}]}, ["Patient.identifier"]),
    (URL, {"identifier": ...}, ["Patient.identifier", "Patient.identifier"]),
    (URL, {"identifier": [{"system": MRN}]}, []),
    (URL, {"identifier": [{"system": MRN}, {"system": MRN}]}, ["Patient.identifier"]),
    (URL, {"name": [{"text": "김"}]}, ["Patient.name[0].family"]),
    (STRICTER, {}, []),
    (STRICTER, {"birthDate": ...}, ["Patient"]),
    (STRICTER, {"identifier": [{"system": MRN}]}, ["Patient.identifier[0].value"]),
    (STRICTER, {"name": [{"family": "김"}, {"family": "이"}]}, ["Patient.name"]),
    (STRICTER, {"name": [{"text": "김"}]}, ["Patient.name[0].family"]),
]


@pytest.mark.parametrize(("url", "change", "where"), BREACHES)
def test_a_resource_is_held_to_a_differential_as_to_a_snapshot(url: str, change: Json, where: list[str]) -> None:
    document = {name: value for name, value in {**RIGHT, **change}.items() if value is not ...}
    assert errors(document, url) == where


def test_a_profile_that_cannot_be_laid_over_anything_says_so() -> None:
    nobody = profile("http://x", "http://example.org/nobody", {"path": "Patient"})
    circle = profile("http://y", "http://y", {"path": "Patient"})
    for unusable in (nobody, circle, {"url": "http://z", "type": "Patient", "baseDefinition": PATIENT}):
        with pytest.raises(Invalid):
            elements_of(unusable, {"http://y": circle}.get)
    found = check_fully(RIGHT, profile_urls=["http://x"], find={"http://x": nobody}.get)
    assert any("cannot be used" in each.diagnostics and "not known" in each.diagnostics for each in found)


def test_a_profile_with_an_impossible_number_of_times_cannot_be_used() -> None:
    odd = profile("http://x", PATIENT, {"path": "Patient.name", "max": "x"})
    found = check_fully(RIGHT, profile_urls=["http://x"], find={"http://x": odd}.get)
    assert any("cannot be used" in each.diagnostics for each in found)


def test_a_differential_over_a_profile_of_hl7_keeps_that_too() -> None:
    from domain import fhir

    vital = profile(
        "http://example.org/warm",
        "http://hl7.org/fhir/StructureDefinition/bodytemp",
        {"path": "Observation.note", "min": 1},
        type="Observation",
    )
    document = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}

    def find(url: str) -> Any:
        return vital if url == vital["url"] else fhir.profile(url)

    found = check_fully(document, profile_urls=[vital["url"]], find=find)
    said = [each.diagnostics for each in found if each.severity == "error"]
    assert any("`note`" in each for each in said)
    assert any("`effective[x]`" in each for each in said)
