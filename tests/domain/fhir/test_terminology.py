"""HL7's own code systems and value sets."""

from __future__ import annotations

from collections import Counter

import pytest

from domain import fhir

NOT_ENUMERABLE = {
    "http://hl7.org/fhir/ValueSet/currencies",
    "http://hl7.org/fhir/ValueSet/mimetypes",
    "http://hl7.org/fhir/ValueSet/ucum-units",
    "http://loinc.org/vs/LL379-9",
}


@pytest.mark.parametrize(
    ("url", "system", "inside", "outside"),
    [
        ("http://hl7.org/fhir/ValueSet/observation-status", "http://hl7.org/fhir/observation-status", "final", "done"),
        ("http://hl7.org/fhir/ValueSet/all-types", "http://hl7.org/fhir/data-types", "Quantity", "Patient"),
        ("http://hl7.org/fhir/ValueSet/all-types", "http://hl7.org/fhir/resource-types", "Patient", "Quantity"),
        (
            "http://hl7.org/fhir/ValueSet/condition-clinical|4.0.1",
            "http://terminology.hl7.org/CodeSystem/condition-clinical",
            "relapse",  # stands beneath `active`
            "confirmed",
        ),
        (
            "http://terminology.hl7.org/ValueSet/v3-ActEncounterCode",
            "http://terminology.hl7.org/CodeSystem/v3-ActCode",
            "IMP",
            "ACCT",
        ),
    ],
)
def test_a_value_set_lists_its_codes_by_system(url: str, system: str, inside: str, outside: str) -> None:
    codes = fhir.value_set_codes(url)
    assert codes is not None
    assert inside in codes[system]
    assert outside not in codes[system]


def test_what_rests_on_foreign_code_systems_is_not_enumerated() -> None:
    for url in (*NOT_ENUMERABLE, "http://hl7.org/fhir/ValueSet/condition-code", "http://example.org/nobody"):
        assert fhir.value_set_codes(url) is None


def test_every_required_binding_but_four_can_be_checked() -> None:
    bound = {
        each.binding[1]
        for name in fhir.types()
        for path in all_paths(name)
        for each in fhir.children(path).values()
        if each.binding and each.binding[0] == "required"
    }
    assert len(bound) == 224
    assert {url for url in bound if fhir.value_set_codes(url) is None} == NOT_ENUMERABLE


def all_paths(name: str) -> list[str]:
    from domain.fhir.elements import structure_of

    return list(structure_of(name).children)


def test_code_systems_and_value_sets_come_as_published_without_narrative() -> None:
    published = list(fhir.iter_terminology())
    assert Counter(each["resourceType"] for each in published) == {"ValueSet": 1316, "CodeSystem": 1062}
    assert all("url" in each and "text" not in each for each in published)
    (gender,) = (each for each in published if each["url"] == "http://hl7.org/fhir/administrative-gender")
    assert [each["code"] for each in gender["concept"]] == ["male", "female", "other", "unknown"]
