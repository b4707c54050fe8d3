"""Does it live, is it ready."""

from __future__ import annotations

from dataclasses import replace

import httpx
from temporalio.client import Client

from api.app import create_app
from runtime.worker import build_worker
from tests.desk import Desk
from tests.waiting import until


async def test_it_is_ready_once_a_worker_polls(
    client: httpx.AsyncClient, desk: Desk, temporal_client: Client, task_queue: str
) -> None:
    before = await client.get("/readyz")
    assert before.status_code == 503
    assert before.json()["parts"] == {"database": "ok", "engine": "ok", "worker": "no worker polls"}

    async def status() -> int:
        return (await client.get("/readyz")).status_code

    async with build_worker(temporal_client, desk.state.database, task_queue=task_queue):
        assert await until(status, 200) == 200


async def test_it_lives_and_says_what_is_missing_without_an_engine(desk: Desk) -> None:
    app = create_app(replace(desk.state, temporal=None))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as client:
        assert (await client.get("/livez")).status_code == 200
        ready = await client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["parts"] == {"database": "ok", "engine": "not connected", "worker": "not known"}


async def test_measures_name_routes_and_never_addresses(client: httpx.AsyncClient) -> None:
    await client.get("/commands/stays/very-secret-id/journal")
    measured = (await client.get("/metrics")).text
    assert 'route="/commands/stays/{encounter_id}/journal"' in measured
    assert "very-secret-id" not in measured


async def test_the_commands_are_described_without_the_screens(client: httpx.AsyncClient) -> None:
    described = (await client.get("/openapi.json")).json()
    assert "/commands/admissions" in described["paths"]
    assert "/signin" not in described["paths"]
