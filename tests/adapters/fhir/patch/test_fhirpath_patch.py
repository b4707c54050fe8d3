"""FHIRPath Patch beside HL7's cases: choices, primitives with extensions, lists, refusals and where they point."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.fhir.patch import apply_fhirpath_patch
from domain.errors import Invalid

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "name": [
        {
            "use": "official",
            "given": ["Min", "Ji"],
            "_given": [None, {"extension": [{"url": "urn:u", "valueCode": "x"}]}],
        },
        {"use": "usual", "text": "Mini"},
    ],
    "birthDate": "1974-12-25",
    "_birthDate": {"extension": [{"url": "urn:time", "valueDateTime": "1974-12-25T14:35:45+09:00"}]},
    "deceasedBoolean": False,
}
OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "status": "final",
    "valueQuantity": {"value": Decimal("72.50"), "unit": "kg"},
}
SIMPLE = {
    "type": "Code",
    "path": "String",
    "name": "String",
    "index": "Integer",
    "source": "Integer",
    "destination": "Integer",
}


def operation(type: str, path: str, value: dict[str, Any] | None = None, **parts: Any) -> dict[str, Any]:  # noqa: A002
    """As HL7 names its parts; `value` is what the part holds beside its name."""
    listed = [
        {"name": name, f"value{SIMPLE[name]}": each} for name, each in {"type": type, "path": path, **parts}.items()
    ]
    return {"name": "operation", "part": [*listed, *([{"name": "value", **value}] if value is not None else [])]}


def patched(resource: dict[str, Any], *operations: Any) -> dict[str, Any]:
    before = copy.deepcopy(resource)
    try:
        return apply_fhirpath_patch(resource, {"resourceType": "Parameters", "parameter": list(operations)})
    finally:
        assert resource == before


def test_a_choice_changes_its_type_with_its_value() -> None:
    result = patched(OBSERVATION, operation("replace", "Observation.value", {"valueString": "heavy"}))
    assert result == {"resourceType": "Observation", "status": "final", "valueString": "heavy"}
    result = patched(OBSERVATION, operation("replace", "Observation.value.value", {"valueDecimal": Decimal("73.0")}))
    assert str(result["valueQuantity"]["value"]) == "73.0"
    bare = {"resourceType": "Observation"}
    assert patched(bare, operation("add", "Observation", {"valueInteger": 5}, name="value"))["valueInteger"] == 5
    assert patched(bare, operation("add", "Observation", {"valueInteger": 5}, name="valueInteger"))["valueInteger"] == 5


def test_a_second_value_of_a_choice_is_refused() -> None:
    for value, name in (({"valueString": "heavy"}, "value"), ({"valueAddress": {}}, "value")):
        with pytest.raises(Invalid):
            patched(OBSERVATION, operation("add", "Observation", value, name=name))
    with pytest.raises(Invalid):
        patched(OBSERVATION, operation("add", "Observation", {"valueString": "heavy"}, name="valueString"))


def test_a_replaced_primitive_loses_what_stood_beside_the_old_one() -> None:
    result = patched(PATIENT, operation("replace", "Patient.birthDate", {"valueDate": "1975-01-01"}))
    assert result["birthDate"] == "1975-01-01"
    assert "_birthDate" not in result
    brought = {"valueDate": "1975-01-01", "_valueDate": {"id": "n"}}
    assert patched(PATIENT, operation("replace", "Patient.birthDate", brought))["_birthDate"] == {"id": "n"}


def test_extensions_of_primitives_come_and_go() -> None:
    added = {"valueExtension": {"url": "urn:x", "valueCode": "y"}}
    result = patched(PATIENT, operation("add", "Patient.name[0].given[0]", added, name="extension"))
    assert result["name"][0]["_given"][0] == {"extension": [{"url": "urn:x", "valueCode": "y"}]}
    result = patched(PATIENT, operation("add", "Patient.deceased", added, name="extension"))
    assert result["_deceasedBoolean"] == {"extension": [{"url": "urn:x", "valueCode": "y"}]}
    result = patched(PATIENT, operation("delete", "Patient.birthDate.extension"))
    assert result["birthDate"] == "1974-12-25"
    assert "_birthDate" not in result


def test_the_two_lists_of_a_primitive_stay_in_step() -> None:
    first = operation("delete", "Patient.name[0].given[0]")
    name = patched(PATIENT, first)["name"][0]
    assert (name["given"], name["_given"][0]["extension"][0]["valueCode"]) == (["Ji"], "x")
    name = patched(PATIENT, operation("delete", "Patient.name[0].given[1]"))["name"][0]
    assert name == {"use": "official", "given": ["Min"]}
    name = patched(PATIENT, operation("move", "Patient.name[0].given", source=1, destination=0))["name"][0]
    assert name["given"] == ["Ji", "Min"]
    assert name["_given"][1] is None
    name = patched(PATIENT, operation("insert", "Patient.name[0].given", {"valueString": "So"}, index=1))["name"][0]
    assert name["given"] == ["Min", "So", "Ji"]
    assert name["_given"][:2] == [None, None]
    name = patched(PATIENT, operation("replace", "Patient.name[0].given[1]", {"valueString": "Jo"}))["name"][0]
    assert name == {"use": "official", "given": ["Min", "Jo"]}


def test_an_item_can_be_inserted_into_a_list_that_is_not_there() -> None:
    result = patched(PATIENT, operation("insert", "Patient.telecom", {"valueContactPoint": {"value": "1"}}, index=0))
    assert result["telecom"] == [{"value": "1"}]


def test_deleting_what_is_not_there_is_done() -> None:
    assert patched(PATIENT, operation("delete", "Patient.telecom.where(use = 'home')")) == PATIENT


def test_an_object_left_empty_goes_too() -> None:
    resource = {"resourceType": "Patient", "contact": [{"name": {"text": "aunt"}}], "active": True}
    result = patched(resource, operation("delete", "Patient.contact[0].name.text"))
    assert result == {"resourceType": "Patient", "active": True}


def test_a_resource_can_be_added_within() -> None:
    result = patched(
        PATIENT, operation("add", "Patient", {"resource": {"resourceType": "Basic", "id": "b"}}, name="contained")
    )
    assert result["contained"] == [{"resourceType": "Basic", "id": "b"}]
    assert (
        patched(result, operation("replace", "Patient.contained[0].id", {"valueId": "c"}))["contained"][0]["id"] == "c"
    )


def test_an_element_without_a_type_is_brought_in_parts() -> None:
    parts = [
        {"name": "relationship", "valueCodeableConcept": {"text": "aunt"}},
        {"name": "relationship", "valueCodeableConcept": {"text": "guardian"}},
        {"name": "gender", "valueCode": "female"},
    ]
    result = patched(PATIENT, operation("add", "Patient", {"part": parts}, name="contact"))
    assert result["contact"] == [{"relationship": [{"text": "aunt"}, {"text": "guardian"}], "gender": "female"}]
    for wrong in (
        [*parts, {"name": "gender", "valueCode": "male"}],
        [{"name": "nonsense", "valueCode": "x"}],
        [{}],
        [5],
    ):
        with pytest.raises(Invalid) as caught:
            patched(PATIENT, operation("add", "Patient", {"part": wrong}, name="contact"))
        assert caught.value.params["field"].startswith("/parameter/0/part/3/part/")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (operation("delete", "Patient.nonsense"), "/part/1"),
        (operation("delete", "Patient.name["), "/part/1"),
        (operation("delete", "Patient.name"), "/part/1"),  # two of them
        (operation("delete", "Patient"), "/part/1"),
        (operation("delete", "'text'"), "/part/1"),
        (operation("replace", "Patient", {"valueString": "x"}), "/part/1"),
        (operation("replace", "Patient.telecom", {"valueContactPoint": {}}), "/part/1"),
        (operation("replace", "Patient.birthDate", {"valueAddress": {}}), "/part/2"),
        (operation("replace", "Patient.birthDate", {"valueNonsense": 1}), "/part/2"),
        (operation("replace", "Patient.birthDate", {}), "/part/2"),
        (operation("replace", "Patient.birthDate"), ""),
        (operation("add", "Patient", {"valueDate": "1975"}, name="birthDate"), "/part/2"),
        (operation("add", "Patient", {"valueDate": "1975"}, name="nonsense"), "/part/2"),
        (operation("add", "Patient", {"valueDate": "1975"}), ""),
        (operation("add", "Patient", {"resource": {}}, name="gender"), "/part/3"),
        (operation("insert", "Patient.name", {"valueHumanName": {}}, index=9), "/part/2"),
        (operation("insert", "Patient.name", {"valueHumanName": {}}, index=-1), "/part/2"),
        (operation("insert", "Patient.birthDate", {"valueDate": "1975"}, index=0), "/part/1"),
        (operation("insert", "1 + 1", {"valueDate": "1975"}, index=0), "/part/1"),
        (operation("move", "Patient.name", source=0, destination=2), "/part/3"),
        (operation("move", "Patient.name", source=5, destination=0), "/part/2"),
        (operation("move", "Patient.name", source=True, destination=0), "/part/2"),
        (operation("rename", "Patient.name"), ""),
        ({"name": "operation"}, ""),
        ({"name": "operation", "part": [5]}, "/part/0"),
        ({"name": "operation", "part": [{"name": "type", "valueCode": "add"}] * 2}, "/part/1"),
        ({"name": "something"}, ""),
        (5, ""),
    ],
)  # fmt: skip
def test_a_refusal_points_at_what_is_wrong_and_leaves_nothing_half_done(wrong: Any, field: str) -> None:
    fine = operation("replace", "Patient.birthDate", {"valueDate": "1975-01-01"})
    with pytest.raises(Invalid) as caught:
        patched({**PATIENT, "birthDate": "1974"}, fine, wrong)
    assert caught.value.params["field"] == f"/parameter/1{field}"


@pytest.mark.parametrize(
    "parameters", [None, [], {"resourceType": "Patient"}, {"resourceType": "Parameters", "parameter": {}}]
)
def test_a_patch_is_a_parameters_resource(parameters: Any) -> None:
    with pytest.raises(Invalid):
        apply_fhirpath_patch(PATIENT, parameters)


def test_a_refusal_does_not_quote_a_patient_s_number() -> None:
    with pytest.raises(Invalid) as caught:
        patched(PATIENT, operation("delete", "Patient.identifier.where(value = '900101-1234567').nonsense"))
    assert "900101" not in str(caught.value)


WITHOUT_SPACES = """Patient Patient.name Patient.name[0] Patient.name[0].given Patient.name.given[1] Patient.birthDate
    Patient.deceased Patient.birthDate.extension Patient.name[0].given[1].extension[0].value 1 $this.name %resource
    Patient.contact Patient.text.div name.first() Patient.children() Patient.contained"""
PATHS = st.sampled_from([*WITHOUT_SPACES.split(), "Patient.name.where(use = 'usual').text"])
PARTS = st.sampled_from(
    [
        *(None, {}, {"valueString": "a"}, {"valueString": {}}, {"valueBoolean": True}, {"valueDate": "1975"}),
        *({"valueHumanName": {"text": "b"}}, {"valueHumanName": 5}, {"_valueString": {"id": "x"}}, {"part": []}),
        *({"part": [{"name": "text", "valueString": "x"}]}, {"valueExtension": {"url": "u"}}),
        {"resource": {"resourceType": "Basic"}},
    ]
)
OPERATIONS = st.builds(
    lambda kind, path, value, name, numbers: operation(
        kind, path, value, **({"name": name} if name else {}), **numbers
    ),
    st.sampled_from(["add", "insert", "delete", "replace", "move"]),
    PATHS,
    PARTS,
    st.sampled_from(["", "name", "text", "extension", "given", "deceased", "valueString", "contact", "id"]),
    st.dictionaries(st.sampled_from(["index", "source", "destination"]), st.integers(0, 3)),
)


@settings(deadline=None)
@given(st.lists(OPERATIONS, max_size=4))
def test_any_patch_gives_a_patient_or_is_refused(operations: list[Any]) -> None:
    try:
        assert patched(PATIENT, *operations)["resourceType"] == "Patient"
    except Invalid as invalid:
        assert_pointer(invalid.params["field"])


def assert_pointer(field: str) -> None:
    assert field.startswith("/parameter/")
