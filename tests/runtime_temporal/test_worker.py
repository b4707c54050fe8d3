"""`phis worker` as a process of its own: ready, working, measured, drained."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
from psycopg.conninfo import conninfo_to_dict

from runtime.ports import free_port
from runtime.temporal import PROCESS_QUEUE, connect
from store.database import Database
from store.sealing import KeyRing
from tests.conftest import House, Urls
from tests.waiting import until
from tests.workflows.desk import Desk

pytestmark = pytest.mark.sockets


class Running:
    """A worker process and what it says."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process = process
        self._url = f"http://127.0.0.1:{port}"

    async def get(self, path: str) -> tuple[int, str] | None:
        async with httpx.AsyncClient() as client:
            try:
                answer = await client.get(f"{self._url}{path}")
            except httpx.TransportError:
                return None
        return answer.status_code, answer.text

    async def stopped(self) -> tuple[int | None, str]:
        """Its exit code after SIGTERM, and its log."""
        self.process.send_signal(signal.SIGTERM)
        _, log = await asyncio.wait_for(self.process.communicate(), timedelta(seconds=20).total_seconds())
        return self.process.returncode, log.decode()


@asynccontextmanager
async def phis_worker(environment: dict[str, str]) -> AsyncIterator[Running]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "runtime.cli", "worker"),
        env={**environment, "PHIS_WORKER_PORT": str(port), "PHIS_LOG_FORMAT": "json", "PYTHONUNBUFFERED": "1"},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Running(process, port)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def address_of(conninfo: str) -> str:
    """A connection string as settings want it."""
    part = conninfo_to_dict(conninfo)
    return f"postgresql://{part['user']}:{quote(str(part['password']))}@{part['host']}:{part['port']}/{part['dbname']}"


@pytest.fixture
def environment(house: House, urls: Urls) -> dict[str, str]:
    return {
        "PHIS_DATABASE_URL": address_of(urls.app),
        "PHIS_DATABASE_SYSTEM_URL": address_of(urls.system),
        "PHIS_TEMPORAL_ADDRESS": house.temporal,
        "PHIS_TEMPORAL_NAMESPACE": f"n{uuid4().hex[:8]}",  # one current build in each, so one of our own
        "PHIS_KEYS": house.keys,
    }


async def test_a_worker_makes_itself_ready_works_and_drains(
    environment: dict[str, str], house: House, keys: KeyRing, hospital: str, database: Database
) -> None:
    async with phis_worker(environment) as worker:
        await until(lambda: worker.get("/readyz"), (200, "ready\n"))
        client = await connect(house.temporal, environment["PHIS_TEMPORAL_NAMESPACE"], keys)
        desk = Desk(hospital, database, client, PROCESS_QUEUE)
        bed = await desk.bed()
        stay = await desk.admission()
        await desk.assign(stay, bed)
        assert (await stay.result()).bed == bed
        metrics = await worker.get("/metrics")
        assert metrics is not None
        for measured in ("process_resident_memory_bytes", "temporal_workflow_completed"):
            assert measured in metrics[1]
        assert await worker.get("/livez") == (200, "alive\n")
        assert (await worker.get("/elsewhere") or (0,))[0] == 404
        code, log = await worker.stopped()
    assert code == 0
    assert '"drained"' in log
    assert "Traceback" not in log


@pytest.mark.parametrize(("setting", "part"), [("PHIS_TEMPORAL_ADDRESS", "engine"), ("PHIS_DATABASE_URL", "database")])
async def test_a_worker_waits_for_what_is_away_and_can_be_stopped_meanwhile(
    environment: dict[str, str], setting: str, part: str
) -> None:
    nowhere = free_port()
    away = f"127.0.0.1:{nowhere}" if part == "engine" else f"postgresql://phis_app:x@127.0.0.1:{nowhere}/phis"
    async with phis_worker({**environment, setting: away}) as worker:
        await until(lambda: worker.get("/readyz"), (503, f"waiting for: {part}\n"))
        assert await worker.get("/livez") == (200, "alive\n")
        code, log = await worker.stopped()
    assert code == 0
    assert '"drained"' in log


async def test_a_worker_without_its_settings_says_which_one_it_misses(environment: dict[str, str]) -> None:
    del environment["PHIS_KEYS"]
    async with phis_worker(environment) as worker:
        _, log = await asyncio.wait_for(worker.process.communicate(), 20)
    assert worker.process.returncode not in {0, None}
    assert "PHIS_KEYS" in log.decode()
