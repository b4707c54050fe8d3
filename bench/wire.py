"""Sixteen clients over bare HTTP/1.1, and the processor time that their requests cost the server.

A client library would take more of a shared processor than the server does, and its waiting would show as the server's.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import psutil

CLIENTS = 16


@dataclass(frozen=True)
class Peer:
    """A FHIR server. `base`: its address without a slash at the end.  pids: its processes, by part, parents only."""

    name: str
    base: str
    headers: dict[str, str]
    pids: dict[str, int]

    def cpu(self) -> dict[str, float]:
        """Processor seconds so far, by part; processes that have ended count in their parents."""
        used = {}
        for part, pid in self.pids.items():
            used[part] = 0.0
            process = psutil.Process(pid)
            for one in (process, *process.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    used[part] += sum(one.cpu_times()[:4])
        return used


@dataclass(frozen=True)
class Measured:
    """What a run of requests cost. `cpu`: milliseconds a request, by part; `waited`: milliseconds of each request."""

    requests: int
    cpu: dict[str, float]
    waited: list[float]

    @property
    def total(self) -> float:
        return sum(self.cpu.values())


class Client:
    """One connection that stays open."""

    def __init__(self, peer: Peer) -> None:
        parts = urlsplit(peer.base)
        assert parts.hostname
        assert parts.port
        self._host, self._port, self._path = parts.hostname, parts.port, parts.path
        given = {"Host": parts.netloc, "Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}
        self._headers = "".join(f"{name}: {value}\r\n" for name, value in {**given, **peer.headers}.items())
        self.waited: list[float] = []

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port, limit=2**26)

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    async def ask(self, method: str, path: str, body: dict[str, Any] | bytes = b"") -> Any:
        """The answer's JSON, None without any. Anything but success ends the run."""
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = f"{method} {self._path}{path} HTTP/1.1\r\n{self._headers}Content-Length: {len(text)}\r\n\r\n"
        began = time.perf_counter()
        self._writer.write(head.encode() + text)
        status, answer = await self._answer()
        self.waited.append((time.perf_counter() - began) * 1000)
        assert 200 <= status < 300, f"{method} {path}: {status} {answer[:1000]!r}"
        return json.loads(answer) if answer else None

    async def _answer(self) -> tuple[int, bytes]:
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status = int(head.split(" ", 2)[1])
        fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        if fields.get("transfer-encoding") == "chunked":
            parts = []
            while size := int(await self._reader.readuntil(b"\r\n"), 16):
                parts.append((await self._reader.readexactly(size + 2))[:-2])
            await self._reader.readuntil(b"\r\n")
            return status, b"".join(parts)
        return status, await self._reader.readexactly(int(fields.get("content-length", "0")))


Job = Callable[[Client], Awaitable[object]]


async def drive(peer: Peer, jobs: Iterable[Job], *, seconds: float = float("inf")) -> Measured:
    """Sixteen clients take jobs until none is left, or no more after so many seconds."""
    clients = [Client(peer) for _ in range(CLIENTS)]
    waiting, ends = iter(jobs), time.monotonic() + seconds

    async def work(client: Client) -> None:
        await client.open()
        for job in waiting:
            await job(client)
            if time.monotonic() > ends:
                break
        await client.close()

    before = peer.cpu()
    await asyncio.gather(*(work(client) for client in clients))
    after = peer.cpu()
    waited = [each for client in clients for each in client.waited]
    cpu = {part: (after[part] - before[part]) / len(waited) * 1000 for part in after}
    return Measured(len(waited), cpu, waited)
