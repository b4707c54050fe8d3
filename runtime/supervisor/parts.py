"""The parts of a running P-HIS and how each one is started, judged ready and stopped."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from runtime.children import Child
from runtime.postgres import Addresses, EmbeddedPostgres
from runtime.settings import PREFIX
from runtime.supervisor.readiness import wait_until_ready
from runtime.temporal_server import TemporalAddresses, TemporalServer

_READY_WITHIN = timedelta(seconds=60)


class Part(Protocol):
    """Something that runs as a child of ours."""

    name: str

    @property
    def child(self) -> Child | None: ...

    async def start(self) -> None:
        """Start it and return when it is ready. Raises PhisError; nothing stays behind then."""

    async def stop(self, *, hurry: bool) -> int:
        """Drain and end it; `hurry` ends it at once. Returns its exit code, 0 when it did not run."""


class Postgres:
    name = "postgres"

    def __init__(self, server: EmbeddedPostgres) -> None:
        self.server = server
        self.addresses: Addresses | None = None

    @property
    def child(self) -> Child | None:
        return self.server.child

    async def start(self) -> None:
        self.addresses = await self.server.start()

    async def stop(self, *, hurry: bool) -> int:
        await self.server.stop("immediate" if hurry else "fast")
        return 0


class Temporal:
    name = "temporal"

    def __init__(self, server: TemporalServer) -> None:
        self.server = server
        self.addresses: TemporalAddresses | None = None

    @property
    def child(self) -> Child | None:
        return self.server.child

    async def start(self) -> None:
        self.addresses = await self.server.start()

    async def stop(self, *, hurry: bool) -> int:
        if hurry and self.child:
            await self.child.stop(signal.SIGKILL)
        await self.server.stop()
        return 0


class Program:
    """`phis server` or `phis worker`: settings by environment, readiness over HTTP.

    log: a file, or None to share our own output.
    """

    def __init__(
        self,
        name: str,
        port: int,
        environment: Callable[[], Mapping[str, str]],
        *,
        host: str,
        log: Path | None,
        grace: timedelta,
    ) -> None:
        self.name = name
        self.child: Child | None = None
        self._port, self._host, self._log, self._grace = port, host, log, grace
        self._environment = environment

    async def start(self) -> None:
        # -P: a file in the current folder must not take the place of a module
        command = [sys.executable, "-P", "-m", "runtime.cli", self.name]
        self.child = Child.start(self.name, command, log=self._log, env={**_without_ours(), **self._environment()})
        try:
            await wait_until_ready(self.child, self._port, _READY_WITHIN, host=self._host)
        except BaseException:
            await self.child.stop(signal.SIGKILL)
            raise

    async def stop(self, *, hurry: bool) -> int:
        if not self.child:
            return 0
        return await self.child.stop(signal.SIGKILL if hurry else signal.SIGTERM, self._grace.total_seconds())


def _without_ours() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.upper().startswith(PREFIX)}
