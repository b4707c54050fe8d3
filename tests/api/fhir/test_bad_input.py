"""What nobody should send: an OperationOutcome with a sentence, never a 500, never half a transaction."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from domain.errors import Misconfigured
from tests.api.fhir.conftest import Connect, issue_of, patient

DEEP = 100_000

BODIES: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"{",
    "text": b"hello",
    "XML": b"<Patient/>",
    "a list": b"[]",
    "a number": b"1",
    "null": b"null",
    "open brackets": b"[" * DEEP,
    "deep lists": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep extensions": b'{"resourceType":"Patient","extension":[{"url":"u","extension":' * 1
    + b'[{"url":"u","extension":' * 200
    + b"[]"
    + b"}]" * 200
    + b"}]}",
    "no UTF-8": b'{"resourceType":"Patient","gender":"\xff"}',
    "half a surrogate pair": b'{"resourceType":"Patient","name":[{"text":"\\ud800"}]}',
    "a NUL": b'{"resourceType":"Patient","name":[{"text":"a\\u0000b"}]}',
    "NaN": b'{"resourceType":"Patient","multipleBirthInteger":NaN}',
    "a name twice": b'{"resourceType":"Patient","gender":"male","gender":"female"}',
    "a huge number": b'{"resourceType":"Observation","valueInteger":' + b"9" * 5000 + b"}",
    "a huge exponent": b'{"resourceType":"Observation","valueQuantity":{"value":1e999999999}}',
    "no type": b"{}",
    "a type that is none": b'{"resourceType":"Nothing"}',
    "a type of another kind": b'{"resourceType":["Patient"]}',
    "an abstract type": b'{"resourceType":"DomainResource"}',
    "an unknown element": b'{"resourceType":"Patient","unheardOf":1}',
    "a wrong primitive": b'{"resourceType":"Patient","birthDate":"29.2.1980"}',
    "an empty array": b'{"resourceType":"Patient","name":[]}',
    "an empty object": b'{"resourceType":"Patient","name":[{}]}',
    "two choices": b'{"resourceType":"Patient","deceasedBoolean":true,"deceasedDateTime":"2020"}',
    "a code outside a required binding": b'{"resourceType":"Patient","gender":"unheard-of"}',
    "meta of another kind": b'{"resourceType":"Patient","meta":[]}',
    "an id of another kind": b'{"resourceType":"Patient","id":1}',
    "an impossible id": b'{"resourceType":"Patient","id":"../../etc"}',
    "contained in contained": json.dumps(
        patient(contained=[{"resourceType": "Patient", "id": "a", "contained": [{"resourceType": "Patient"}]}])
    ).encode(),
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize(("method", "path"), [("POST", "Patient"), ("PUT", "Patient/p1"), ("POST", "")])
async def test_a_bad_body_is_refused_with_a_sentence(
    fhir: httpx.AsyncClient, name: str, method: str, path: str
) -> None:
    answer = await fhir.request(method, path, content=BODIES[name], headers={"Content-Type": "application/fhir+json"})
    assert answer.status_code in {400, 422}, answer.text
    assert issue_of(answer)["severity"] in {"error", "fatal"}
    assert issue_of(answer)["diagnostics"]
    assert (await fhir.get("Patient/_history")).json()["total"] == 0


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/fhir+json", 201),
        ("application/json; charset=utf-8", 201),
        ("", 201),
        ("application/json; charset=euc-kr", 415),
        ("application/fhir+xml", 415),
        ("text/plain", 415),
        ("multipart/form-data", 415),
    ],
)
async def test_a_body_is_json(fhir: httpx.AsyncClient, content_type: str, status: int) -> None:
    answer = await fhir.post("Patient", content=json.dumps(patient()), headers={"Content-Type": content_type})
    assert answer.status_code == status


async def test_a_body_may_not_be_longer_than_the_limit_whatever_was_announced(
    fhir: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, desk: Any
) -> None:
    object.__setattr__(desk.state, "largest_bundle", 1000)
    body = json.dumps(patient(name=[{"text": "x" * 2000}])).encode()

    async def dripping() -> Any:
        for at in range(0, len(body), 100):
            yield body[at : at + 100]

    announced = await fhir.post("Patient", content=body)
    unannounced = await fhir.post("Patient", content=dripping())
    for answer in (announced, unannounced):
        assert (answer.status_code, issue_of(answer)["code"]) == (413, "too-long")


@pytest.mark.parametrize(
    "path",
    [
        "Patient/..%2f..%2fetc%2fpasswd",
        "Patient/%00",
        "Patient/p1'%20or%20'1'='1",
        "Patient/%E0%A4%A",
        "Patient/p1/_history/1;drop",
        "%2e%2e/%2e%2e",
        "Patient//_history",
        "$unheard-of",
        "Patient/$unheard-of",
        "Patient/p1/$unheard-of",
        "Patient/p1/Nothing",
        "Observation/o1/Patient",
        "metadata/x",
        "_search/x",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH"])
async def test_a_strange_address_is_refused(fhir: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await fhir.request(method, path, json=patient() if method in {"POST", "PUT"} else None)
    assert answer.status_code in {400, 404, 405}, answer.text
    assert issue_of(answer)["diagnostics"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "Patient/p1", "DELETE, GET, HEAD, PATCH, PUT"),
        ("PUT", "", "GET, HEAD, POST"),
        ("DELETE", "metadata", "GET, HEAD"),
        ("GET", "Patient/_search", "POST"),
        ("OPTIONS", "Patient", "DELETE, GET, HEAD, PATCH, POST, PUT"),
        ("BREW", "Patient/p1/_history", "GET, HEAD"),
    ],
)
async def test_a_method_that_an_address_does_not_know_is_told_which_it_knows(
    fhir: httpx.AsyncClient, method: str, path: str, allowed: str
) -> None:
    answer = await fhir.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


async def test_references_in_circles_and_to_contained_resources_are_kept(fhir: httpx.AsyncClient) -> None:
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": f"urn:uuid:0000000{one}-0000-4000-8000-000000000000",
                "resource": {
                    "resourceType": "Organization",
                    "name": str(one),
                    "partOf": {"reference": f"urn:uuid:0000000{other}-0000-4000-8000-000000000000"},
                },
                "request": {"method": "POST", "url": "Organization"},
            }
            for one, other in ((1, 2), (2, 1))
        ],
    }
    assert (await fhir.post("", json=bundle)).status_code == 200
    contained = patient(
        contained=[{"resourceType": "Organization", "id": "o", "name": "x"}], managingOrganization={"reference": "#o"}
    )
    assert (await fhir.post("Patient", json=contained)).status_code == 201


async def test_what_nobody_expected_says_a_number_and_nothing_else(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    from store.fhir import reading

    async def broken(*_: object) -> None:
        raise RuntimeError("홍길동")

    client = await connect()
    monkeypatch.setattr(reading, "read", broken)
    answer = await client.get("Patient/p1")
    assert (answer.status_code, issue_of(answer)["code"]) == (500, "exception")
    assert "홍길동" not in answer.text


async def test_a_byte_order_mark_is_passed_over(connect: Connect) -> None:
    client = await connect()
    body = b"\xef\xbb\xbf" + json.dumps(patient(id="p1")).encode()
    made = await client.put("Patient/p1", content=body, headers={"Content-Type": "application/fhir+json"})
    assert made.status_code == 201, made.text
    assert (await client.get("Patient/p1")).content == made.content
    patch = b"\xef\xbb\xbf" + b'[{"op":"add","path":"/active","value":true}]'
    headers = {"Content-Type": "application/json-patch+json"}
    assert (await client.patch("Patient/p1", content=patch, headers=headers)).json()["active"] is True


async def test_a_server_that_is_not_set_up_says_whom_to_ask_and_tells_the_log_what_to_do(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    from store.fhir import reading

    async def closed(*_: object) -> None:
        raise Misconfigured("The key ring has no key 2026a: put it back.")

    client = await connect()
    monkeypatch.setattr(reading, "read", closed)
    with capture_logs() as lines:
        answer = await client.get("Patient/p1")
    issue = issue_of(answer)
    assert (answer.status_code, issue["severity"], issue["code"]) == (500, "fatal", "exception")
    assert "2026a" not in answer.text
    (line,) = [each for each in lines if each.get("hint")]
    assert line["hint"] == "The key ring has no key 2026a: put it back."
    assert line["log_id"] in issue["diagnostics"]
