"""The audit over FHIR: for auditors, read-only, each row an event of IHE's patterns; looking leaves a row."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from adapters.fhir.validation import check
from api.fhir.audit_shape import audit_event
from domain.roles import Role
from store import audit, audit_search
from store.audit import AuditAction, Said
from store.audit_search import Kind, Search, kind_of
from tests.api.conftest import SignIn
from tests.api.fhir.conftest import Connect, issue_of, observation, patient
from tests.api.fhir.test_access import lines
from tests.desk import Desk

Json = dict[str, Any]
BALP = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."


@pytest.fixture
async def auditor(connect: Connect) -> httpx.AsyncClient:
    return await connect("", Role.AUDITOR, label="auditor@here")


@pytest.fixture
async def used(fhir: httpx.AsyncClient, connect: Connect) -> None:
    """Accesses of every basic sort, by a program and by a person."""
    await fhir.put("Patient/p1", json=patient(id="p1"), headers={"X-Request-Id": "r-1"})
    await fhir.post("Observation", json=observation("Patient/p1"))
    await fhir.get("Patient/p1")
    await fhir.get("Patient/p1/_history/1")
    await fhir.put("Patient/p1", json=patient(id="p1", active=True))
    await fhir.get("Patient", params={"name": "시험"})
    await fhir.get("Organization", params={"name": "x"})
    await fhir.put("Organization/o1", json={"resourceType": "Organization", "id": "o1", "name": "x"})
    await fhir.delete("Organization/o1")
    records = await connect("", Role.MEDICAL_RECORDS, label="records@here")
    await records.get("Patient/p1")
    housekeeping = await connect("", Role.HOUSEKEEPING, label="housekeeping@here")
    await housekeeping.get("Patient/p1")


async def _events(client: httpx.AsyncClient, **params: str) -> list[Json]:
    answer = await client.get("AuditEvent", params=params)
    assert answer.status_code == 200, answer.text
    return [entry["resource"] for entry in answer.json().get("entry", []) if entry["search"]["mode"] == "match"]


def _subtype(event: Json) -> str:
    return str(event["subtype"][0]["code"])


@pytest.mark.usefixtures("used")
async def test_each_access_is_an_event_of_its_pattern(auditor: httpx.AsyncClient) -> None:
    events = await _events(auditor, _sort="date", _count="100")
    shown = [
        (_subtype(event), event["action"], event["outcome"], event.get("meta", {}).get("profile", [""])[0][len(BALP) :])
        for event in events
    ]
    assert shown == [
        ("create", "C", "0", "PatientCreate"),
        ("create", "C", "0", "PatientCreate"),
        ("read", "R", "0", "PatientRead"),
        ("vread", "R", "0", "PatientRead"),
        ("update", "U", "0", "PatientUpdate"),
        ("search-type", "E", "0", "PatientQuery"),
        ("search-type", "E", "0", "Query"),
        ("create", "C", "0", "Create"),
        ("delete", "D", "0", "Delete"),
        ("read", "R", "0", "PatientRead"),
        ("Patient.r", "R", "4", ""),
    ]
    for event in events:
        assert [each for each in check(event) if each.severity in {"error", "fatal"}] == []


@pytest.mark.usefixtures("used")
async def test_an_event_says_who_whose_what_when_and_from_where(auditor: httpx.AsyncClient, desk: Desk) -> None:
    made = (await _events(auditor, _sort="date"))[0]
    user, server = made["agent"]
    assert user["who"]["identifier"] == {"system": "urn:phis:account", "value": "client"}
    assert (user["requestor"], user["network"], server["requestor"]) == (
        True,
        {"address": "127.0.0.1", "type": "2"},
        False,
    )
    assert made["source"]["site"] == desk.hospital
    assert [entity.get("what") for entity in made["entity"]] == [
        {"reference": "Patient/p1"},
        {"reference": "Patient/p1"},
        {"identifier": {"value": "r-1"}},
    ]
    (query,) = [
        entity
        for event in await _events(auditor, subtype="search-type", patient="p1")
        for entity in event["entity"]
        if "query" in entity
    ]
    path = urlsplit(base64.b64decode(query["query"]).decode())
    assert (path.path, parse_qsl(path.query)) == (f"/fhir/{desk.hospital}/Patient", [("name", "시험")])
    (read,) = await _events(auditor, agent="records@here")
    person, client, _ = read["agent"]
    assert (person["role"][0]["coding"][0]["code"], person["requestor"], client["requestor"]) == (
        "medical-records",
        True,
        False,
    )
    (denied,) = await _events(auditor, outcome="4")
    assert denied["outcomeDesc"] == "refused: Patient.r"
    assert {"reference": "Patient/p1"} in [entity["what"] for entity in denied["entity"]]


SEARCHES: list[tuple[dict[str, str], int]] = [
    ({"action": "C"}, 3),
    ({"action": "C,D"}, 4),
    ({"patient": "Patient/p1"}, 8),
    ({"patient": "p1", "agent": "records@here"}, 1),
    ({"entity": "Organization/o1"}, 2),
    ({"outcome": "4"}, 1),
    ({"outcome": "8"}, 0),
    ({"agent": "nobody"}, 0),
    ({"agent-role": "medical-records"}, 1),
    ({"type": "rest", "subtype": "read"}, 2),
    ({"type": "http://dicom.nema.org/resources/ontology/DCM|110114"}, 0),
    ({"date": "ge2026-01-01"}, 11),
    ({"date": "lt2026-01-01"}, 0),
    ({"address": "127."}, 11),
    ({"type": "nothing"}, 0),
]


@pytest.mark.usefixtures("used")
async def test_the_audit_is_searched_by_who_whose_what_when(auditor: httpx.AsyncClient) -> None:
    others = {"altid": "client,records@here,housekeeping@here"}  # looking leaves rows, too
    found = [(params, len(await _events(auditor, **params, **others))) for params, _ in SEARCHES]
    assert found == SEARCHES


@pytest.mark.usefixtures("used")
@pytest.mark.parametrize("sort", ["date", "-date"])
async def test_pages_follow_each_other_without_a_gap(auditor: httpx.AsyncClient, sort: str) -> None:
    found: list[str] = []
    url: str | None = f"AuditEvent?agent=client&_count=4&_sort={sort}"
    while url is not None:
        bundle = (await auditor.get(url)).json()
        found += [entry["resource"]["recorded"] for entry in bundle["entry"]]
        url = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)
    assert len(found) == 9
    assert found == sorted(found, reverse=sort == "-date")


@pytest.mark.usefixtures("used")
async def test_an_event_is_read_by_its_id_and_counted(auditor: httpx.AsyncClient) -> None:
    (event, *_) = await _events(auditor, action="D")
    assert (await auditor.get(f"AuditEvent/{event['id']}")).json() == event
    counted = (await auditor.get("AuditEvent", params={"_summary": "count", "agent": "client"})).json()
    assert counted["total"] == 9
    assert "entry" not in counted
    in_compartment = (await auditor.get("Patient/p1/AuditEvent", params={"action": "U"})).json()
    assert in_compartment["total"] == 1


async def test_looking_at_the_audit_leaves_a_row_with_the_patients_that_it_showed(
    auditor: httpx.AsyncClient, fhir: httpx.AsyncClient, desk: Desk
) -> None:
    await fhir.put("Patient/p1", json=patient(id="p1"))
    (event,) = await _events(auditor, agent="client")
    await auditor.get(f"AuditEvent/{event['id']}")
    read, searched, _ = await lines(desk)
    assert (searched.action, searched.detail, searched.patients) == (
        AuditAction.QUERY,
        "fhir/search-audit",
        ("Patient/p1",),
    )
    assert (read.action, read.entities) == (AuditAction.READ, (f"AuditEvent/{event['id']}",))
    assert [each["type"]["code"] for each in await _events(auditor, agent="auditor@here")] == ["110101", "110101"]


@pytest.mark.parametrize(
    ("scope", "roles", "allowed"),
    [
        ("", (Role.AUDITOR,), True),
        ("system/AuditEvent.rs", (), True),
        ("system/*.rs", (Role.AUDITOR,), True),
        ("system/*.cruds", (), False),
        ("system/Patient.rs", (Role.AUDITOR,), False),
        ("system/AuditEvent.rs", (Role.NURSE,), False),
        ("", (Role.PHYSICIAN,), False),
        ("", (Role.ADMINISTRATOR,), False),
    ],
)
async def test_the_audit_is_for_auditors_and_for_programs_that_name_it(
    connect: Connect, scope: str, roles: tuple[Role, ...], allowed: bool
) -> None:
    client = await connect(scope, *roles)
    for path in ("AuditEvent", "AuditEvent/1-1", "Patient/p1/AuditEvent"):
        expected = {200, 404} if allowed else {403}
        assert (await client.get(path)).status_code in expected


WRITES = [
    ("POST", "AuditEvent"),
    ("PUT", "AuditEvent/1-1"),
    ("PATCH", "AuditEvent/1-1"),
    ("DELETE", "AuditEvent/1-1"),
    ("PUT", "AuditEvent?agent=x"),
    ("DELETE", "AuditEvent?agent=x"),
]


async def test_nobody_writes_the_audit(fhir: httpx.AsyncClient) -> None:
    for method, path in WRITES:
        answer = await fhir.request(method, path, json={"resourceType": "AuditEvent"})
        assert answer.status_code == 405
        assert "never changed" in issue_of(answer)["diagnostics"]
        bundle = {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [{"resource": {"resourceType": "AuditEvent"}, "request": {"method": method, "url": path}}],
        }
        assert (await fhir.post("", json=bundle)).status_code == 405


async def test_the_audit_has_no_history(auditor: httpx.AsyncClient) -> None:
    for path in ("AuditEvent/_history", "AuditEvent/1-1/_history", "AuditEvent/1-1/_history/1"):
        assert (await auditor.get(path)).status_code == 404


async def test_an_event_that_is_not_there_is_missing(auditor: httpx.AsyncClient) -> None:
    for id_ in ("1-1", "x", "1", "1-", "-1", "99999999999999999999-1"):
        assert (await auditor.get(f"AuditEvent/{id_}")).status_code == 404


async def test_another_hospitals_audit_is_not_there(
    auditor: httpx.AsyncClient, connect: Connect, fhir: httpx.AsyncClient, other_hospital: str
) -> None:
    await fhir.put("Patient/p1", json=patient(id="p1"))
    (event,) = await _events(auditor, agent="client")
    theirs = await connect("", Role.AUDITOR, hospital=other_hospital)
    assert (await theirs.get(f"AuditEvent/{event['id']}")).status_code == 404
    assert await _events(theirs) == []


NONSENSE = [
    "date=yesterday",
    "date=2026-01-01,2026-01-02",
    "_count=x",
    "_sort=agent",
    "_cursor=x",
    "agent=",
    "patient:missing=true",
]


async def test_a_search_that_means_nothing_is_refused(auditor: httpx.AsyncClient) -> None:
    for query in NONSENSE:
        answer = await auditor.get(f"AuditEvent?{query}")
        assert (answer.status_code, issue_of(answer)["code"]) == (400, "invalid"), query


async def test_an_unknown_parameter_is_ignored_and_told_or_refused(auditor: httpx.AsyncClient) -> None:
    told = (await auditor.get("AuditEvent?colour=red")).json()
    assert told["entry"][-1]["search"]["mode"] == "outcome"
    strict = await auditor.get("AuditEvent?colour=red", headers={"Prefer": "handling=strict"})
    assert strict.status_code == 400


async def test_signing_in_and_out_are_events(
    auditor: httpx.AsyncClient, sign_in: SignIn, client: httpx.AsyncClient, desk: Desk
) -> None:
    csrf = await sign_in(Role.PHYSICIAN)
    await client.post("/signout", data={"csrf": csrf})
    await client.post("/signin", data={"hospital": desk.hospital, "account": "physician", "password": "wrong"})
    events = await _events(auditor, type="110114")
    assert [(_subtype(event), event["outcome"]) for event in events] == [
        ("110122", "4"),
        ("110123", "0"),
        ("110122", "0"),
    ]


async def test_reaching_for_another_hospital_is_noted_where_the_token_belongs(
    connect: Connect, auditor: httpx.AsyncClient, other_hospital: str
) -> None:
    await (await connect(at=other_hospital)).get("Patient/p1")
    (event,) = await _events(auditor, outcome="4")
    assert _subtype(event) == "other-hospital"


async def test_break_glass_and_export_show_purpose_reason_and_for_whom(desk: Desk, auditor: httpx.AsyncClient) -> None:
    async with desk.state.database.transaction(desk.hospital) as tx:
        for action in (AuditAction.BREAK_GLASS, AuditAction.EXPORT):
            await audit.record(
                tx,
                action=action,
                actor="nurse@here",
                at=desk.state.now(),
                purpose="BTG",
                reason="응급실 도착",
                on_behalf_of="head@here",
            )
    for event in await _events(auditor, agent="nurse@here"):
        assert event["purposeOfEvent"] == [
            {
                "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "BTG"}],
                "text": "응급실 도착",
            }
        ]
        assert event["agent"][-1]["who"]["identifier"]["value"] == "head@here"
        assert [each for each in check(event) if each.severity in {"error", "fatal"}] == []
    assert {event["type"]["code"] for event in await _events(auditor, agent="nurse@here")} == {"110113", "110106"}


async def test_the_database_and_python_agree_on_the_sort_of_an_access(desk: Desk) -> None:
    details = ["fhir/read", "fhir/search-audit", "audit-report", "worklist", "fhir/batch"]
    async with desk.state.database.transaction(desk.hospital) as tx:
        for action in AuditAction:
            for detail in details:
                await audit.record(tx, action=action, actor="one", detail=detail, at=desk.state.now())
        wanted = [audit_search.Wanted("actor", ["one"])]
        for kind in Kind:
            search = Search(wanted=wanted, kinds=[[kind]], count=100)
            found, _ = await audit_search.find(tx, search, desk.state.now())
            everything, _ = await audit_search.find(tx, Search(wanted=wanted, count=100), desk.state.now())
            assert found == [line for line in everything if kind_of(line) is kind]
            assert {audit_event(line, Said(), desk.hospital)["type"]["code"] for line in found} == {kind.value}
    assert len(everything) == len(AuditAction) * len(details)
