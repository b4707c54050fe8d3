"""Types and elements of R4, as HL7 defines them."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain import fhir
from domain.errors import Misconfigured
from domain.fhir import tables


def test_there_are_the_146_types_of_r4_that_a_server_can_hold() -> None:
    named = fhir.value_set_codes("http://hl7.org/fhir/ValueSet/resource-types")
    assert named is not None
    (codes,) = named.values()
    assert len(fhir.resource_types()) == 146
    assert fhir.resource_types() == codes - {"Resource", "DomainResource"}
    assert not {"Project", "Bot", "SubscriptionStatus", "Citation"} & fhir.resource_types()  # other servers', R4B's


def test_each_type_says_what_it_specialises() -> None:
    assert fhir.supertypes("Patient") == ("Patient", "DomainResource", "Resource")
    assert fhir.supertypes("Bundle") == ("Bundle", "Resource")
    assert fhir.supertypes("Age") == ("Age", "Quantity", "Element")
    assert fhir.supertypes("url") == ("url", "uri", "Element")
    assert fhir.supertypes("Nonsense") == ()
    assert {name for name, each in fhir.types().items() if each.kind == "primitive-type"} == {
        "base64Binary", "boolean", "canonical", "code", "date", "dateTime", "decimal", "id", "instant", "integer",
        "markdown", "oid", "positiveInt", "string", "time", "unsignedInt", "uri", "url", "uuid", "xhtml",
    }  # fmt: skip
    assert fhir.is_primitive("markdown")
    assert not fhir.is_primitive("Quantity")
    assert not fhir.is_primitive("Nonsense")


@pytest.mark.parametrize(
    ("path", "types", "cardinality"),
    [
        ("Patient.name", ("HumanName",), (0, "*")),
        ("Patient.name.given", ("string",), (0, "*")),
        ("Patient.deceased", ("boolean", "dateTime"), (0, "1")),
        ("Patient.deceasedBoolean", ("boolean",), (0, "1")),
        ("Patient.id", ("id",), (0, "1")),
        ("Patient.contact.id", ("string",), (0, "1")),
        ("Observation.status", ("code",), (1, "1")),
        ("Observation.valueQuantity.value", ("decimal",), (0, "1")),
        ("Observation.component.referenceRange.low.unit", ("string",), (0, "1")),
        ("Questionnaire.item.item.item.linkId", ("string",), (1, "1")),
        ("Bundle.entry.resource", ("Resource",), (0, "1")),
        ("Bundle.entry.link.url", ("uri",), (1, "1")),
        ("Extension.url", ("uri",), (1, "1")),
        ("Narrative.div", ("xhtml",), (1, "1")),
    ],
)
def test_an_element_is_found_by_its_path(path: str, types: tuple[str, ...], cardinality: tuple[int, str]) -> None:
    found = fhir.element(path)
    assert found is not None
    assert (found.types, (found.min, found.max)) == (types, cardinality)


@pytest.mark.parametrize("path", ["", "Nonsense", "Nonsense.x", "Patient.nonsense", "Patient.name.given.x", "Patient."])
def test_a_path_that_leads_nowhere_finds_nothing(path: str) -> None:
    assert fhir.element(path) is None
    assert fhir.children(path) == {}
    assert fhir.json_names(path) == ()


def test_a_choice_goes_by_a_name_for_each_of_its_types() -> None:
    assert fhir.json_names("MedicationRequest.medication") == ("medicationCodeableConcept", "medicationReference")
    assert len(fhir.json_names("Extension.value")) == 50
    assert fhir.json_names("Patient.name") == ("name",)
    assert fhir.children("Observation")["valueQuantity"].types == ("Quantity",)
    assert "value" not in fhir.children("Observation")


def test_an_element_that_borrows_its_content_has_the_lenders_children() -> None:
    assert fhir.children("Bundle.entry.link") == fhir.children("Bundle.link")
    assert set(fhir.children("Questionnaire.item.item")) == set(fhir.children("Questionnaire.item"))


def test_an_element_tells_binding_targets_and_flags() -> None:
    status = fhir.element("Observation.status")
    assert status is not None
    assert status.binding == ("required", "http://hl7.org/fhir/ValueSet/observation-status")
    assert (status.summary, status.modifier, status.repeats) == (True, True, False)
    subject = fhir.element("Observation.subject")
    assert subject is not None
    assert subject.targets == ("Device", "Group", "Location", "Patient")
    focus = fhir.element("Observation.focus")
    assert focus is not None
    assert focus.targets == ()
    low, value = fhir.element("Observation.referenceRange.low"), fhir.element("Observation.valueQuantity")
    assert low is not None
    assert value is not None
    assert (low.simple, value.simple) == (True, False)


def test_invariants_stand_where_hl7_wrote_them() -> None:
    assert {each.key for each in fhir.invariants("Observation")} == {
        "dom-2", "dom-3", "dom-4", "dom-5", "dom-6", "obs-6", "obs-7",
    }  # fmt: skip
    (only,) = fhir.invariants("Observation.referenceRange")
    assert (only.key, only.severity, only.path) == ("obs-3", "error", "Observation.referenceRange")
    assert only.expression == "low.exists() or high.exists() or text.exists()"
    assert fhir.invariants("Nonsense.path") == ()


def test_every_element_names_types_that_exist() -> None:
    for name in fhir.types():
        for each in fhir.children(name).values():
            assert set(each.types) <= set(fhir.types()), each.path
            assert each.types or fhir.children(each.content_reference), each.path


def test_profiles_are_found_by_url_with_or_without_a_version() -> None:
    found = fhir.profile("http://hl7.org/fhir/StructureDefinition/bp")
    assert found is not None
    assert found["type"] == "Observation"
    assert any(each.get("sliceName") == "SystolicBP" for each in found["snapshot"]["element"])
    assert fhir.profile("http://hl7.org/fhir/StructureDefinition/bp|4.0.1") == found
    assert fhir.profile("http://example.org/nobody") is None
    assert len(fhir.profile_urls()) == 439


def test_without_its_tables_the_installation_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "FOLDER", tmp_path)
    with pytest.raises(Misconfigured, match="make setup"):
        tables.archive.__wrapped__("structures")
