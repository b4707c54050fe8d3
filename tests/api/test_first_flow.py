"""The first flow through the JSON interface, from the request until the patient lies in a bed."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from temporalio.client import Client

from domain.admission import AdmissionPhase
from domain.ids import Reference
from domain.roles import Role
from runtime.worker import build_worker
from store import audit
from tests.api.conftest import Bearer
from tests.desk import Desk, a_key
from tests.waiting import until

PATIENT = {"register": {"name": "홍시험", "birth_date": "1961-04-05", "gender": "female", "phone": "010-0000-0000"}}


def request_body(desk: Desk, **changed: Any) -> dict[str, Any]:
    return {"patient": PATIENT, "ward": desk.ward, "priority": "urgent"} | changed


async def test_a_request_becomes_an_admission_and_its_journal_tells_it_in_both_languages(
    client: httpx.AsyncClient, bearer: Bearer, desk: Desk, temporal_client: Client, task_queue: str
) -> None:
    clerk, manager = await bearer(Role.ADMISSION_CLERK), await bearer(Role.BED_MANAGER)
    async with build_worker(temporal_client, desk.state.database, task_queue=task_queue):
        asked = await client.post(
            "/commands/admissions", json=request_body(desk), headers=clerk | {"Idempotency-Key": a_key()}
        )
        assert asked.status_code == 201, asked.text
        encounter = asked.json()["encounter"]

        async def listed() -> dict[str, Any] | None:
            tasks = (await client.get("/commands/worklist", headers=manager)).json()["tasks"]
            return next((task for task in tasks if task["encounter"] == encounter), None)

        task = await until(listed)
        path = f"/commands/worklist/{Reference(task['task']).id}"
        claimed = await client.post(
            f"{path}/claim", json={"revision": task["revision"]}, headers=manager | {"Idempotency-Key": a_key()}
        )
        assert (claimed.status_code, claimed.json()["owner"]) == (200, f"bed-manager@{desk.hospital}")
        done = await client.post(
            f"{path}/complete",
            json={"revision": claimed.json()["revision"], "bed": desk.beds[0]},
            headers=manager | {"Idempotency-Key": a_key()},
        )
        assert (done.status_code, done.json()["bed"]) == (200, desk.beds[0])

        async def admitted() -> bool:
            return await desk.phase(encounter) is AdmissionPhase.ADMITTED

        await until(admitted)

    assert await desk.status(encounter) == "in-progress"
    journal = (await client.get(f"/commands/stays/{Reference(encounter).id}/journal", headers=manager)).json()
    keys = [line["key"] for line in journal["lines"]]
    assert keys == [
        "patient-registered",
        "admission-requested",
        "due-time-decided",
        "bed-task-opened",
        "task-claimed",
        "bed-assigned",
        "admitted",
    ]
    assert journal["lines"][-1]["text"] == {
        "ko": "환자가 7-01 병상에 입원했습니다.",
        "en": "The patient was admitted to bed 7-01.",
    }
    async with desk.state.database.transaction(desk.hospital) as tx:
        seen = {(line.actor.partition("@")[0], line.detail) for line in await audit.read(tx)}
    assert {
        ("admission-clerk", "request-admission"),
        ("bed-manager", "worklist"),
        ("bed-manager", "claim-task"),
        ("bed-manager", "complete-task"),
        ("bed-manager", "journal"),
    } <= seen


async def test_a_request_may_be_withdrawn_before_the_patient_is_admitted(
    client: httpx.AsyncClient, bearer: Bearer, desk: Desk, temporal_client: Client, task_queue: str
) -> None:
    physician = await bearer(Role.PHYSICIAN)
    async with build_worker(temporal_client, desk.state.database, task_queue=task_queue):
        asked = await client.post(
            "/commands/admissions", json=request_body(desk), headers=physician | {"Idempotency-Key": a_key()}
        )
        encounter = Reference(asked.json()["encounter"])
        cancelled = await client.post(
            f"/commands/admissions/{encounter.id}/cancel",
            json={"reason": "patient-declined"},
            headers=physician | {"Idempotency-Key": a_key()},
        )
    assert (cancelled.status_code, cancelled.json()["reason"]) == (200, "patient-declined")
    assert await desk.status(encounter) == "cancelled"


async def test_without_a_worker_the_command_is_kept_and_its_status_is_told(
    client: httpx.AsyncClient, bearer: Bearer, desk: Desk
) -> None:
    physician = await bearer(Role.PHYSICIAN)
    key = a_key()
    asked = await client.post(
        "/commands/admissions", json=request_body(desk), headers=physician | {"Idempotency-Key": a_key()}
    )
    encounter = Reference(asked.json()["encounter"])
    kept = await client.post(
        f"/commands/admissions/{encounter.id}/cancel",
        json={"reason": "no-longer-needed"},
        headers=physician | {"Idempotency-Key": key},
    )
    assert kept.status_code == 202
    status = await client.get(kept.headers["Location"], headers=physician | {"Accept-Language": "en"})
    assert status.json()["state"] in {"received", "sent"}
    assert status.json()["text"] == "Kept, goes on by itself"


async def test_a_status_is_told_to_whoever_gave_the_command_only(
    client: httpx.AsyncClient, bearer: Bearer, desk: Desk
) -> None:
    key = a_key()
    await client.post(
        "/commands/admissions",
        json=request_body(desk),
        headers=await bearer(Role.PHYSICIAN) | {"Idempotency-Key": key},
    )
    assert (await client.get(f"/commands/{key}", headers=await bearer(Role.PHYSICIAN))).status_code == 200
    assert (await client.get(f"/commands/{key}", headers=await bearer(Role.NURSE))).status_code == 404


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"ward": "Location/elsewhere"}, "/ward"),
        ({"ward": "nonsense"}, "/ward"),
        ({"priority": "soon"}, "/priority"),
        ({"colour": "red"}, "/colour"),
        ({"patient": {"reference": "Patient/unknown"}}, "/patient/reference"),
        ({"patient": {}}, "/patient"),
        ({"patient": {"register": PATIENT["register"] | {"birth_date": "2999-01-01"}}}, "/patient/register/birth_date"),
        ({"patient": {"register": PATIENT["register"] | {"birth_date": "yesterday"}}}, "/patient/register/birth_date"),
        ({"patient": {"register": PATIENT["register"] | {"name": "  "}}}, "/patient/register/name"),
    ],
)
async def test_a_wrong_field_is_named_and_its_value_is_not_repeated(
    client: httpx.AsyncClient, bearer: Bearer, desk: Desk, changed: dict[str, Any], field: str
) -> None:
    answer = await client.post(
        "/commands/admissions",
        json=request_body(desk, **changed),
        headers=await bearer(Role.PHYSICIAN) | {"Idempotency-Key": a_key()},
    )
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert "홍시험" not in answer.text


async def test_a_bed_is_no_ward(client: httpx.AsyncClient, bearer: Bearer, desk: Desk) -> None:
    answer = await client.post(
        "/commands/admissions",
        json=request_body(desk, ward=desk.beds[0]),
        headers=await bearer(Role.PHYSICIAN) | {"Idempotency-Key": a_key()},
    )
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "/ward")
