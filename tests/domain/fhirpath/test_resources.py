"""Expressions over resources: choices, primitives with extensions, references, value sets, places."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from domain.errors import Invalid
from domain.fhirpath import node_of, parse

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "invented",
    "active": True,
    "name": [
        {
            "use": "official",
            "family": "Kim",
            "given": ["Min", None],
            "_given": [None, {"extension": [{"url": "urn:u", "valueCode": "masked"}]}],
        },
        {"use": "usual", "given": ["Mini"]},
    ],
    "birthDate": "1974-12-25",
    "_birthDate": {"id": "b", "extension": [{"url": "urn:time", "valueDateTime": "1974-12-25T14:35:45+09:00"}]},
    "deceasedBoolean": False,
    "multipleBirthInteger": 2,
    "contained": [{"resourceType": "Organization", "id": "o", "name": "Inside"}],
    "managingOrganization": {"reference": "#o"},
    "generalPractitioner": [{"reference": "Practitioner/1"}, {"type": "Organization", "identifier": {"value": "9"}}],
}
OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
    "valueQuantity": {"value": Decimal("72.50"), "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
    "component": [{"valueQuantity": {"value": 1}}, {"valueString": "a"}],
}


def of_patient(text: str, **surroundings: Any) -> list[Any]:
    return parse(text).evaluate(PATIENT, **surroundings)


def test_a_choice_goes_by_its_name_without_a_type_and_knows_its_type() -> None:
    (node,) = parse("Observation.value").nodes(OBSERVATION)
    assert node.type.name == "Quantity"
    assert node.value is OBSERVATION["valueQuantity"]
    assert parse("Observation.value as string").evaluate(OBSERVATION) == []
    assert [node.type.name for node in parse("Observation.component.value").nodes(OBSERVATION)] == [
        "Quantity",
        "string",
    ]
    assert parse("(Observation.component.value as Quantity).value").evaluate(OBSERVATION) == [1]
    assert of_patient("Patient.deceased") == [False]
    assert of_patient("Patient.deceased.exists() and Patient.deceased != false") == [False]


def test_a_decimal_is_given_as_the_client_wrote_it() -> None:
    (value,) = parse("Observation.value.value").evaluate(OBSERVATION)
    assert str(value) == "72.50"


def test_a_primitive_has_its_extensions_and_may_have_nothing_else() -> None:
    assert of_patient("birthDate.extension('urn:time').value") == ["1974-12-25T14:35:45+09:00"]
    assert of_patient("birthDate.id") == ["b"]
    assert of_patient("name.given") == ["Min", "Mini"]
    assert of_patient("name.given.count()") == [3]
    assert of_patient("name.given.select(hasValue())") == [True, False, True]
    assert of_patient("name.given.extension.value") == ["masked"]
    assert of_patient("name.given.value") == ["Min", "Mini"]


def test_a_type_at_the_head_of_a_path_must_be_the_context_s() -> None:
    assert of_patient("Resource.id | DomainResource.id | Patient.id") == ["invented"]
    assert of_patient("Observation.id") == []


def test_references_resolve_within_then_by_whoever_is_asked() -> None:
    assert of_patient("managingOrganization.resolve().name") == ["Inside"]
    assert of_patient("generalPractitioner.where(resolve() is Practitioner).reference") == ["Practitioner/1"]
    assert of_patient("generalPractitioner.where(resolve() is Organization).identifier.value") == ["9"]
    asked: list[str] = []

    def found(reference: str) -> Mapping[str, Any] | None:
        asked.append(reference)
        return {"resourceType": "Practitioner", "id": "1", "gender": "female"}

    assert of_patient("generalPractitioner.resolve().gender", resolve=found) == ["female"]
    assert asked == ["Practitioner/1"]
    observation = {"resourceType": "Observation", "subject": {"reference": "urn:uuid:1"}}
    entries = [{"fullUrl": "urn:uuid:1", "resource": PATIENT}, {"resource": observation}]
    bundle = {"resourceType": "Bundle", "entry": entries}
    assert parse("entry.resource.ofType(Observation).subject.resolve().birthDate").evaluate(bundle) == ["1974-12-25"]


def test_membership_is_asked_of_hl7_s_value_sets_or_of_the_caller() -> None:
    genders = "http://hl7.org/fhir/ValueSet/administrative-gender"
    assert parse(f"'male'.memberOf('{genders}')").evaluate({}) == [True]
    assert parse(f"'masculine'.memberOf('{genders}')").evaluate({}) == [False]
    assert parse("'male'.memberOf('urn:nobody')").evaluate({}) == []
    code = "Observation.code.memberOf('urn:mine')"
    assert parse(code).evaluate(OBSERVATION, member_of=lambda value, url: value["coding"][0]["code"] == "29463-7") == [
        True
    ]


def test_profiles_are_asked_of_the_caller() -> None:
    text = "conformsTo('urn:profile')"
    assert of_patient(text, conforms_to=lambda resource, url: resource["active"]) == [True]
    with pytest.raises(Invalid):
        of_patient(text)


def test_time_is_handed_in_and_never_asked_for() -> None:
    at = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
    assert [str(each) for each in of_patient("now() | today() | timeOfDay()", now=at)] == [
        "2026-11-24T09:30:00.000Z",
        "2026-11-24",
        "09:30:00.000",
    ]
    with pytest.raises(Invalid, match="asks for the time"):
        of_patient("today()")


def test_a_part_of_a_resource_is_evaluated_with_its_type_and_its_root() -> None:
    name = PATIENT["name"][0]
    assert parse("%resource.id").evaluate(name, type_name="HumanName", root=PATIENT) == ["invented"]
    assert parse("family.exists()").holds(name, type_name="HumanName") is True
    assert parse("period.start < period.end").holds(name, type_name="HumanName") is None
    assert parse("relationship.text").evaluate({"relationship": [{"text": "aunt"}]}, type_name="Patient.contact") == [
        "aunt"
    ]
    assert parse("%who.family").evaluate({}, variables={"who": node_of(name, "HumanName")}) == ["Kim"]
    with pytest.raises(Invalid):
        parse("family").evaluate(name, type_name="Nonsense")


def test_a_located_result_knows_its_place() -> None:
    (node,) = parse("Patient.name.where(use = 'usual').given").located(PATIENT)
    assert node.place is not None
    assert (node.place.key, node.place.index) == ("given", 0)
    assert node.place.parent is not None
    assert node.place.parent.value is PATIENT["name"][1]
    assert parse("Patient.name.given").nodes(PATIENT)[0].place is None


@pytest.mark.parametrize(
    ("text", "type_name"),
    [
        ("name.given1", "Patient"),
        ("Encounter.status", "Patient"),
        ("Observation.valueQuantity", "Observation"),
        ("(Observation.value as Period).unit", "Observation"),
        ("name.first().as(HumanName).nonsense", "Patient"),
        ("Patient.name.as(HumanName)", "Patient"),
        ("contact.relationship.startsWith('a')", "Patient"),
        ("children().first()", "Patient"),
        ("relationship.nonsense", "Patient.contact"),
        ("name", "Nonsense"),
    ],
)
def test_a_check_finds_what_can_never_be(text: str, type_name: str) -> None:
    with pytest.raises(Invalid):
        parse(text).check(type_name)


@pytest.mark.parametrize(
    "broken",
    [
        {"resourceType": "Patient", "name": "Kim"},
        {"resourceType": "Patient", "name": [["Kim"], 5, None]},
        {"resourceType": "Patient", "name": {"given": {"a": 1}}, "_birthDate": "x", "birthDate": ["1974"]},
        {"resourceType": 5, "name": [{}]},
        {"resourceType": "Nonsense", "name": [{}]},
        {"resourceType": "Patient", "contained": ["x", {"resourceType": []}], "active": "yes", "birthDate": 7},
    ],
)
def test_a_resource_that_is_not_valid_does_not_break_an_evaluation(broken: dict[str, Any]) -> None:
    for text in (
        "name.given",
        "descendants()",
        "birthDate > @1970",
        "birthDate.extension",
        "contained.id",
        "name ~ name",
    ):
        try:
            parse(text).nodes(broken)
        except Invalid:
            continue


def test_a_resource_too_deep_is_refused() -> None:
    deep: dict[str, Any] = {"resourceType": "Questionnaire"}
    for _ in range(5000):
        deep = {"resourceType": "Questionnaire", "item": [deep]}
    with pytest.raises(Invalid):
        parse("$this ~ $this").nodes(deep)
