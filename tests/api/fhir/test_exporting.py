"""Exports as jobs: whose they are, when they end, and that nothing is lost with a server."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from api.fhir import export as kick_off
from api.fhir import export_gathering
from api.fhir.exporting import Exporter
from domain.roles import Role
from store import audit, export_files, exports
from store.fhir import walking
from tests.api.conftest import SignIn
from tests.api.fhir.conftest import Connect, issue_of, patient
from tests.api.fhir.exports import ASYNC, Run, begun, exported, keep, lines, manifest, refs
from tests.desk import Desk


@pytest.mark.usefixtures("ward")
async def test_the_scopes_hold_on_every_resource_and_file(connect: Connect, run: Run, now: datetime) -> None:
    narrow = await connect("system/Patient.rs system/Group.rs", label="narrow")
    assert await exported(narrow, run) == ["Group/g1", "Patient/p1", "Patient/p2", "Patient/p3"]
    assert await exported(narrow, run, "Group/g1/$export") == ["Group/g1", "Patient/p1", "Patient/p2"]
    assert (await narrow.get("$export?_type=Observation", headers=ASYNC)).status_code == 403
    assert (await (await connect("system/Patient.r")).get("$export", headers=ASYNC)).status_code == 403
    assert (await (await connect("system/Patient.rs")).get("Group/g1/$export", headers=ASYNC)).status_code == 403
    where = await begun(narrow, "$export?_type=Patient")
    await run()
    (file,) = (await manifest(narrow, where))["output"]
    narrower = await connect("system/Group.rs", label="narrow")
    assert (await narrower.get(file["url"])).status_code == 403


async def test_a_person_needs_the_role_and_a_reason(connect: Connect, run: Run, desk: Desk) -> None:
    physician = await connect("", Role.PHYSICIAN, label="physician@hanbit")
    assert (await physician.get("$export", headers=ASYNC)).status_code == 403
    person = await connect("", Role.MEDICAL_RECORDS, label="records@hanbit")
    refused = await person.get("$export", headers=ASYNC)
    assert (refused.status_code, issue_of(refused)["code"]) == (400, "required")
    why = {"Phis-Reason": quote("연구 심의 2026-11")}
    where = await begun(person, "$export?_type=Location", **why)
    await run()
    (file,) = (await manifest(person, where))["output"]
    assert (await person.get(file["url"])).status_code == 400
    assert (await person.get(file["url"], headers=why)).status_code == 200


async def test_somebody_at_a_browser_gives_a_fresh_proof_first(
    client: httpx.AsyncClient, sign_in: SignIn, desk: Desk
) -> None:
    await sign_in(Role.MEDICAL_RECORDS)
    refused = await client.get(f"/fhir/{desk.hospital}/$export", headers=ASYNC | {"Phis-Reason": "audit"})
    assert (refused.status_code, issue_of(refused)["code"]) == (401, "login")


@pytest.mark.usefixtures("ward")
async def test_a_person_takes_out_no_sensitive_record_without_a_purpose(
    connect: Connect, fhir: httpx.AsyncClient, run: Run
) -> None:
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "PSY"}
    await keep(fhir, patient(id="p2", meta={"security": [label]}))
    person = await connect("", Role.MEDICAL_RECORDS, label="records@hanbit")
    found = await exported(person, run, "$export?_type=Patient,Observation", **{"Phis-Reason": "audit"})
    assert found == ["Observation/of-p1", "Observation/of-p3", "Patient/p1", "Patient/p3"]
    assert "Patient/p2" in await exported(fhir, run, "$export?_type=Patient")  # a system's scopes say all


@pytest.mark.usefixtures("ward")
async def test_it_belongs_to_whoever_asked(
    connect: Connect, fhir: httpx.AsyncClient, run: Run, other_hospital: str
) -> None:
    where = await begun(fhir)
    await run()
    (url, *_) = [file["url"] for file in (await manifest(fhir, where))["output"]]
    other = await connect(label="other")
    elsewhere = await connect(hospital=other_hospital)
    for address in (where, url):
        assert (await other.get(address)).status_code == 404
        moved = address.replace(str(fhir.base_url).rstrip("/"), str(elsewhere.base_url).rstrip("/"))
        assert (await elsewhere.get(moved)).status_code == 404
    assert (await other.delete(where)).status_code == 404
    assert (await fhir.get(where)).status_code == 200


@pytest.mark.usefixtures("ward")
async def test_who_asked_and_every_download_are_noted_with_the_patients(
    fhir: httpx.AsyncClient, connect: Connect, run: Run, desk: Desk
) -> None:
    where = await begun(fhir, "Group/g1/$export?_type=Observation")
    await run()
    (file,) = (await manifest(fhir, where))["output"]
    await fhir.get(file["url"])
    await (await connect("system/Patient.rs", label="narrow")).get("$export?_type=Observation", headers=ASYNC)
    async with desk.state.database.transaction(desk.hospital) as tx:
        noted = [line for line in await audit.read(tx) if "export" in line.detail or line.outcome == "denied"]
    assert [
        (line.action.value, line.detail, line.outcome, line.entities, line.patients) for line in reversed(noted)
    ] == [
        ("execute", "fhir/export", "allowed", ("Group/g1",), ("Patient/p1", "Patient/p2")),
        ("export", "fhir/export-file", "allowed", (), ("Patient/p1", "Patient/p2")),
        ("query", "Observation.r", "denied", (), ()),
    ]


async def test_three_at_once_and_then_later(fhir: httpx.AsyncClient, connect: Connect, run: Run) -> None:
    for _ in range(kick_off.MOST_AT_ONCE):
        await begun(fhir)
    refused = await fhir.get("$export", headers=ASYNC)
    assert (refused.status_code, issue_of(refused)["code"]) == (429, "throttled")
    assert int(refused.headers["retry-after"]) > 0
    await begun(await connect(label="other"))
    await run()
    await begun(fhir)


@pytest.mark.usefixtures("ward")
async def test_a_cancelled_export_stops_and_is_gone(
    fhir: httpx.AsyncClient, run: Run, exporter: Exporter, desk: Desk
) -> None:
    where = await begun(fhir)
    await exporter.turn(batches=1)
    assert (await fhir.delete(where)).status_code == 202
    for again in (await fhir.get(where), await fhir.delete(where)):
        assert again.status_code == 404
    await run()
    await begun(fhir)
    async with desk.state.database.transaction(desk.hospital) as tx:
        rows = await tx.all("select state, kept from export_job where hospital = %s order by asked_at", [desk.hospital])
        pieces = await tx.all("select 1 from export_piece where hospital = %s", [desk.hospital])
    assert ([(row["state"], row["kept"]) for row in rows], pieces) == ([("cancelled", False), ("running", True)], [])


@pytest.mark.usefixtures("ward")
async def test_files_go_when_their_time_has_run_out(
    fhir: httpx.AsyncClient, connect: Connect, run: Run, desk: Desk, now: datetime
) -> None:
    where = await begun(fhir, "$export?_type=Patient")
    await run()
    (file,) = (await manifest(fhir, where))["output"]
    assert "expires" in (await fhir.get(where)).headers
    later = Exporter(replace(desk.state, now=lambda: now + timedelta(hours=25)))
    while await later.turn():
        pass
    assert [(await fhir.get(url)).status_code for url in (where, file["url"])] == [404, 404]
    async with desk.state.database.transaction(desk.hospital) as tx:
        assert await tx.all("select 1 from export_piece where hospital = %s", [desk.hospital]) == []


@pytest.mark.usefixtures("ward")
async def test_files_are_split_and_a_job_goes_on_elsewhere_where_it_stopped(
    fhir: httpx.AsyncClient, desk: Desk, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    for number in range(20):
        await keep(fhir, patient(id=f"q{number:02}"))
    monkeypatch.setattr(walking.walk, "__kwdefaults__", {**walking.walk.__kwdefaults__, "count": 4})
    monkeypatch.setattr(export_files, "LARGEST_FILE", 10)
    monkeypatch.setattr(export_gathering, "LONGEST_PIECE", 300)
    where = await begun(fhir, "$export?_type=Patient,Practitioner")
    dead = Exporter(desk.state)
    async with desk.state.database.system() as tx:
        leased = await exports.lease(tx, now)
    assert leased is not None
    for _ in range(2):
        await dead._go_on(leased)
    assert not await dead.turn()  # its lease still stands
    assert "8 resources" in (await fhir.get(where)).headers["x-progress"]
    heir = Exporter(replace(desk.state, now=lambda: now + timedelta(minutes=5)))
    while await heir.turn(batches=1):
        pass
    assert not await dead._go_on(leased)  # what was thought dead comes back, and writes nothing
    told = await manifest(fhir, where)
    found = refs(await lines(fhir, told["output"]))
    assert found == [*(f"Patient/p{n}" for n in (1, 2, 3)), *(f"Patient/q{n:02}" for n in range(20)), "Practitioner/d1"]
    assert [file["count"] for file in told["output"] if file["type"] == "Patient"] == [10, 10, 3]


@pytest.mark.usefixtures("ward")
async def test_what_cannot_be_opened_is_told_and_the_rest_is_given(
    fhir: httpx.AsyncClient, run: Run, desk: Desk
) -> None:
    async with desk.state.database.transaction(desk.hospital) as tx:
        await tx.execute("update resource set body = %b where hospital = %s and id = 'p2'", [b"x" * 40, desk.hospital])
    where = await begun(fhir, "$export?_type=Patient")
    await run()
    told = await manifest(fhir, where)
    assert refs(await lines(fhir, told["output"])) == ["Patient/p1", "Patient/p3"]
    (outcome,) = await lines(fhir, told["error"])
    assert outcome["issue"][0]["diagnostics"].startswith("Patient/p2 ")


async def test_an_export_that_fails_again_and_again_is_given_up(
    fhir: httpx.AsyncClient, run: Run, desk: Desk, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    where = await begun(fhir)

    async def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(walking, "walk", broken)
    await run()
    assert (await fhir.get(where)).status_code == 202  # not at once: what is broken may be mended
    for minute in range(5):
        await Exporter(replace(desk.state, now=lambda at=now + timedelta(minutes=minute): at)).turn()  # type: ignore[misc]
    failed = await fhir.get(where)
    assert (failed.status_code, issue_of(failed)["severity"]) == (500, "fatal")


@pytest.mark.usefixtures("ward")
async def test_nothing_readable_lies_in_the_database(fhir: httpx.AsyncClient, run: Run, desk: Desk) -> None:
    await begun(fhir, "$export?_type=Patient&_typeFilter=Patient%3Fname%3D%EC%8B%9C%ED%97%98")
    await run()
    async with desk.state.database.transaction(desk.hospital) as tx:
        jobs = await tx.all("select * from export_job where hospital = %s", [desk.hospital])
        pieces = await tx.all("select * from export_piece where hospital = %s", [desk.hospital])
    held = repr([jobs, pieces])
    assert pieces
    assert "시험" not in held
    assert "시험".encode() not in b"".join(bytes(row["body"]) for row in pieces)
    assert b"Filter" not in b"".join(bytes(row["asked"]) for row in jobs)
