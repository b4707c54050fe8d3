"""Search parameters and compartments of R4, as HL7 defines them."""

from __future__ import annotations

import pytest

from domain import fhir


def test_every_type_has_its_parameters_and_the_common_ones() -> None:
    own = sum(len([code for code in fhir.search_parameters(name) if code[0] != "_"]) for name in fhir.resource_types())
    assert own == 1697  # 1375 are published; those that types share are counted for each
    for name in fhir.resource_types():
        assert {"_id", "_lastUpdated", "_tag", "_profile", "_security", "_source"} <= set(fhir.search_parameters(name))
    assert fhir.search_parameters("Nonsense") == {}


def test_a_shared_parameter_keeps_what_concerns_the_type() -> None:
    assert fhir.search_parameters("Observation")["code"].expression == "Observation.code"
    assert fhir.search_parameters("Observation")["patient"].expression == (
        "Observation.subject.where(resolve() is Patient)"
    )
    assert fhir.search_parameters("MedicationRequest")["code"].expression == (
        "(MedicationRequest.medication as CodeableConcept)"
    )
    assert fhir.search_parameters("Patient")["phone"].expression == "Patient.telecom.where(system='phone')"
    assert fhir.search_parameters("Patient")["deceased"].expression == (
        "Patient.deceased.exists() and Patient.deceased != false"
    )
    assert fhir.search_parameters("Patient")["_id"].expression == "Resource.id"


def test_an_expression_names_no_other_type() -> None:
    for name in fhir.resource_types():
        for each in fhir.search_parameters(name).values():
            heads = {part.strip().lstrip("(").partition(".")[0] for part in each.expression.split(" | ")}
            strangers = (heads & fhir.resource_types()) - {name}
            assert not strangers, each


def test_composites_name_the_parameters_they_are_made_of() -> None:
    found = fhir.search_parameters("Observation")["component-code-value-quantity"]
    assert (found.type, found.expression) == ("composite", "Observation.component")
    assert [each.expression for each in found.components] == ["code", "value.as(Quantity)"]
    for name in fhir.resource_types():
        for each in fhir.search_parameters(name).values():
            for part in each.components:
                assert part.definition in fhir.parameters_by_url(), each.url


def test_references_name_their_targets() -> None:
    assert fhir.search_parameters("Encounter")["subject"].targets == ("Group", "Patient")
    assert fhir.search_parameters("Encounter")["status"].targets == ()


@pytest.mark.parametrize(
    ("compartment", "resource_type", "codes"),
    [
        ("Patient", "Observation", ("subject", "performer")),
        ("Patient", "Condition", ("patient", "asserter")),
        ("Patient", "Medication", ()),
        ("Encounter", "Encounter", ("{def}",)),
        ("Practitioner", "Practitioner", ("{def}",)),
        ("Nonsense", "Observation", ()),
    ],
)
def test_compartments_name_the_parameters_that_put_a_resource_in(
    compartment: str, resource_type: str, codes: tuple[str, ...]
) -> None:
    assert fhir.compartment(compartment, resource_type) == codes


def test_there_are_five_compartments_made_of_real_parameters() -> None:
    assert set(fhir.compartments()) == {"Device", "Encounter", "Patient", "Practitioner", "RelatedPerson"}
    for compartment in fhir.compartments():
        for name in fhir.resource_types():
            codes = set(fhir.compartment(compartment, name)) - {"{def}"}
            assert codes <= set(fhir.search_parameters(name)), (compartment, name)
