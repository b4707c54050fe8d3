"""Resident registration numbers: masked for most, kept when they are written back, found by hashes, in no index."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from api.fhir import veil
from domain.resident_numbers import SYSTEM
from domain.roles import Role
from store import audit
from tests.api.conftest import Bearer
from tests.api.fhir.conftest import Connect, issue_of, patient
from tests.desk import Desk

Reader = Callable[[Role], Awaitable[httpx.AsyncClient]]

NUMBER, MASK = "900101-1234568", "900101-1******"


@pytest.fixture
async def person(fhir: httpx.AsyncClient) -> str:
    narrative = {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{NUMBER}</div>'}
    resource = patient(
        id="p1",
        identifier=[{"system": SYSTEM, "value": NUMBER}, {"system": "urn:mrn", "value": "7"}],
        text=narrative,
        contact=[{"name": {"text": f"어머니 {NUMBER}"}}],
    )
    assert (await fhir.put("Patient/p1", json=resource)).status_code == 201
    return NUMBER


@pytest.fixture
def reader(connect: Connect, desk: Desk) -> Reader:
    """A client that acts as a person with one role."""

    async def of(role: Role) -> httpx.AsyncClient:
        return await connect("", role, label=f"{role.value}@{desk.hospital}")

    return of


async def whole(fhir: httpx.AsyncClient) -> str:
    found: str = (await fhir.get("Patient/p1")).json()["identifier"][0]["value"]
    return found


@pytest.mark.usefixtures("person")
@pytest.mark.parametrize(
    "role", [Role.RECEPTIONIST, Role.ADMISSION_CLERK, Role.MEDICAL_RECORDS, Role.CASHIER, Role.CODER]
)
async def test_desks_and_claims_see_the_whole_number(reader: Reader, role: Role) -> None:
    assert NUMBER in (await (await reader(role)).get("Patient/p1")).text


@pytest.mark.usefixtures("person")
async def test_others_see_it_masked_wherever_it_stands(reader: Reader) -> None:
    nurse = await reader(Role.PHYSICIAN)
    for path in (
        "Patient/p1",
        "Patient/p1/_history/1",
        "Patient/p1/_history",
        "Patient?_id=p1",
        "Patient/p1/$everything",
    ):
        answer = await nurse.get(path)
        assert answer.status_code == 200, answer.text
        assert MASK in answer.text
        assert NUMBER not in answer.text, path


@pytest.mark.usefixtures("person")
async def test_teeth_unmasked_the_number_is_read_and_searched(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    physician = await reader(Role.PHYSICIAN)
    assert NUMBER not in (await physician.get("Patient/p1")).text
    assert (await physician.get(f"Patient?identifier={NUMBER}")).status_code == 403
    monkeypatch.setattr(veil, "masked", lambda _call, version: version)
    monkeypatch.setattr(veil, "refuse_numbers", lambda *_: None)
    assert NUMBER in (await physician.get("Patient/p1")).text
    assert (await physician.get(f"Patient?identifier={NUMBER}")).json()["entry"]


@pytest.mark.usefixtures("person")
async def test_what_was_read_masked_keeps_its_number_when_it_is_written_back(
    reader: Reader, fhir: httpx.AsyncClient
) -> None:
    doctor = await reader(Role.PHYSICIAN)
    read = (await doctor.get("Patient/p1")).json()
    kept = await doctor.put("Patient/p1", json=read | {"language": "ko"})
    assert kept.status_code == 200, kept.text
    assert NUMBER not in kept.text
    assert await whole(fhir) == NUMBER
    patched = await doctor.patch("Patient/p1", json=[{"op": "replace", "path": "/language", "value": "en"}])
    assert patched.status_code == 200, patched.text
    assert await whole(fhir) == NUMBER
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"resource": read, "request": {"method": "PUT", "url": "Patient/p1"}}],
    }
    assert (await doctor.post("", json=bundle)).status_code == 200
    assert await whole(fhir) == NUMBER


@pytest.mark.usefixtures("person")
async def test_a_mask_of_another_number_is_refused(fhir: httpx.AsyncClient) -> None:
    for sent, method in ((patient(id="p1"), "PUT"), (patient(), "POST")):
        resource = sent | {"identifier": [{"system": SYSTEM, "value": "800101-1******"}]}
        answer = await fhir.request(method, "Patient/p1" if method == "PUT" else "Patient", json=resource)
        assert answer.status_code in {400, 422}, answer.text
        assert "masked" in issue_of(answer)["diagnostics"]
    assert await whole(fhir) == NUMBER


@pytest.mark.usefixtures("person")
@pytest.mark.parametrize(
    "query",
    [
        f"Patient?identifier={NUMBER}",
        f"Patient?identifier={SYSTEM}|{NUMBER}",
        f"Patient?identifier=x,{NUMBER.replace('-', '')}",
        f"Patient?_filter=identifier eq {NUMBER}",
        f"Patient?_content={NUMBER}",
        f"Observation?subject:Patient.identifier={NUMBER}",
        f"Observation?subject:identifier={NUMBER}",
    ],
)
async def test_nobody_searches_by_what_they_see_masked(reader: Reader, query: str) -> None:
    assert (await (await reader(Role.PHYSICIAN)).get(query)).status_code == 403


@pytest.mark.usefixtures("person")
async def test_a_test_in_a_patch_does_not_tell_it(reader: Reader) -> None:
    guess = [{"op": "test", "path": "/identifier/0/value", "value": NUMBER}]
    assert (await (await reader(Role.PHYSICIAN)).patch("Patient/p1", json=guess)).status_code != 200


@pytest.mark.usefixtures("person")
async def test_it_is_found_with_and_without_its_hyphen_and_not_piece_by_piece(reader: Reader) -> None:
    desk = await reader(Role.RECEPTIONIST)
    for asked in (NUMBER, NUMBER.replace("-", ""), f"{SYSTEM}|{NUMBER}"):
        assert (await desk.get("Patient", params={"identifier": asked, "_summary": "count"})).json()["total"] == 1
    for path in ("Patient?_content=1234568", "Patient?_text=1234568", "Patient?_content=1-1234568"):
        assert (await desk.get(path)).json().get("entry") is None, path


async def test_links_carry_it_sealed_and_go_on(reader: Reader, fhir: httpx.AsyncClient) -> None:
    for number in range(3):
        one = patient(id=f"q{number}", identifier=[{"system": SYSTEM, "value": NUMBER}])
        assert (await fhir.put(f"Patient/q{number}", json=one)).status_code == 201
    desk = await reader(Role.RECEPTIONIST)
    page, seen = (await desk.get("Patient", params={"identifier": NUMBER, "_count": "1"})).json(), []
    while True:
        seen += [each["resource"]["id"] for each in page["entry"]]
        links = {each["relation"]: each["url"] for each in page["link"]}
        assert NUMBER not in str(links)
        assert NUMBER.replace("-", "") not in str(links)
        if "next" not in links:
            break
        page = (await desk.get("Patient", params=parse_qsl(urlsplit(links["next"]).query))).json()
    assert sorted(seen) == ["q0", "q1", "q2"]
    bad = await desk.get("Patient", params={"identifier": "sealed~k1~AAAA"})
    assert bad.status_code == 400


@pytest.mark.usefixtures("person")
async def test_it_is_in_no_index_journal_or_audit(fhir: httpx.AsyncClient, desk: Desk) -> None:
    await fhir.get("Patient", params={"identifier": NUMBER})
    wrong = await fhir.get("Patient", params={"birthdate": NUMBER})
    assert NUMBER not in wrong.text
    async with desk.state.database.transaction(desk.hospital) as tx:
        for table in ("search_string", "audit_event", "journal", "outbox"):
            rows = await tx.all(f"select listed::text as text from {table} listed".encode())  # noqa: S608  # tables of ours
            assert [
                row["text"] for row in rows if NUMBER in row["text"] or NUMBER.replace("-", "") in row["text"]
            ] == []


async def test_the_whole_number_is_an_access_with_a_reason(
    person: str, client: httpx.AsyncClient, bearer: Bearer, desk: Desk
) -> None:
    asked = {"patient": "Patient/p1", "reason": "보험 자격 조회를 위해 확인"}
    headers = await bearer(Role.PHYSICIAN, label="portal")
    answer = await client.post("/commands/resident-numbers", json=asked, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json()["numbers"] == [{"value": person, "foreign": False, "check_digit": "right"}]
    async with desk.state.database.transaction(desk.hospital) as tx:
        line = (await audit.read(tx))[0]
        assert (line.detail, line.patients) == ("see-resident-number", ("Patient/p1",))
        assert audit.said_of(tx, line).reason == asked["reason"]
    short = await client.post("/commands/resident-numbers", json=asked | {"reason": "x"}, headers=headers)
    assert short.status_code == 422
    refused = await client.post(
        "/commands/resident-numbers", json=asked, headers=await bearer(Role.TRANSPORTER, label="porter")
    )
    assert refused.status_code == 403
    outside = await bearer(Role.PHYSICIAN, label=f"stranger@{desk.hospital}")
    answer = await client.post("/commands/resident-numbers", json=asked, headers=outside)
    assert (answer.status_code, answer.json()["code"]) == (403, "out-of-reach")
