"""What a worker answers about itself, and to whom it does not."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from temporalio.client import Client

from domain.errors import Misconfigured
from runtime.ports import free_port
from runtime.temporal import connect
from runtime.worker_health import Health
from store.database import Database
from store.sealing import KeyRing

pytestmark = pytest.mark.sockets


async def answer(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    said = await reader.read()
    writer.close()
    return said


async def test_a_taken_port_is_named_with_its_holder() -> None:
    port = free_port()
    async with Health().served("127.0.0.1", port):
        with pytest.raises(Misconfigured, match=str(port)):
            async with Health().served("127.0.0.1", port):
                pass


async def test_only_questions_are_answered() -> None:
    port = free_port()
    async with Health().served("127.0.0.1", port):
        assert b"405" in (await answer(port, b"POST /readyz HTTP/1.1\r\n\r\n")).splitlines()[0]
        assert b"404" in (await answer(port, b"GET / HTTP/1.1\r\n\r\n")).splitlines()[0]
        assert (await answer(port, b"HEAD /livez HTTP/1.1\r\n\r\n")).endswith(b"\r\n\r\n")
        assert await answer(port, b"x" * 100_000) == b""
        assert b"200" in (await answer(port, b"GET /livez?now HTTP/1.1\r\n\r\n")).splitlines()[0]


async def test_a_ready_worker_has_both_its_parts(database: Database, temporal_client: Client) -> None:
    health = Health()
    assert await health.not_ready() == "database"
    health.watch(database, temporal_client, None)
    health.waiting_for = "build"
    assert await health.not_ready() == "build"
    health.waiting_for = ""
    assert await health.not_ready() == ""


async def test_a_worker_whose_engine_went_away_is_not_ready(database: Database, keys: KeyRing) -> None:
    nowhere = await connect(f"127.0.0.1:{free_port()}", "phis", keys, lazy=True, within=timedelta(milliseconds=200))
    health = Health()
    health.watch(database, nowhere, None)
    health.waiting_for = ""
    assert await health.not_ready() == "engine"
