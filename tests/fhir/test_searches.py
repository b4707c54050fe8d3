"""R4's page on search, row by row, as a sceptical tester from outside would try it (hl7.org/fhir/R4/search.html)."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.fhir.conftest import Served

pytestmark = pytest.mark.sockets

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"


def _observation(id_: str, **more: Any) -> dict[str, Any]:
    code = {"coding": [{"system": LOINC, "code": "8867-4", "display": "Heart rate"}], "text": "pulse"}
    return {"resourceType": "Observation", "id": id_, "status": "final", "code": code, **more}


WARD: list[dict[str, Any]] = [
    {"resourceType": "Organization", "id": "o1", "name": "Org One"},
    {
        "resourceType": "Patient",
        "id": "p1",
        "active": True,
        "name": [{"family": "Smith, Jr", "given": ["Ann"]}, {"use": "old", "family": "Van$Dam|x"}],
        "identifier": [
            {
                "system": "urn:a",
                "value": "1|2,3",
                "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]},
            },
            {"value": "nosys"},
        ],
        "birthDate": "1980-02",
        "gender": "female",
        "telecom": [{"system": "phone", "value": "555"}],
        "managingOrganization": {"reference": "Organization/o1", "identifier": {"system": "urn:org", "value": "77"}},
        "deceasedBoolean": False,
    },
    {
        "resourceType": "Patient",
        "id": "p2",
        "birthDate": "1980-02-15",
        "gender": "male",
        "name": [{"family": "Smith"}],
        "link": [{"other": {"reference": "Patient/p1"}, "type": "seealso"}],
        "meta": {"tag": [{"system": "urn:t", "code": "vip"}], "profile": ["http://example.org/p|2"]},
    },
    _observation(
        "a",
        subject={"reference": "Patient/p1"},
        effectiveDateTime="2020-01-01T10:00:00+09:00",
        valueQuantity={"value": 5.4, "unit": "mg", "system": UCUM, "code": "mg"},
        component=[
            {
                "code": {"coding": [{"system": LOINC, "code": "8480-6"}]},
                "valueQuantity": {"value": 120, "system": UCUM, "code": "mm[Hg]"},
            },
            {
                "code": {"coding": [{"system": LOINC, "code": "8462-4"}]},
                "valueQuantity": {"value": 80, "system": UCUM, "code": "mm[Hg]"},
            },
        ],
    ),
    _observation(
        "b",
        subject={"reference": "Patient/p1"},
        effectivePeriod={"start": "2020-01-01", "end": "2020-01-03"},
        valueQuantity={"value": 0.0054, "unit": "g", "system": UCUM, "code": "g"},
    ),
    _observation(
        "c", subject={"reference": "Patient/p2"}, valueCodeableConcept={"coding": [{"system": "urn:c", "code": "x"}]}
    ),
    {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "status": "final",
        "code": {"text": "x"},
        "result": [{"reference": "Observation/a"}],
    },
    {
        "resourceType": "List",
        "id": "l",
        "status": "current",
        "mode": "working",
        "entry": [{"item": {"reference": "Patient/p2"}}],
    },
    {"resourceType": "Location", "id": "k", "position": {"longitude": 127.0, "latitude": 37.5}},
]

FOUND: dict[str, dict[str, str]] = {
    "escaping": {
        r"Patient?family=Smith\, Jr": "p1",
        "Patient?family=Smith, Jr": "p1 p2",
        "Patient?family:exact=Van$Dam|x": "p1",
        r"Patient?identifier=urn:a|1\|2\,3": "p1",
    },
    "token": {
        "Patient?identifier=|nosys": "p1",
        "Patient?identifier=nosys": "p1",
        "Patient?identifier=urn:a|": "p1",
        "Patient?identifier=urn:b|": "",
        r"Patient?identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|1\|2\,3": "p1",
        "Patient?gender=http://hl7.org/fhir/administrative-gender|male": "p2",
        "Patient?gender=female,male": "p1 p2",
        "Patient?gender:not=male": "p1",
        "Patient?active:not=true": "p2",
        "Patient?deceased=false": "p1 p2",
        "Patient?phone=555": "p1",
        "Patient?_tag=urn:t|vip": "p2",
        "Patient?_tag:not=vip": "p1",
        "Observation?code:text=heart": "a b c",
        "Observation?code:text=pul": "a b c",
        "Observation?code:not=8867-4": "",
        "Observation?combo-code=8480-6": "a",
    },
    "string": {
        "Patient?name=smi": "p1 p2",
        "Patient?name:exact=smi": "",
        "Patient?name:contains=MIT": "p1 p2",
        "Patient?name=Smith&name=Ann": "p1",
    },
    "date": {
        "Patient?birthdate=1980": "p1 p2",
        "Patient?birthdate=1980-02-15": "p2",
        "Patient?birthdate=ne1980-02-15": "p1",
        "Patient?birthdate=gt1980-02-14": "p1 p2",
        "Patient?birthdate=lt1980-02-15": "p1",
        "Patient?birthdate=sa1980-01": "p1 p2",
        "Patient?birthdate=eb1980-03": "p1 p2",
        "Patient?birthdate=eb1980-02": "",
        "Patient?birthdate:missing=true": "",
        "Observation?date=2020-01-01T01:00:00Z": "a",
        "Observation?date=2020-01-01T10:00:00%2B09:00": "a",
        "Observation?date=ge2020-01-02": "b",
        "Observation?date=sa2020-01-02": "",
        "Observation?date=eb2020-01-03": "a",
        "Observation?date=le2019-12-31": "",
        "Observation?date=ge2019&date=lt2021": "a b",
        "Patient?_lastUpdated=gt2020": "p1 p2",
        "Patient?_lastUpdated=lt2020": "",
    },
    "quantity": {
        "Observation?value-quantity=5.4": "a",
        "Observation?value-quantity=5.4||mg": "a b",
        f"Observation?value-quantity=0.0054|{UCUM}|g": "a b",
        f"Observation?value-quantity=5.40|{UCUM}|mg": "a b",
        f"Observation?value-quantity=5.41|{UCUM}|mg": "",
        f"Observation?value-quantity=5|{UCUM}|mg": "a b",
        f"Observation?value-quantity=gt5|{UCUM}|mg": "a b",
        f"Observation?value-quantity=ap5|{UCUM}|mg": "a b",
        "Observation?value-quantity=ne5.4||mg": "",
    },
    "composite": {
        f"Observation?code-value-quantity={LOINC}|8867-4$5.4||mg": "a b",
        "Observation?component-code-value-quantity=8480-6$gt100": "a",
        "Observation?component-code-value-quantity=8462-4$gt100": "",
        "Observation?combo-code-value-quantity=8480-6$120": "a",
    },
    "reference": {
        "Observation?subject=Patient/p1": "a b",
        "Observation?subject=p1": "a b",
        "Observation?subject:Patient=p1": "a b",
        "Observation?subject={base}/Patient/p1": "a b",
        "Observation?patient=Organization/o1": "",
        "Observation?subject:missing=false": "a b c",
        "Patient?organization:identifier=urn:org|77": "p1",
        "Patient?link=Patient/p1": "p2",
    },
    "chains": {
        "Observation?subject.name=Ann": "a b",
        "Observation?subject:Patient.name=Ann": "a b",
        "Observation?patient.organization.name=Org": "a b",
        "Patient?_has:Observation:patient:code=8867-4": "p1 p2",
        "Patient?_has:Observation:subject:value-quantity=5.4": "p1",
        "Patient?_has:Observation:patient:_has:DiagnosticReport:result:status=final": "p1",
        "DiagnosticReport?result.subject.name=Ann": "r",
        # Of the types that a focus may have, most lead nowhere; those that do lead on count.
        "Task?focus:Observation.subject.name=Ann": "",
    },
    "special": {
        "Patient?_id=p1,p2": "p1 p2",
        "Patient?_list=l": "p2",
        "Patient?_profile=http://example.org/p": "p2",
        "Location?near=37.5|127.0|1|km": "k",
        "Location?near=0|0|1|km": "",
        "Patient?_content=ann": "p1",
        "?_type=Patient,Observation&_id=p1,a": "a p1",
    },
    "pages": {"Patient?_count=1000000000000": "p1 p2", "Patient?_count=": "p1 p2", "Patient?name=": "p1 p2"},
}


@pytest.fixture
async def ward(http: httpx.AsyncClient) -> httpx.AsyncClient:
    request = [{"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"} for each in WARD]
    entries = [{"resource": each, "request": one} for each, one in zip(WARD, request, strict=True)]
    answer = await http.post("", json={"resourceType": "Bundle", "type": "transaction", "entry": entries})
    assert answer.status_code == 200, answer.text
    return http


async def test_every_row_of_the_page_on_search(ward: httpx.AsyncClient, served: Served) -> None:
    wrong = {}
    for rows in FOUND.values():
        for path, expected in rows.items():
            answer = await ward.get("/" + path.format(base=served.base))
            found = sorted(
                entry["resource"]["id"]
                for entry in answer.json().get("entry", [])
                if entry["search"]["mode"] == "match"
            )
            if answer.status_code != 200 or found != expected.split():
                wrong[path] = (answer.status_code, found)
    assert wrong == {}


REFUSED = [
    "Patient?gender:bogus=male",
    "Patient?birthdate:exact=1980",
    "Patient?name:in=x",
    "Patient?_total=bogus",
    "Patient?_summary=bogus",
    "Patient?_count=-1",
    "Patient?family=%20",
    "Patient?_type=Bogus&_include=Bogus:x",
    "Observation?subject.bogus=1",
    "Observation?subject:Bogus.name=x",
    "Observation?_has:Foo:bar:baz=1",
    "Observation?_include=Observation:bogus",
    "Observation?value-quantity=x",
    "Observation?value-quantity=1|2",
    "Observation?date=2020-13",
    "Observation?subject=a b",
    "Location?near=x|y",
    "Patient?_contained=true",
    "Patient?_contained=both",
    "Patient?_containedType=bogus",
    "?_type=Bogus",
]


@pytest.mark.parametrize("handling", ["strict", "lenient"])
async def test_what_a_known_parameter_cannot_mean_is_refused_either_way(http: httpx.AsyncClient, handling: str) -> None:
    """search.html#errors: only unknown parameters are ignored. A wrong modifier or value is never passed over."""
    for path in REFUSED:
        answer = await http.get("/" + path, headers={"Prefer": f"handling={handling}"})
        issue = answer.json()["issue"][0]
        assert (answer.status_code, issue["severity"]) == (400, "error"), path
        assert issue["diagnostics"], path
        assert issue["expression"][0].partition("=")[0].partition(":")[0] in path, path


async def test_a_search_takes_its_parameters_from_a_form_and_nothing_else(ward: httpx.AsyncClient) -> None:
    found = await ward.post("/Observation/_search?subject=Patient/p1", data={"_id": "a,c"})
    assert [entry["resource"]["id"] for entry in found.json()["entry"]] == ["a"]
    assert (await ward.post("/Observation/_search")).json()["total"] == 3
    answer = await ward.post("/Observation/_search", json={"_id": "a"})
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (415, "not-supported")


async def test_contained_resources_are_no_matches_and_a_search_for_them_says_so(http: httpx.AsyncClient) -> None:
    inner = {"resourceType": "Organization", "id": "o", "name": "Contained"}
    who = {"resourceType": "Patient", "contained": [inner], "managingOrganization": {"reference": "#o"}}
    assert (await http.post("/Patient", json=who)).status_code == 201
    strict = {"Prefer": "handling=strict"}
    for asked in ("_contained=false", "_contained=false&_containedType=container", "_containedType=contained"):
        assert (await http.get(f"/Organization?name=Contained&{asked}", headers=strict)).json()["total"] == 0
    refused = await http.get("/Organization?name=Contained&_contained=true")
    assert "no matches of their own" in refused.json()["issue"][0]["diagnostics"]


async def test_a_number_with_a_power_of_ten_is_as_precise_as_the_page_says(http: httpx.AsyncClient) -> None:
    """search.html#number: 100 is [99.5, 100.5), 1e2 is [95, 105)."""
    for value in ("94.9", "95", "99.5", "100.4", "104.9", "105"):
        scored = {"resourceType": "Observation", "id": f"n{value}", "status": "final", "code": {"text": "x"}}
        scored["valueQuantity"] = {"value": json.loads(value)}
        assert (await http.put(f"/Observation/n{value}", json=scored)).status_code == 201
    for asked, found in (("1e2", "95 99.5 100.4 104.9"), ("100", "99.5 100.4"), ("1.0e2", "99.5 100.4")):
        listed = (await http.get(f"/Observation?value-quantity={asked}")).json()["entry"]
        assert sorted(each["resource"]["id"] for each in listed) == sorted(f"n{each}" for each in found.split()), asked
