"""Tasks through the JSON interface: taken, begun, handed on, remarked, put off, many at once; each told and written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from adapters.fhir import tasks
from domain.ids import Reference
from domain.roles import Role
from domain.worklist import Priority, TaskKind, TaskSpec
from store import accounts, audit, journal, records, worklist
from tests.api.conftest import Bearer
from tests.desk import Desk, a_key

Json = dict[str, Any]


@dataclass
class Staff:
    """People of one hospital, and the tasks that lie before them."""

    client: httpx.AsyncClient
    bearer: Bearer
    desk: Desk
    now: datetime

    async def open(self, id_: str = "t1", **more: Any) -> str:
        spec = TaskSpec(
            ref=Reference.to("Task", id_),
            kind=TaskKind.ASSIGN_BED,
            focus=Reference("ServiceRequest/r1"),
            patient=Reference("Patient/p1"),
            ward=self.desk.ward,
            candidates=(Role.BED_MANAGER,),
            priority=Priority.ROUTINE,
            due_at=self.now + timedelta(minutes=30),
        ).model_copy(update=more)
        async with self.desk.state.database.transaction(self.desk.hospital) as tx:
            workflow_id = f"{self.desk.hospital}/admission/Encounter/e1"
            await worklist.open_task(tx, spec, workflow_id=workflow_id, now=self.now)
            await records.create(tx, tasks.requested(spec, self.now), id=id_, now=self.now)
        return id_

    async def post(self, path: str, body: Json, role: Role = Role.BED_MANAGER, key: str = "") -> httpx.Response:
        headers = await self.bearer(role) | {"Idempotency-Key": key or a_key(), "Accept-Language": "ko"}
        return await self.client.post(f"/commands/worklist/{path}", json=body, headers=headers)

    async def get(self, path: str, role: Role = Role.BED_MANAGER) -> Json:
        answer = await self.client.get(f"/commands/worklist{path}", headers=await self.bearer(role))
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def record(self, id_: str = "t1") -> Json:
        async with self.desk.state.database.transaction(self.desk.hospital) as tx:
            return dict((await records.read(tx, Reference.to("Task", id_))).body)

    async def story(self) -> list[str]:
        async with self.desk.state.database.transaction(self.desk.hospital) as tx:
            return [line.key.value for line in await journal.read(tx, Reference("Encounter/e1"))]


@pytest.fixture
async def staff(client: httpx.AsyncClient, bearer: Bearer, desk: Desk, now: datetime, password_hash: str) -> Staff:
    """The clerk has an account, to whom others give their tasks."""
    async with desk.state.database.transaction(desk.hospital) as tx:
        await accounts.create_account(
            tx,
            name=f"admission-clerk@{desk.hospital}",
            display_ko="오원무",
            display_en="Oh Wonmu",
            roles=[Role.ADMISSION_CLERK],
            password_hash=password_hash,
        )
    return Staff(client, bearer, desk, now)


async def test_a_task_is_taken_begun_and_given_back_and_its_record_says_so(staff: Staff) -> None:
    await staff.open()
    taken = await staff.post("t1/claim", {"revision": 1})
    assert (taken.status_code, taken.json()["status"]) == (200, "received"), taken.text
    assert (await staff.record())["owner"]["identifier"]["value"] == f"bed-manager@{staff.desk.hospital}"
    begun = await staff.post("t1/start", {"revision": 2})
    assert (begun.json()["status"], (await staff.record())["status"]) == ("in-progress", "in-progress")
    assert (await staff.record())["executionPeriod"]["start"]
    again = await staff.post("t1/start", {"revision": 3})
    assert again.json()["revision"] == 3, "what is begun is not begun again"
    free = await staff.post("t1/release", {"revision": 3})
    assert (free.json()["owner"], "owner" in await staff.record()) == (None, False)
    assert await staff.story() == ["task-claimed", "task-started", "task-released"]


async def test_a_free_task_is_begun_at_once(staff: Staff) -> None:
    await staff.open()
    assert (await staff.post("t1/start", {"revision": 1})).json()["status"] == "in-progress"


async def test_a_task_is_delegated_and_returned(staff: Staff) -> None:
    await staff.open(candidates=(Role.BED_MANAGER, Role.ADMISSION_CLERK))
    await staff.post("t1/claim", {"revision": 1})
    to = f"admission-clerk@{staff.desk.hospital}"
    refused = await staff.post("t1/delegate", {"revision": 2, "to": f"nobody@{staff.desk.hospital}"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "/to")
    given = await staff.post("t1/delegate", {"revision": 2, "to": to})
    assert (given.status_code, given.json()["owner"]) == (200, to), given.text
    assert (await staff.post("t1/release", {"revision": 3})).json()["code"] == "not-owner"
    back = await staff.post("t1/return", {"revision": 3}, Role.ADMISSION_CLERK)
    assert back.json()["owner"] == f"bed-manager@{staff.desk.hospital}"
    assert await staff.story() == ["task-claimed", "task-delegated", "task-returned"]


async def test_a_task_is_reassigned_with_a_reason_by_who_is_responsible_only(staff: Staff) -> None:
    await staff.open(candidates=(Role.BED_MANAGER, Role.ADMISSION_CLERK))
    await staff.post("t1/claim", {"revision": 1})
    wish = {"revision": 2, "to": f"admission-clerk@{staff.desk.hospital}", "reason": "absent", "words": "went home"}
    assert (await staff.post("t1/reassign", wish, Role.ADMISSION_CLERK)).status_code == 403
    assert (await staff.post("t1/reassign", wish | {"reason": "because"}, Role.ADMINISTRATOR)).status_code == 422
    moved = await staff.post("t1/reassign", wish, Role.ADMINISTRATOR)
    assert (moved.status_code, moved.json()["owner"]) == (200, wish["to"]), moved.text
    (note,) = (await staff.record())["note"]
    assert (note["text"], note["authorReference"]["identifier"]["value"].split("@")[0]) == (
        "went home",
        "administrator",
    )
    freed = {"revision": 3, "reason": "shift-end"}
    assert (await staff.post("t1/reassign", freed, Role.ADMINISTRATOR)).json()["owner"] is None


async def test_a_task_is_forwarded_to_another_role(staff: Staff) -> None:
    await staff.open()
    unknown = {"revision": 1, "roles": ["admission-clerk"], "place": "Location/none"}
    assert (await staff.post("t1/forward", unknown)).json()["errors"][0]["field"] == "/place"
    sent = await staff.post("t1/forward", {"revision": 1, "roles": ["admission-clerk"]})
    assert sent.status_code == 200, sent.text
    assert [each["coding"][0]["code"] for each in (await staff.record())["performerType"]] == ["admission-clerk"]
    assert (await staff.get(""))["tasks"] == []
    assert [each["task"] for each in (await staff.get("", Role.ADMISSION_CLERK))["tasks"]] == ["Task/t1"]


async def test_comments_and_records_are_added_by_those_who_see_the_task(staff: Staff) -> None:
    await staff.open()
    assert (await staff.post("t1/comment", {"text": "x"}, Role.CASHIER)).status_code == 403
    said = await staff.post("t1/comment", {"text": "창가 자리를 원하십니다"})
    assert (said.status_code, said.json()["comments"]) == (200, 1), said.text
    assert (await staff.record())["note"][0]["text"] == "창가 자리를 원하십니다"
    async with staff.desk.state.database.transaction(staff.desk.hospital) as tx:
        for id_, who in (("d1", "p1"), ("d2", "p2")):
            kept = {
                "resourceType": "DocumentReference",
                "status": "current",
                "content": [{"attachment": {"title": "x"}}],
            }
            await records.create(tx, kept | {"subject": {"reference": f"Patient/{who}"}}, id=id_, now=staff.now)
    for _ in range(2):
        added = await staff.post("t1/attach", {"reference": "DocumentReference/d1"})
        assert added.status_code == 200, added.text
    (one,) = (await staff.record())["input"]
    assert one["valueReference"]["reference"] == "DocumentReference/d1"
    for other in ("DocumentReference/d2", "DocumentReference/none"):
        assert (await staff.post("t1/attach", {"reference": other})).status_code == 422


async def test_a_task_is_put_off_on_ones_own_list(staff: Staff) -> None:
    await staff.open()
    past = {"until": (staff.now - timedelta(minutes=1)).isoformat()}
    assert (await staff.post("t1/snooze", past)).json()["errors"][0]["field"] == "/until"
    await staff.post("t1/snooze", {"until": (staff.now + timedelta(hours=1)).isoformat()})
    listed = await staff.get("")
    assert (listed["tasks"], listed["counts"]["snoozed"]) == ([], 1)
    assert len((await staff.get("?snoozed=true"))["tasks"]) == 1
    await staff.post("t1/snooze", {"until": None})
    assert len((await staff.get(""))["tasks"]) == 1


async def test_the_next_task_is_the_most_urgent_of_those_looked_for(staff: Staff) -> None:
    await staff.open("t1")
    await staff.open("t2", priority=Priority.STAT)
    assert (await staff.post("next", {"filter": {"priorities": ["asap"]}})).json() == {"task": None}
    assert (await staff.post("next", {"filter": {"colour": "red"}})).status_code == 422
    assert (await staff.post("next", {}, key="first")).json()["task"] == "Task/t2"
    assert (await staff.post("next", {}, key="first")).json()["task"] == "Task/t2", "one command, one task"
    assert (await staff.post("next", {})).json()["task"] == "Task/t1"
    assert (await staff.post("next", {})).json() == {"task": None}


async def test_many_at_once_have_an_answer_each_and_the_same_one_again(staff: Staff) -> None:
    await staff.open("t1")
    await staff.open("t2", candidates=(Role.CASHIER,))
    items = [{"task": f"Task/{id_}", "revision": 1} for id_ in ("t1", "t2", "none")]
    body = {"action": "claim", "items": items}
    done = await staff.post("bulk", body, key="many")
    assert done.status_code == 200, done.text
    assert (done.json()["done"], done.json()["refused"]) == (1, 2)
    assert [each["status"] for each in done.json()["items"]] == [200, 403, 404]
    assert done.json()["items"][0]["answer"]["owner"] == f"bed-manager@{staff.desk.hospital}"
    assert done.json()["items"][1]["problem"]["code"] == "forbidden"
    assert (await staff.post("bulk", body, key="many")).json() == done.json()
    async with staff.desk.state.database.transaction(staff.desk.hospital) as tx:
        denied = [each for each in await audit.read(tx) if each.outcome == "denied"]
    assert {entity for each in denied for entity in each.entities} == {"Task/t2"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "claim", "items": []},
        {"action": "complete", "items": [{"task": "Task/t1", "revision": 1}]},
        {"action": "delegate", "items": [{"task": "Task/t1", "revision": 1}]},
        {"action": "claim", "items": [{"task": "Task/t1", "revision": 1}] * 2},
        {"action": "claim", "items": [{"task": f"Task/t{n}", "revision": 1} for n in range(101)]},
    ],
)
async def test_a_bulk_that_is_none_is_refused_whole(staff: Staff, wrong: Json) -> None:
    await staff.open()
    assert (await staff.post("bulk", wrong)).status_code == 422
    assert (await staff.get(""))["tasks"][0]["owner"] is None


@pytest.mark.parametrize(
    ("asked", "found"),
    [("", 2), ("?priority=stat", 1), ("?kind=assign-bed&owned=nobody", 2), ("?owned=me", 0), ("?late=true", 0)],
)
async def test_a_list_is_narrowed_by_its_address(staff: Staff, asked: str, found: int) -> None:
    await staff.open("t1")
    await staff.open("t2", priority=Priority.STAT)
    assert len((await staff.get(asked))["tasks"]) == found


async def test_filters_are_kept_under_a_name(staff: Staff) -> None:
    headers = await staff.bearer(Role.BED_MANAGER)
    path = "/commands/worklist/filters"

    async def put(body: Json) -> httpx.Response:
        return await staff.client.put(f"{path}/night", json=body, headers=headers | {"Idempotency-Key": a_key()})

    assert (await put({"filter": {"owned": "everybody"}})).status_code == 422
    assert (await put({"filter": {"owned": "me", "late": True}})).status_code == 200
    assert await staff.get("/filters") == {"filters": [{"name": "night", "filter": {"owned": "me", "late": True}}]}
    for status in (200, 404):
        gone = await staff.client.delete(f"{path}/night", headers=headers | {"Idempotency-Key": a_key()})
        assert gone.status_code == status
