"""read and vread: what is there, what is gone, what has not changed, parts of it."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime

import httpx
import pytest

from tests.api.fhir.conftest import Connect, issue_of, observation, patient


@pytest.fixture
async def path(fhir: httpx.AsyncClient) -> str:
    """A patient of two versions."""
    await fhir.put("Patient/p1", json=patient(id="p1"))
    await fhir.put("Patient/p1", json=patient(id="p1", active=True))
    return "Patient/p1"


async def test_a_read_answers_the_newest_version_with_its_headers(fhir: httpx.AsyncClient, path: str) -> None:
    answer = await fhir.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/fhir+json; charset=utf-8"
    assert answer.headers["etag"] == 'W/"2"'
    assert parsedate_to_datetime(answer.headers["last-modified"])
    body = answer.json()
    assert (body["id"], body["meta"]["versionId"], body["active"]) == ("p1", "2", True)


async def test_a_vread_answers_each_version(fhir: httpx.AsyncClient, path: str) -> None:
    first, second = [await fhir.get(f"{path}/_history/{number}") for number in (1, 2)]
    assert [first.headers["etag"], second.headers["etag"]] == ['W/"1"', 'W/"2"']
    assert "active" not in first.json()
    assert second.json()["active"] is True


async def test_decimals_come_back_with_the_digits_they_were_sent_with(fhir: httpx.AsyncClient) -> None:
    sent = b'{"resourceType":"Observation","status":"final","code":{"text":"weight"},"valueQuantity":{"value":72.50}}'
    made = await fhir.post("Observation", content=sent)
    assert made.status_code == 201, made.text
    assert '"value":72.50' in (await fhir.get(f"Observation/{made.json()['id']}")).text


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_head_is_get_without_a_body(fhir: httpx.AsyncClient, path: str, method: str) -> None:
    answer = await fhir.request(method, path)
    assert answer.status_code == 200
    assert answer.headers["etag"] == 'W/"2"'
    assert bool(answer.content) is (method == "GET")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("Patient/nobody", 404, "not-found"),
        ("Patient/nobody/_history/1", 404, "not-found"),
        ("Patient/p1/_history/3", 404, "not-found"),
        ("Patient/p1/_history/0", 404, "not-found"),
        ("Patient/p1/_history/x", 404, "not-found"),
        ("Patient/p1/_history/99999999999999999999", 404, "not-found"),
        ("Patient/gone", 410, "deleted"),
        ("Patient/gone/_history/2", 410, "deleted"),
        ("Patient/not_an_id", 400, "value"),
        (f"Patient/{'x' * 65}", 400, "value"),
        ("Nothing/1", 404, "not-supported"),
        ("patient/p1", 404, "not-supported"),
        ("Patient/p1/_history/1/2", 404, "not-supported"),
    ],
)
async def test_what_is_not_there_says_so(fhir: httpx.AsyncClient, path: str, status: int, code: str) -> None:
    await fhir.put("Patient/p1", json=patient(id="p1"))
    await fhir.put("Patient/gone", json=patient(id="gone"))
    await fhir.delete("Patient/gone")
    answer = await fhir.get(path)
    assert (answer.status_code, issue_of(answer)["code"]) == (status, code)


async def test_a_version_before_the_deletion_can_still_be_read(fhir: httpx.AsyncClient, path: str) -> None:
    await fhir.delete(path)
    assert (await fhir.get(f"{path}/_history/2")).status_code == 200


@pytest.mark.parametrize(("etag", "status"), [('W/"2"', 304), ('W/"1"', 200), ('"2"', 304), ("*", 304), ("x", 200)])
async def test_if_none_match_answers_only_another_version(
    fhir: httpx.AsyncClient, path: str, etag: str, status: int
) -> None:
    answer = await fhir.get(path, headers={"If-None-Match": etag})
    assert (answer.status_code, answer.headers["etag"]) == (status, 'W/"2"')
    assert bool(answer.content) is (status == 200)


@pytest.mark.parametrize(("later", "status"), [(0, 304), (3600, 304), (-3600, 200)])
async def test_if_modified_since_answers_only_what_is_younger(
    fhir: httpx.AsyncClient, path: str, later: int, status: int
) -> None:
    modified = parsedate_to_datetime((await fhir.get(path)).headers["last-modified"])
    since = format_datetime(modified + timedelta(seconds=later), usegmt=True)
    assert (await fhir.get(path, headers={"If-Modified-Since": since})).status_code == status
    assert (await fhir.get(path, headers={"If-Modified-Since": "yesterday"})).status_code == 200


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("_elements=gender", {"gender"}),
        ("_elements=gender,name", {"gender", "name"}),
        ("_summary=true", {"gender", "name", "active"}),
        ("_summary=text", {"text"}),
        ("_summary=data", {"gender", "name", "active", "photo"}),
        ("_summary=false", {"gender", "name", "active", "text", "photo"}),
    ],
)
async def test_a_part_of_a_resource_is_marked_as_one(fhir: httpx.AsyncClient, query: str, names: set[str]) -> None:
    text = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">one</div>'}
    await fhir.put("Patient/p1", json=patient(id="p1", active=True, text=text, photo=[{"title": "face"}]))
    body = (await fhir.get(f"Patient/p1?{query}")).json()
    assert set(body) == names | {"resourceType", "id", "meta"}
    marked = [tag["code"] for tag in body["meta"].get("tag", [])]
    assert marked == ([] if query == "_summary=false" else ["SUBSETTED"])


async def test_elements_that_must_be_there_stay_and_a_choice_goes_by_its_name(fhir: httpx.AsyncClient) -> None:
    made = await fhir.post("Observation", json=observation("Patient/p1", valueString="x", note=[{"text": "y"}]))
    body = (await fhir.get(f"Observation/{made.json()['id']}?_elements=value")).json()
    assert set(body) == {"resourceType", "id", "meta", "status", "code", "valueString"}


@pytest.mark.parametrize(
    ("accept", "query", "status"),
    [
        ("application/fhir+json", "", 200),
        ("application/json", "", 200),
        ("text/html, */*;q=0.1", "", 200),
        ("application/fhir+json; fhirVersion=4.0", "", 200),
        ("application/fhir+json; fhirVersion=3.0", "", 406),
        ("application/fhir+xml", "", 406),
        ("application/fhir+json;q=0", "", 406),
        ("application/fhir+xml", "?_format=json", 200),
        ("*/*", "?_format=application/fhir%2Bjson", 200),
        ("*/*", "?_format=application/fhir+json", 200),
        ("*/*", "?_format=xml", 406),
        ("*/*", "?_format=application/fhir%2Bxml", 406),
        ("*/*", "?_pretty=true", 200),
    ],
)
async def test_json_is_spoken_and_nothing_else(
    fhir: httpx.AsyncClient, path: str, accept: str, query: str, status: int
) -> None:
    assert (await fhir.get(path + query, headers={"Accept": accept})).status_code == status


async def test_another_hospitals_record_is_as_missing_as_one_that_never_was(
    fhir: httpx.AsyncClient, connect: Connect, path: str, other_hospital: str
) -> None:
    other = await connect(hospital=other_hospital)
    theirs, missing = await other.get(path), await other.get("Patient/never")
    assert theirs.status_code == missing.status_code == 404
    assert theirs.json() == missing.json()


async def test_pretty_lays_an_answer_out_and_nothing_else(fhir: httpx.AsyncClient) -> None:
    await fhir.put("Patient/p1", json=patient(id="p1"))
    plain = await fhir.get("Patient/p1")
    for path in ("Patient/p1", "Patient", "Patient/unknown"):
        laid_out = await fhir.get(path, params={"_pretty": "true"})
        assert laid_out.text.startswith('{\n  "resourceType": ')
        assert int(laid_out.headers["content-length"]) == len(laid_out.content)
    assert (await fhir.get("Patient/p1?_pretty=true")).json() == plain.json()
    assert (await fhir.get("Patient/p1?_pretty=false")).content == plain.content
