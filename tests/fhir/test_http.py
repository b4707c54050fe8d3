"""R4's page on HTTP, section by section, as a sceptical outsider would try it (hl7.org/fhir/R4/http.html)."""

from __future__ import annotations

import gzip
import json
from typing import Any
from urllib.parse import quote

import httpx
import pytest

pytestmark = pytest.mark.sockets

ONE = "urn:uuid:00000000-0000-4000-8000-000000000001"
PULSE = {"status": "final", "code": {"text": "pulse"}}


def _patient(**more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", **more}


def _bundle(kind: str, *entries: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def _ask(method: str, url: str, resource: dict[str, Any] | None = None, **more: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"request": {"method": method, "url": url, **more}}
    return entry | {"resource": resource} if resource else entry


ADDRESSES: list[tuple[str, str, int]] = [
    ("OPTIONS", "/Patient/p", 405),
    ("TRACE", "/Patient/p", 405),
    ("POST", "/Patient/p", 405),
    ("PUT", "", 405),
    ("DELETE", "", 405),
    ("POST", "/metadata", 405),
    ("GET", "/Patient/p/$unheard-of", 404),
    ("GET", "/$unheard-of", 404),
    ("GET", "/patient/p", 404),
    ("GET", "//Patient/p", 404),
    ("GET", "/Patient/p/_history/1/2", 404),
    ("GET", "/Patient/a_b", 400),
    ("GET", "/Patient/never", 404),
    ("GET", "/Patient/never/_history", 404),
    ("DELETE", "/Patient/never", 204),
    ("PUT", "/Patient", 400),
    ("DELETE", "/Patient", 400),
    ("PATCH", "/Patient", 400),
]

FORMATS: list[tuple[dict[str, str], int]] = [
    ({"Content-Type": "application/fhir+json; charset=utf-8; fhirVersion=4.0"}, 201),
    ({"Content-Type": "application/json"}, 201),
    ({}, 201),
    ({"Content-Type": "application/fhir+xml"}, 415),
    ({"Content-Type": "text/plain"}, 415),
    ({"Content-Type": "application/fhir+json; charset=latin-1"}, 415),
    ({"Content-Type": "application/fhir+json; fhirVersion=3.0"}, 415),
    ({"Content-Type": "application/fhir+json", "Content-Encoding": "gzip"}, 415),
    ({"Content-Type": "application/fhir+json", "Content-Encoding": "identity"}, 201),
    ({"Accept": "application/fhir+xml"}, 406),
    ({"Accept": "text/html"}, 406),
    ({"Accept": "text/html, */*;q=0.5"}, 201),
]


async def test_an_address_answers_the_methods_it_has(http: httpx.AsyncClient) -> None:
    for method, path, status in ADDRESSES:
        body = json.dumps(_patient()) if method in {"POST", "PUT", "PATCH"} else None
        answer = await http.request(method, path, content=body, headers={"Content-Type": "application/fhir+json"})
        assert answer.status_code == status, (method, path, answer.text)
        if status == 405:
            assert method not in answer.headers["allow"].split(", ")
        if status >= 400:
            assert answer.json()["resourceType"] == "OperationOutcome"


async def test_formats(http: httpx.AsyncClient) -> None:
    body = json.dumps(_patient()).encode()
    for headers, status in FORMATS:
        packed = gzip.compress(body) if headers.get("Content-Encoding") == "gzip" else body
        answer = await http.post("/Patient", content=packed, headers=headers)
        assert answer.status_code == status, (headers, answer.text)
        assert answer.headers["content-type"] == "application/fhir+json; charset=utf-8"


async def test_every_place_says_the_same_time_of_a_version(http: httpx.AsyncClient) -> None:
    entry = _ask("PUT", "Patient/p", _patient(id="p"))
    made = (await http.post("", json=_bundle("transaction", entry))).json()["entry"][0]["response"]
    read = (await http.get("/Patient/p")).json()["meta"]["lastUpdated"]
    history = (await http.get("/Patient/p/_history")).json()["entry"][0]["response"]
    assert made["lastModified"] == history["lastModified"] == read
    for prefix, total in (("", 1), ("ge", 1), ("gt", 0), ("lt", 0), ("le", 1)):
        found = await http.get(f"/Patient?_lastUpdated={prefix}{quote(read)}")
        assert found.json()["total"] == total, prefix


async def test_a_version_is_named_by_etag_location_and_meta_alike(http: httpx.AsyncClient) -> None:
    made = await http.post("/Patient", json=_patient())
    id_ = made.json()["id"]
    assert made.headers["etag"] == 'W/"1"'
    assert made.headers["location"] == f"{http.base_url}Patient/{id_}/_history/1"
    assert (await http.get(made.headers["location"])).json() == made.json()
    for etag, status in (('W/"1"', 200), ('"2"', 200), ('W/"1"', 412), ("1", 400)):
        answer = await http.put(f"/Patient/{id_}", json=_patient(id=id_), headers={"If-Match": etag})
        assert answer.status_code == status, (etag, answer.text)
    assert (await http.get(f"/Patient/{id_}", headers={"If-None-Match": 'W/"3"'})).status_code == 304
    assert (await http.head(f"/Patient/{id_}")).headers["etag"] == 'W/"3"'


async def test_conditional_update_of_none_one_and_many(http: httpx.AsyncClient) -> None:
    known = _patient(identifier=[{"system": "urn:z", "value": "9"}])
    url = "/Patient?identifier=urn:z|9"
    assert [(await http.put(url, json=known)).status_code for _ in range(2)] == [201, 200]
    assert (await http.put(url, json=known | {"id": "another"})).status_code == 400
    assert (await http.put("/Patient?identifier=urn:z|10", json=_patient(id="named"))).status_code == 201
    # R4 is silent, R5 says 409: the criteria name nobody, and the id is somebody else's.
    other = await http.put("/Patient?identifier=urn:z|11", json=_patient(id="named", gender="male"))
    assert (other.status_code, other.json()["issue"][0]["expression"]) == (409, ["Patient.id"])
    entry = _ask("PUT", "Patient?identifier=urn:z|11", _patient(id="named", gender="male"))
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    assert (await http.post("/", json=bundle)).status_code == 409
    assert (await http.get("/Patient/named")).json()["meta"]["versionId"] == "1"
    await http.post("/Patient", json=known)
    assert (await http.put(url, json=known)).status_code == 412
    assert (await http.delete(url)).status_code == 412
    assert (await http.put("/Patient?unheard-of=1", json=known)).status_code == 400


async def test_a_batch_answers_each_entry_for_itself_in_its_place(http: httpx.AsyncClient) -> None:
    await http.put("/Patient/p", json=_patient(id="p"))
    patch = [{"name": "type", "valueCode": "add"}, {"name": "path", "valueString": "Patient"}]
    patch += [{"name": "name", "valueString": "active"}, {"name": "value", "valueBoolean": True}]  # type: ignore[dict-item]
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": patch}]}
    asked = {
        "200": [
            _ask("GET", "Patient/p"),
            _ask("GET", "/Patient/p"),
            _ask("GET", f"{http.base_url}Patient/p"),
            _ask("GET", "Patient?_id=p"),
            _ask("GET", "Patient/p/_history/1"),
            _ask("GET", "Patient/p/_history"),
            _ask("GET", "_history?_count=1"),
            _ask("POST", "Patient/_search?_id=p"),
            _ask("GET", "Patient/p/$everything"),
            _ask("HEAD", "Patient/p"),
            _ask("PATCH", "Patient/p", parameters),
        ],
        "201": [_ask("POST", "Patient", _patient()), _ask("PUT", "Patient/q", _patient(id="q"))],
        "204": [_ask("DELETE", "Patient/never")],
        "304": [_ask("GET", "Patient/p", ifNoneMatch='W/"2"')],
        "400": [_ask("POST", "Patient", _patient(gender="wrong")), {"request": {"method": "GET"}}],
        "404": [_ask("GET", "Patient/never"), _ask("GET", "https://elsewhere.example.org/fhir/Patient/p")],
        "405": [_ask("DELETE", "")],
        "412": [_ask("PUT", "Patient/p", _patient(id="p"), ifMatch='W/"77"')],
    }
    entries = [entry for listed in asked.values() for entry in listed]
    expected = [status for status, listed in asked.items() for _ in listed]
    answer = (await http.post("", json=_bundle("batch", *entries))).json()
    assert answer["type"] == "batch-response"
    assert [entry["response"]["status"][:3] for entry in answer["entry"]] == expected
    head = [each["request"]["method"] for each in entries if "request" in each].index("HEAD")
    assert "resource" not in answer["entry"][head]
    failed = [entry for entry in answer["entry"] if entry["response"]["status"][0] in "45"]
    assert all(entry["response"]["outcome"]["issue"][0]["diagnostics"] for entry in failed)


async def test_a_transaction_deletes_creates_updates_and_then_reads_whatever_the_order(http: httpx.AsyncClient) -> None:
    await http.put("/Patient/old", json=_patient(id="old"))
    entries = [
        _ask("GET", "Patient?_id=old,kept"),
        _ask("POST", "Observation", {"resourceType": "Observation", **PULSE, "subject": {"reference": ONE}}),
        _ask("PUT", "Patient/kept", _patient(id="kept")) | {"fullUrl": ONE},
        _ask("DELETE", "Patient/old"),
    ]
    answer = (await http.post("", json=_bundle("transaction", *entries))).json()
    assert [entry["response"]["status"][:3] for entry in answer["entry"]] == ["200", "201", "201", "204"]
    assert [entry["resource"]["id"] for entry in answer["entry"][0]["resource"]["entry"]] == ["kept"]
    location = answer["entry"][1]["response"]["location"]
    assert (await http.get(location)).json()["subject"]["reference"] == "Patient/kept"


async def test_a_reference_that_a_transaction_cannot_follow_is_named_by_its_path(http: httpx.AsyncClient) -> None:
    for reference in (ONE, "Patient?identifier=nobody"):
        observed = {"resourceType": "Observation", **PULSE, "performer": [{"reference": reference}]}
        answer = await http.post("", json=_bundle("transaction", _ask("POST", "Observation", observed)))
        assert answer.status_code == 400
        assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[0].resource.performer[0].reference"]
