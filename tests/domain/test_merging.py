"""What two records say after they became one."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from domain.fhir import pointings
from domain.ids import Reference
from domain.merging import has_identifiers, redirected, replaced, resulting

OLD, NEW = Reference("Patient/old"), Reference("Patient/new")
SEEN = {"type": "seealso", "other": {"reference": "Patient/third"}}


def identifier(value: str, **more: str) -> dict[str, str]:
    return {"system": "urn:mrn", "value": value, **more}


def test_the_record_that_ends_keeps_its_content_and_its_other_links() -> None:
    source = {"resourceType": "Patient", "active": True, "link": [SEEN], "identifier": [identifier("1")]}
    before = deepcopy(source)
    ends = replaced(source, NEW)
    assert (ends["active"], ends["identifier"]) == (False, [identifier("1")])
    assert [link["type"] for link in ends["link"]] == ["seealso", "replaced-by"]
    assert source == before


def test_identifiers_come_along_once_and_as_old_ones() -> None:
    source = {"identifier": [identifier("1", use="usual"), identifier("2"), {"value": "1"}]}
    target = {
        "identifier": [identifier("2", use="official")],
        "link": [{"type": "seealso", "other": {"reference": OLD}}],
    }
    stays = resulting(target, source, OLD)
    assert stays["identifier"] == [
        identifier("2", use="official"),
        identifier("1", use="old"),
        {"value": "1", "use": "old"},
    ]
    assert [link["type"] for link in stays["link"]] == ["replaces"]  # the same person is not "see also"
    assert "identifier" not in resulting({}, {}, OLD)


def test_every_reference_to_the_old_record_is_redirected_and_nothing_else() -> None:
    resource: dict[str, Any] = {
        "resourceType": "Observation",
        "subject": {"reference": "Patient/old", "display": "x"},
        "performer": [{"reference": "Patient/older"}, {"reference": "Patient/old/_history/2"}],
        "valueString": "Patient/old",
        "_status": {"extension": [{"url": "u", "valueReference": {"reference": "http://here/Patient/old"}}]},
        "contained": [{"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/old"}}],
    }
    before = deepcopy(resource)
    made = redirected(resource, ["Patient/old", "http://here/Patient/old"], NEW)
    assert made is not None
    assert sorted(text for _, text, _ in pointings(made)) == [
        "Patient/new",
        "Patient/new",
        "Patient/new",
        "Patient/old/_history/2",
        "Patient/older",
    ]
    assert (made["valueString"], made["subject"]["display"]) == ("Patient/old", "x")
    assert resource == before
    assert redirected(made, ["Patient/old"], NEW) is None


def test_resources_that_are_only_carried_keep_their_references() -> None:
    inner = {"resourceType": "Observation", "subject": {"reference": "Patient/old"}}
    bundle = {"resourceType": "Bundle", "type": "document", "entry": [{"resource": inner}]}
    assert redirected(bundle, ["Patient/old"], NEW) is None
    assert redirected({"resourceType": "Parameters", "parameter": [{"resource": inner}]}, ["Patient/old"], NEW) is None


def test_a_patient_is_named_by_all_of_the_identifiers() -> None:
    patient = {"identifier": [identifier("1"), {"value": "9"}]}
    assert has_identifiers(patient, [identifier("1"), {"value": "9"}, {"value": "1"}])
    assert not has_identifiers(patient, [identifier("1"), identifier("9")])
    assert not has_identifiers({}, [identifier("1")])
