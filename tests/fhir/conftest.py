"""Our FHIR server on a socket of its own, for clients and suites that others wrote."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import httpx
import pytest
import uvicorn

from adapters.outgoing import Outgoing
from api.app import create_app
from api.fhir.exporting import Exporter
from api.fhir.notifying import Notifier
from runtime import ports
from store import accounts
from tests.desk import Desk
from tests.waiting import until


@dataclass(frozen=True)
class Served:
    """`base`: the address of the hospital, no slash at its end.  token: may do everything there."""

    base: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


class _Server(uvicorn.Server):
    """Leaves the signals to the tests."""

    def install_signal_handlers(self) -> None:
        """None: the test run has its own."""


async def _started(server: uvicorn.Server) -> bool | None:
    return server.started or None


@pytest.fixture
def receiver_port() -> int:
    """The port of 127.0.0.1 that our server may call: where the other side listens for notifications."""
    return ports.free_port()


@pytest.fixture
async def served(desk: Desk, now: datetime, receiver_port: int) -> AsyncIterator[Served]:
    """As `phis server` starts it, in this process: clients that wait without yielding belong in a thread."""
    port = ports.free_port()
    state = replace(
        desk.state,
        public_url=f"http://127.0.0.1:{port}",
        outgoing=Outgoing([f"http://127.0.0.1:{receiver_port}"]),
    )
    app = create_app(state)
    server = _Server(uvicorn.Config(app, port=port, log_config=None, access_log=False, lifespan="off"))
    running = asyncio.create_task(server.serve())
    beside = [
        asyncio.create_task(Exporter(state).keep_exporting()),
        asyncio.create_task(Notifier(state).keep()),
    ]
    await until(lambda: _started(server))
    async with desk.state.database.transaction(desk.hospital) as tx:
        token = await accounts.issue_token(tx, "outside", [], "system/*.cruds", now + timedelta(hours=1))
    yield Served(f"http://127.0.0.1:{port}/fhir/{desk.hospital}", token)
    for task in beside:
        task.cancel()
    server.should_exit = True
    await asyncio.gather(running, *beside, return_exceptions=True)


@pytest.fixture
async def http(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    """Bare HTTP at the hospital's address."""
    async with httpx.AsyncClient(base_url=served.base, headers=served.headers, timeout=60) as client:
        yield client
