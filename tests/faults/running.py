"""A whole P-HIS as a person starts it, `phis up`, and the people who use it over HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import httpx
import psutil

from runtime import ports
from runtime.settings import settings_from
from runtime.supervisor.place import RUNNING, running
from store import audit
from store.database import Database
from store.sealing import KeyRing
from tests.waiting import until

HOSPITAL = "hanbit"
PARTS = ("postgres", "temporal", "server", "worker")


class RunningHouse:
    """One `phis up` over `directory`, with ports of its own that stay the same over restarts."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = ports.free_port()
        self.temporal_port = _pair_of_ports()
        self.url = f"http://127.0.0.1:{self.port}"
        self._up: subprocess.Popen[bytes] | None = None
        self._tokens: dict[str, str] = {}
        self._killed: dict[str, int] = {}

    @classmethod
    def in_a_new_folder(cls) -> Self:
        """A house that has never started. Its folder stands where PostgreSQL's own account can reach it."""
        parent = Path(tempfile.mkdtemp(prefix="phis-faults-"))
        parent.chmod(0o755)
        return cls(parent / "data")

    def remove(self) -> None:
        shutil.rmtree(self.directory.parent, ignore_errors=True)

    @property
    def log(self) -> str:
        """What `phis up` has said so far."""
        return (self.directory.parent / "up.log").read_text(encoding="utf-8")

    @property
    def pid(self) -> int:
        assert self._up
        return self._up.pid

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "runtime.cli", *arguments]

    def environment(self) -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if not name.startswith("PHIS_")}

    def launch(self) -> subprocess.Popen[bytes]:
        """Start `phis up` without waiting for anything."""
        options = ["--data-dir", str(self.directory), "--port", str(self.port)]
        options += ["--temporal-port", str(self.temporal_port)]
        log = (self.directory.parent / "up.log").open("ab")
        self._up = subprocess.Popen(
            self.command("up", *options), stdout=log, stderr=log, env=self.environment(), start_new_session=True
        )
        log.close()
        return self._up

    async def start(self) -> None:
        self.launch()
        await self.ready()

    async def ready(self) -> None:
        async def look() -> bool | None:
            assert self._up
            assert self._up.poll() is None, self.log[-3000:]
            try:
                async with httpx.AsyncClient() as client:
                    answer = await client.get(f"{self.url}/readyz", timeout=5)
            except httpx.TransportError:
                return None
            return (answer.status_code == httpx.codes.OK and (self.directory / RUNNING).exists()) or None

        await until(look, within=90)

    def children(self) -> dict[str, int]:
        """Process ids of the parts, by name."""
        return {name: pid for name, (pid, _) in json.loads((self.directory / "children.json").read_text()).items()}

    async def kill(self, part: str) -> None:
        """kill -9 a part, as soon as it runs again after its last death, and go on without waiting for it."""

        async def alive() -> int | None:
            pid = self.children().get(part)
            return None if pid == self._killed.get(part) else pid

        self._killed[part] = pid = await until(alive, within=60)
        os.kill(pid, signal.SIGKILL)

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        assert self._up
        if self._up.poll() is None:
            self._up.send_signal(how)
        return await asyncio.to_thread(self._up.wait, 60)

    def kill_up(self) -> None:
        assert self._up
        self._up.kill()
        self._up.wait()

    async def token(self, role: str) -> str:
        if role not in self._tokens:
            issued = await asyncio.to_thread(
                subprocess.run,
                self.command("token", "--hospital", HOSPITAL, "--role", role, "--data-dir", str(self.directory)),
                env=self.environment(),
                capture_output=True,
                check=True,
                text=True,
            )
            self._tokens[role] = issued.stdout.splitlines()[-1]
        return self._tokens[role]

    async def person(self, role: str) -> Person:
        return Person(self.url, await self.token(role))

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        settings = settings_from(running(self.directory))
        async with Database.open(
            settings.database_url.get_secret_value(),
            settings.database_system_url.get_secret_value(),
            KeyRing.parse(settings.keys.get_secret_value()),
            app_size=2,
            system_size=1,
        ) as opened:
            yield opened

    async def audited(self, detail: str) -> int:
        """How many accesses of this kind the audit holds."""
        async with self.database() as database, database.transaction(HOSPITAL) as tx:
            return sum(1 for row in await audit.read(tx, limit=10_000) if row.detail == detail)


class Person:
    """Somebody with a token who never gives up: the same command under the same key until it is answered."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"}

    async def get(self, path: str) -> Any:
        async def ask() -> Any:
            answer = await self._try("GET", path)
            return answer.json() if answer is not None and answer.status_code == httpx.codes.OK else None

        return await until(ask, within=60)

    async def command(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Give a command and come back with its answer, whatever falls over meanwhile."""
        key = uuid4().hex

        async def ask() -> dict[str, Any] | None:
            answer = await self._try("POST", path, json=body, headers={"Idempotency-Key": key})
            if answer is None or answer.status_code in {httpx.codes.ACCEPTED, httpx.codes.SERVICE_UNAVAILABLE}:
                return None
            assert answer.is_success, answer.text
            result: dict[str, Any] = answer.json()
            return result

        return await until(ask, within=60)

    async def _try(self, method: str, path: str, **options: Any) -> httpx.Response | None:
        headers = self._headers | options.pop("headers", {})
        try:
            async with httpx.AsyncClient(base_url=self._url, headers=headers, timeout=10) as client:
                return await client.request(method, path, **options)
        except httpx.TransportError:
            return None


def alive_below(directory: Path) -> list[str]:
    """Processes that were started for a data folder, by their command lines or working folders."""
    found = []
    for process in psutil.process_iter():
        try:
            line = process.cmdline()
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            if any(str(directory) in part for part in line) or process.cwd().startswith(str(directory)):
                found.append(f"{process.pid} {' '.join(line)}")
        except psutil.Error:
            continue
    return found


def _pair_of_ports() -> int:
    """A free port below 64536 whose thousand-higher neighbour, for Temporal's screens, is free too."""
    while True:
        port = ports.free_port()
        if port < 64536 and ports.is_free(port + 1000):
            return port
