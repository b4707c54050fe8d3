"""A refusal that came after its author had left, as the author sees it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import httpx
from temporalio.client import Client

from domain.ids import Reference
from domain.roles import Role
from domain.worklist import TaskKind
from runtime.worker import build_worker
from store import beds
from tests.api.conftest import SignIn
from tests.api.test_screens import task_asked
from tests.desk import Desk, a_key


async def test_it_stands_on_the_list_says_why_and_goes_when_it_was_seen(
    client: httpx.AsyncClient, sign_in: SignIn, desk: Desk, temporal_client: Client, task_queue: str
) -> None:
    task = await task_asked(desk, temporal_client, task_queue)
    revision = (await desk.claim(a_key(), task)).answer["revision"]
    kept = await desk.complete(a_key(), task, desk.beds[0], revision=revision)
    assert kept.status == HTTPStatus.ACCEPTED
    async with desk.state.database.transaction(desk.hospital) as tx:
        await beds.occupy(tx, desk.beds[0], Reference("Encounter/another"), datetime.now(UTC))
    async with build_worker(temporal_client, desk.state.database, task_queue=task_queue):
        await desk.state.dispatcher.resend_once(older_than=timedelta())
    told = next(found for found in await desk.tasks() if found.kind is TaskKind.COMMAND_REFUSED)

    csrf = await sign_in(Role.BED_MANAGER)
    assert "나중에 거절된 요청" in (await client.get("/worklist")).text
    page = (await client.get(f"/worklist/{told.id}")).text
    assert "방금 다른 환자에게 배정된 병상입니다" in page
    assert "병상 선택" not in page
    form = {"csrf": csrf, "revision": str(told.revision), "key": a_key()}
    seen = await client.post(f"/worklist/{told.id}/complete", data=form)
    assert (seen.status_code, seen.headers["Location"]) == (HTTPStatus.SEE_OTHER, "/worklist")
    assert "나중에 거절된 요청" not in (await client.get("/worklist")).text
