"""Who may do what over FHIR, and what is written down about it."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI

from domain.roles import Role
from store import audit
from tests.api.conftest import SignIn
from tests.api.fhir.conftest import Connect, issue_of, observation, patient
from tests.desk import Desk


async def lines(desk: Desk) -> list[audit.AuditLine]:
    async with desk.state.database.transaction(desk.hospital) as tx:
        return await audit.read(tx)


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer x", "Bearer nobody." + "a" * 43, "Basic YTpi"])
@pytest.mark.parametrize("path", ["Patient/1", "Patient", ""])
async def test_without_a_known_token_nobody_learns_anything(
    fhir: httpx.AsyncClient, authorization: str, path: str
) -> None:
    answer = await fhir.get(path, headers={"Authorization": authorization})
    assert (answer.status_code, issue_of(answer)["code"]) == (401, "login")
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_token_opens_no_other_hospital_and_none_that_does_not_exist(
    connect: Connect, other_hospital: str
) -> None:
    answers = [await (await connect(at=code)).get("Patient/1") for code in (other_hospital, "nowhere")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize(
    ("scope", "roles", "allowed"),
    [
        ("system/*.cruds", (), "create read search update patch delete history"),
        ("system/*.rs", (), "read search history"),
        ("system/Patient.cruds", (), "create read search update patch delete history"),
        ("system/Patient.c", (), "create"),
        ("system/Patient.u", (), "update patch"),
        ("system/Patient.d", (), "delete"),
        ("system/Patient.r", (), "read"),
        ("system/Patient.s", (), "search history"),
        ("system/Observation.cruds", (), ""),
        ("user/Patient.read", (Role.NURSE,), "read search history"),
        ("patient/*.cruds", (), ""),
        ("", (Role.NURSE,), "read search update patch history"),
        ("", (Role.MEDICAL_RECORDS,), "create read search update patch delete history"),
        ("", (Role.AUDITOR,), "read search history"),
        ("", (Role.HOUSEKEEPING,), ""),
        ("system/*.cruds", (Role.HOUSEKEEPING,), ""),
        ("", (), ""),
    ],
)
async def test_scopes_and_roles_decide_each_interaction(
    connect: Connect, fhir: httpx.AsyncClient, scope: str, roles: tuple[Role, ...], allowed: str
) -> None:
    await fhir.put("Patient/p1", json=patient(id="p1"))
    client = await connect(scope, *roles)
    answers = {
        "create": await client.post("Patient", json=patient()),
        "read": await client.get("Patient/p1"),
        "search": await client.get("Patient"),
        "update": await client.put("Patient/p1", json=patient(id="p1")),
        "patch": await client.patch("Patient/p1", json=[{"op": "add", "path": "/active", "value": True}]),
        "history": await client.get("Patient/_history"),
        "delete": await client.delete("Patient/p1"),
    }
    assert {name for name, answer in answers.items() if answer.is_success} == set(allowed.split())
    refused = [answer for name, answer in answers.items() if name not in allowed]
    assert {answer.status_code for answer in refused} <= {403}


async def test_every_access_leaves_one_line_with_its_patients(fhir: httpx.AsyncClient, desk: Desk) -> None:
    await fhir.put("Patient/p1", json=patient(id="p1"))
    for number in (1, 2):
        await fhir.put(f"Observation/o{number}", json=observation(f"Patient/p{number}", id=f"o{number}"))
    await fhir.get("Observation/o1")
    await fhir.get("Observation")
    await fhir.delete("Observation/o1")
    await fhir.get("Observation/nothing")
    noted = [
        (line.action.value, line.detail, line.entities, line.patients)
        for line in reversed(await lines(desk))
        if line.actor == "client"
    ]
    assert noted == [
        ("create", "fhir/update", ("Patient/p1",), ("Patient/p1",)),
        ("create", "fhir/update", ("Observation/o1",), ("Patient/p1",)),
        ("create", "fhir/update", ("Observation/o2",), ("Patient/p2",)),
        ("read", "fhir/read", ("Observation/o1",), ("Patient/p1",)),
        ("query", "fhir/search-type", (), ("Patient/p1", "Patient/p2")),
        ("delete", "fhir/delete", ("Observation/o1",), ()),
    ]


async def test_a_refused_write_leaves_no_record_and_a_denial_is_noted(connect: Connect, desk: Desk) -> None:
    client = await connect("system/Patient.r")
    assert (await client.post("Patient", json=patient())).status_code == 403
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"resource": patient(), "request": {"method": "POST", "url": "Patient"}}],
    }
    refused = await client.post("", json=bundle)
    assert (refused.status_code, issue_of(refused)["expression"]) == (403, ["Bundle.entry[0]"])
    denials = [line for line in await lines(desk) if line.outcome == "denied"]
    assert [line.detail for line in denials] == ["Patient.c", "Patient.c"]


async def test_a_browsers_session_reads_and_needs_the_forms_token_to_write(
    client: httpx.AsyncClient, sign_in: SignIn, desk: Desk, app: FastAPI
) -> None:
    csrf = await sign_in(Role.PHYSICIAN)
    base = f"/fhir/{desk.hospital}/Patient"
    assert (await client.get(base)).status_code == 200
    assert (await client.post(base, json=patient())).status_code == 403
    made = await client.post(base, json=patient(), headers={"X-CSRF-Token": csrf})
    assert made.status_code == 201, made.text
    elsewhere = {"X-CSRF-Token": csrf, "Origin": "https://elsewhere.example"}
    assert (await client.post(base, json=patient(), headers=elsewhere)).status_code == 403
