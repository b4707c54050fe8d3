"""Each bad document is refused where it is bad, with a sentence; and the right one beside it is accepted."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from adapters.fhir.validation import check
from adapters.fhir.validation.acceptance import accepted
from tests.adapters.fhir.validation.documents import BUNDLE, DIV, OBSERVATION, PATIENT, RIGHT, changed

NICK = {"url": "http://example.org/x", "valueString": "a"}
ACTIVE = {"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}

DOSE = "dosageInstruction/0"
DOSAGE = "MedicationRequest.dosageInstruction[0]"

# type, path, value there, where it is refused, what the sentence says
BAD: list[tuple[str, str, Any, str, str]] = [
    # elements
    ("Patient", "colour", "red", "Patient", "there is no element `colour` here"),
    ("Patient", "name/0/colour", "red", "Patient.name[0]", "there is no element `colour` here"),
    ("Patient", "_name", {"id": "1"}, "Patient", "there is no element `_name` here"),
    ("Patient", "contact/0/resourceType", "Patient", "Patient.contact[0]", "there is no element `resourceType` here"),
    ("Patient", "value[x]", 1, "Patient", "there is no element `value[x]` here"),
    ("Patient", "\x00\ud800", 1, "Patient", r"there is no element `\x00\ud800` here"),
    # cardinality
    ("Observation", "status", ..., "Observation", "`status` is required"),
    ("Observation", "code", ..., "Observation", "`code` is required"),
    ("MedicationRequest", "medicationCodeableConcept", ..., "MedicationRequest", "`medication[x]` is required"),
    ("Patient", "text/div", ..., "Patient.text", "`div` is required"),
    ("Patient", "extension/0/url", ..., "Patient.extension[0]", "`url` is required"),
    ("Patient", "name", {"family": "x"}, "Patient.name", "it must be an array"),
    ("Patient", "birthDate", ["1970"], "Patient.birthDate", "it must not be an array"),
    ("Patient", "managingOrganization", [], "Patient.managingOrganization", "it must not be an array"),
    # two of a choice
    ("Observation", "valueString", "x", "Observation", "`value[x]` is there twice: valueQuantity, valueString"),
    ("Observation", "_valueString", {"extension": [NICK]}, "Observation", "`value[x]` is there twice"),
    ("Patient", "deceasedDateTime", "2020", "Patient", "`deceased[x]` is there twice"),
    # nothing
    ("Patient", "name", [], "Patient.name", "must not be an empty array"),
    ("Patient", "name/0", {}, "Patient.name[0]", "must not be empty"),
    ("Patient", "name/0", {"id": "1"}, "Patient.name[0]", "must not be empty"),
    ("Patient", "name/0", None, "Patient.name[0]", "must be a JSON object"),
    ("Patient", "name", None, "Patient.name", "it must be an array"),
    ("Patient", "birthDate", None, "Patient.birthDate", "must not be null"),
    ("Patient", "birthDate", "", "Patient.birthDate", "must be a date"),
    ("Patient", "name/0/given", [None], "Patient.name[0].given[0]", "must not be null"),
    ("Patient", "name/0/given", [""], "Patient.name[0].given[0]", "text that is not empty"),
    ("Patient", "name/0/_given", [{"extension": []}], "Patient.name[0].given[0].extension", "an empty array"),
    ("Patient", "_birthDate", {}, "Patient.birthDate", "must not be empty"),
    # primitives
    ("Patient", "id", "a_b", "Patient.id", "must be an id"),
    ("Patient", "id", "a" * 65, "Patient.id", "must be an id"),
    ("Patient", "id", "../../etc", "Patient.id", "must be an id"),
    ("Patient", "active", "true", "Patient.active", "must be true or false"),
    ("Patient", "active", 1, "Patient.active", "must be true or false"),
    ("Patient", "birthDate", 1970, "Patient.birthDate", "must be a date"),
    ("Patient", "birthDate", "1970-02-29", "Patient.birthDate", "a date that exists"),
    ("Patient", "birthDate", "1970-03-30T00:00:00Z", "Patient.birthDate", "a date that exists"),
    ("Patient", "birthDate", "1970-03-30\n", "Patient.birthDate", "a date that exists"),
    ("Patient", "meta/lastUpdated", "2026-03-09", "Patient.meta.lastUpdated", "with time, seconds and zone"),
    ("Observation", "effectiveDateTime", "2026-03-09T10:15", "Observation.effective.ofType(dateTime)", "with time"),
    ("Observation", "effectiveDateTime", "2026-03-09T25:00:00Z", "Observation.effective.ofType(dateTime)", "with time"),
    ("Observation", "valueQuantity/value", "72.5", "Observation.value.ofType(Quantity).value", "must be a number"),
    ("Observation", "valueQuantity/value", True, "Observation.value.ofType(Quantity).value", "must be a number"),
    ("Observation", "valueQuantity/code", "k g ", "Observation.value.ofType(Quantity).code", "no blank at either end"),
    ("MedicationRequest", f"{DOSE}/sequence", Decimal("1.0"), f"{DOSAGE}.sequence", "without a fraction"),
    ("MedicationRequest", f"{DOSE}/sequence", 2**31, f"{DOSAGE}.sequence", "of 32 bits"),
    ("MedicationRequest", f"{DOSE}/timing/repeat/frequency", 0, f"{DOSAGE}.timing.repeat.frequency", "from 1 to"),
    ("Patient", "name/0/family", "a\x0bb", "Patient.name[0].family", "without control characters"),
    ("Patient", "name/0/family", "\ud800", "Patient.name[0].family", "must be text"),
    ("Patient", "name/0/family", "a" * 1_048_577, "Patient.name[0].family", "at most 1 MB"),
    ("Patient", "identifier/0/system", "a b", "Patient.identifier[0].system", "without blanks"),
    ("Patient", "photo", [{"contentType": "image/png", "data": "%%%%"}], "Patient.photo[0].data", "must be base64"),
    # bindings
    ("Patient", "gender", "m", "Patient.gender", "administrative-gender: female, male, other, unknown"),
    ("Observation", "status", "done", "Observation.status", "value set http://hl7.org/fhir/ValueSet/observation-status"),
    ("Condition", "clinicalStatus", {"text": "active"}, "Condition.clinicalStatus", "needs a coding, with system"),
    ("Condition", "clinicalStatus", {"coding": [{"code": "active"}]}, "Condition.clinicalStatus", "needs a coding"),
    ("Condition", "clinicalStatus", {"coding": [{**ACTIVE, "code": "bad"}]}, "Condition.clinicalStatus", "active, in"),
    ("Observation", "referenceRange/0/low", {"comparator": "<"}, "Observation.referenceRange[0].low", "sqty-1"),
    # references
    ("Observation", "subject/reference", "p1", "Observation.subject.reference", "must be `Type/id`, `#id` or"),
    ("Observation", "subject/reference", "Patients/p1", "Observation.subject.reference", "must be `Type/id`"),
    ("Observation", "subject/reference", "Patient/a_b", "Observation.subject.reference", "must be `Type/id`"),
    ("Observation", "subject/reference", "Patient/p1\n", "Observation.subject.reference", "must be `Type/id`"),
    ("Observation", "subject/reference", "Patient?name=x", "Observation.subject.reference", "in a transaction only"),
    ("Observation", "subject/reference", "#p1", "Observation.subject.reference", "ref-1: there is no"),
    ("Observation", "subject", "Patient/p1", "Observation.subject", "must be a JSON object"),
    # contained
    ("Condition", "contained/0/id", ..., "Condition.contained[0]", "a contained resource needs an id"),
    ("Condition", "contained/0/id", "d2", "Condition.contained[0]", "dom-3: nothing refers to this"),
    ("Condition", "contained/0/meta", {"versionId": "1"}, "Condition.contained[0].meta.versionId", "has no place"),
    ("Condition", "contained/0/contained", [{"resourceType": "Basic", "id": "x"}],
     "Condition.contained[0].contained[0]", "may not contain another"),
    ("Condition", "contained/0/gender", "m", "Condition.contained[0].gender", "must be a code"),
    ("Condition", "contained/0/resourceType", "Doctor", "Condition.contained[0]", "there is no resource type Doctor"),
    ("Condition", "contained/0", "d1", "Condition.contained[0]", "must be a resource"),
    ("Condition", "contained", [{"resourceType": "Basic", "id": "d1"}] * 2, "Condition.contained[0].id", "the same id"),
    # narrative
    ("Patient", "text/div", DIV.replace("<p>", "<p onclick='x()'>"), "Patient.text.div", "not for formatting"),
    ("Patient", "text/div", DIV.replace("p>", "script>"), "Patient.text.div", "not for formatting"),
    ("Patient", "text/div", DIV[:-1], "Patient.text.div", "not well-formed"),
    # invariants
    ("Patient", "extension/0/valueString", ..., "Patient.extension[0]", "ext-1"),
    ("Patient", "extension/0/extension", [NICK], "Patient.extension[0]", "ext-1"),
    ("Patient", "contact/0", {"gender": "male"}, "Patient.contact[0]", "pat-1"),
    ("Patient", "name/0/period", {"start": "2026", "end": "2025"}, "Patient.name[0].period", "per-1"),
    ("Patient", "telecom", [{"value": "02-000"}], "Patient.telecom[0]", "cpt-2"),
    ("Observation", "dataAbsentReason", {"text": "lost"}, "Observation", "obs-6"),
    ("Observation", "referenceRange/0", {"type": {"text": "x"}}, "Observation.referenceRange[0]", "obs-3"),
    ("Observation", "valueQuantity/system", ..., "Observation.value.ofType(Quantity)", "qty-3"),
    ("MedicationRequest", f"{DOSE}/timing/repeat/periodUnit", ..., f"{DOSAGE}.timing.repeat", "tim-2"),
    ("Condition", "abatementDateTime", "2026", "Condition", "con-4"),
    ("Bundle", "entry/0", {"fullUrl": "urn:oid:1"}, "Bundle.entry[0]", "bdl-5"),
    # resources in resources
    ("Bundle", "entry/0/resource/status", "done", "Bundle.entry[0].resource.status", "must be a code"),
    ("Bundle", "entry/0/request/method", "BREW", "Bundle.entry[0].request.method", "must be a code"),
    ("Bundle", "type", ..., "Bundle", "`type` is required"),
    ("Parameters", "parameter/0/part/0/resource/gender", "m", "Parameters.parameter[0].part[0].resource.gender",
     "must be a code"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "path", "value", "where", "says"), BAD, ids=[f"{each[0]}-{n}" for n, each in enumerate(BAD)]
)
def test_what_is_wrong_is_said_where_it_is_wrong(kind: str, path: str, value: Any, where: str, says: str) -> None:
    document = changed(kind, path, value)
    assert not accepted(document)
    issues = check(document, conditional_references=False)
    assert any(each.expression == where and says in each.diagnostics for each in issues), issues
    assert {each.severity for each in issues} == {"error"}


@pytest.mark.parametrize(
    "document", ["x", 1, None, [], {}, {"resourceType": 1}, {"resourceType": "Doctor"}, {"resourceType": "Resource"}]
)
def test_what_is_no_resource_is_refused(document: Any) -> None:
    (issue,) = check(document)
    assert issue.severity == "error"


@pytest.mark.parametrize("kind", RIGHT)
def test_the_right_ones_are_accepted(kind: str) -> None:
    assert check(RIGHT[kind]) == []


UNUSUAL: list[tuple[str, str, Any]] = [
    ("Patient", "name/0/id", "n1"),
    ("Patient", "_birthDate", {"id": "b1"}),
    ("Patient", "_birthDate", {"extension": [{"url": "http://example.org/time", "valueTime": "10:15:00"}]}),
    ("Patient", "name/0/_given", [{"extension": [NICK]}]),
    ("Patient", "extension/0", {"url": "http://example.org/a", "id": "e1", "extension": [NICK]}),
    ("Patient", "extension/0", {"url": "http://example.org/a", "_valueString": {"extension": [NICK]}}),
    ("Patient", "extension/0", {"url": "http://example.org/a", "valueDosage": {"text": "one a day"}}),
    ("Patient", "managingOrganization/reference", "https://example.org/fhir/Organization/1/_history/2"),
    ("Patient", "managingOrganization/reference", "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"),
    ("Patient", "managingOrganization", {"identifier": {"value": "1"}}),
    ("Patient", "name/0/period", {"start": "2026-03-09T23:00:00+09:00", "end": "2026-03-09T15:00:00Z"}),
    ("Patient", "name/0/period", {"start": "2026", "end": "2026-03-09"}),
    ("Observation", "status", ...),
    ("Observation", "valueQuantity/value", 72),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "path", "value"), UNUSUAL)
def test_the_unusual_is_accepted_where_the_standard_allows_it(kind: str, path: str, value: Any) -> None:
    document = changed(kind, path, value)
    if path == "status":
        document["_status"] = {"extension": [NICK]}  # a required element may say why it has no value
    assert check(document) == []


def test_null_holds_a_place_for_a_twin_and_may_be_left_out_at_the_end() -> None:
    twin = {"extension": [NICK]}
    for given, twins in ((["a", None], [None, twin]), ([None, "b"], [twin]), (["a"], [None, twin])):
        document = changed("Patient", "name/0/given", given)
        document["name"][0]["_given"] = twins
        assert check(document) == []


def test_a_reference_by_search_is_right_within_a_transaction_and_when_asked_for() -> None:
    assert check(BUNDLE) == []
    alone = BUNDLE["entry"][0]["resource"]
    assert [each.code for each in check(alone)] == ["value"]
    assert check(alone, conditional_references=True) == []


def test_a_contained_resource_may_refer_to_its_container() -> None:
    document = changed(
        "Condition",
        "contained/0",
        {
            "resourceType": "Provenance",
            "id": "x",
            "target": [{"reference": "#"}],
            "recorded": "2026-03-09T10:15:00Z",
            "agent": [{"who": {"display": "x"}}],
        },
    )
    del document["recorder"]
    assert check(document) == []


def test_a_document_stays_as_it_came() -> None:
    before = repr(OBSERVATION), repr(PATIENT)
    check(OBSERVATION)
    check({**PATIENT, "colour": "red"})
    assert (repr(OBSERVATION), repr(PATIENT)) == before


def test_no_sentence_repeats_what_the_document_holds() -> None:
    for kind, path, value, _, _ in BAD:
        for issue in check(changed(kind, path, value)):
            assert "홍" not in issue.diagnostics
            assert "72.5" not in issue.diagnostics
