"""A healthy client while others bombard the server: `python -m bench.siege`. Its 95th percentile may double, no more.

The healthy ones read and search at a steady pace, as interfaces do, before and during. The others come from addresses
of their own, each of the four kinds as fast as it can: large documents that are slow to judge, bodies that come a byte
at a time, sign-ins with wrong passwords, and searches that cost much.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import Any

from bench.fhir import create, peer_of
from bench.fhir_documents import observation, patient
from bench.report import Figure, percentile, show
from bench.wire import Client, Peer, drive
from tests.faults.running import HOSPITAL, RunningHouse

CALM, SIEGE = 10.0, 15.0
"""Seconds of each."""

PACE = 0.05
"""Seconds between two requests of one healthy client."""

HEALTHY = 4
GOAL = 2.0

Attack = Callable[["Wall"], Awaitable[None]]


class Wall:
    """One attacker's connection, opened anew whenever the server closes it; it counts what it is told."""

    def __init__(self, port: int, address: str, told: Counter[str]) -> None:
        self._port, self._address, self._told = port, address, told
        self._writer: asyncio.StreamWriter | None = None

    async def send(self, kind: str, head: str, body: bytes) -> None:
        """A request, and what its answer says. Lost connections are opened again."""
        try:
            reader, writer = await self._open()
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
            lines = answer.decode("latin-1").lower().split("\r\n")
            length = next((int(line[15:]) for line in lines if line.startswith("content-length:")), 0)
            await reader.readexactly(length)
            self._told[f"{kind} {lines[0].split(' ')[1]}"] += 1
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            self._told[f"{kind} closed"] += 1
            await self.close()

    async def drip(self, head: str) -> None:
        """A body of which one byte comes each second."""
        with suppress(OSError):
            _, writer = await self._open()
            writer.write(f"{head}Content-Length: 100000\r\n\r\n".encode())
            while not writer.is_closing():
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(1)
        self._told["drip closed"] += 1
        await self.close()

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._writer is None or self._writer.is_closing():
            self._reader, self._writer = await asyncio.open_connection(
                "127.0.0.1", self._port, local_addr=(self._address, 0), limit=2**24
            )
        return self._reader, self._writer

    async def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def attacks(token: str) -> list[tuple[int, Attack]]:
    """How many of each kind, and what each does for ever."""
    items = [{"linkId": f"q{number}", "text": "How?", "type": "choice"} for number in range(2400)]
    slow = json.dumps({"resourceType": "Questionnaire", "status": "draft", "item": [*items, {"type": 3}]}).encode()
    fhir = f"Host: x\r\nAuthorization: {token}\r\nContent-Type: application/fhir+json\r\n"
    dear = "_total=accurate&_count=1000&_include=*&subject:Patient.name=kim&_sort=-date"

    async def documents(wall: Wall) -> None:
        await wall.send("document", f"POST /fhir/{HOSPITAL}/Questionnaire HTTP/1.1\r\n{fhir}", slow)

    async def bodies(wall: Wall) -> None:
        await wall.drip(f"POST /fhir/{HOSPITAL}/Patient HTTP/1.1\r\n{fhir}")

    async def sign_ins(wall: Wall) -> None:
        body = f"hospital={HOSPITAL}&account=nurse&password=wrong-horse-1".encode()
        await wall.send(
            "sign-in", "POST /signin HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n", body
        )

    async def searches(wall: Wall) -> None:
        await wall.send("search", f"GET /fhir/{HOSPITAL}/Observation?{dear} HTTP/1.1\r\n{fhir}", b"")

    return [(4, documents), (30, bodies), (4, sign_ins), (4, searches)]


async def measure() -> list[Figure]:
    house = RunningHouse.in_a_new_folder()
    try:
        await house.start()
        peer = await peer_of(house)
        known = await _furnish(peer)
        await _healthy(peer, known, 3)  # warm
        calm = await _healthy(peer, known, CALM)
        told: Counter[str] = Counter()
        async with _besieged(house, told):
            await asyncio.sleep(2)
            siege = await _healthy(peer, known, SIEGE)
        after = await _healthy(peer, known, CALM)
    finally:
        await house.stop()
        house.remove()
    usual = percentile(calm, 0.95)
    return [
        Figure("a healthy client, p50, usual", percentile(calm, 0.5), "ms"),
        Figure("a healthy client, p95, usual", usual, "ms"),
        Figure("p50 while bombarded", percentile(siege, 0.5), "ms"),
        Figure("p95 while bombarded", percentile(siege, 0.95), "ms"),
        Figure("p95 while bombarded ÷ usual", percentile(siege, 0.95) / usual, "×", GOAL),
        Figure("p95 afterwards ÷ usual", percentile(after, 0.95) / usual, "×", 1.5),
        Figure("healthy requests that were refused", 0, ""),  # one would have ended the run
        *(Figure(f"  attackers: {what}", count, "times") for what, count in sorted(told.items())),
    ]


async def _furnish(peer: Peer) -> list[str]:
    known: list[str] = []

    async def make(client: Client, number: int) -> None:
        known.append(f"Patient/{(await client.ask('POST', '/Patient', patient(number)))['id']}")

    await drive(peer, (lambda client, n=number: make(client, n) for number in range(40)))
    await drive(peer, (create(observation(number, subject)) for subject in known for number in range(25)))
    return known


async def _healthy(peer: Peer, known: list[str], seconds: float) -> list[float]:
    """Milliseconds of each request of the healthy clients, at their pace."""
    clients = [Client(peer) for _ in range(HEALTHY)]
    ends = time.monotonic() + seconds

    async def work(client: Client, chance: Random) -> None:
        await client.open()
        while time.monotonic() < ends:
            whom = chance.choice(known)
            path = f"/{whom}" if chance.random() < 0.7 else f"/Observation?patient={whom}&_count=20"
            await client.ask("GET", path)
            await asyncio.sleep(PACE)
        await client.close()

    await asyncio.gather(*(work(client, Random(number)) for number, client in enumerate(clients)))  # noqa: S311
    return [each for client in clients for each in client.waited]


@asynccontextmanager
async def _besieged(house: RunningHouse, told: Counter[str]) -> AsyncIterator[None]:
    command = house.command(
        "token", "--hospital", HOSPITAL, "--scope", "system/*.cruds", "--data-dir", str(house.directory)
    )
    issued = await asyncio.to_thread(
        subprocess.run, command, env=house.environment(), capture_output=True, check=True, text=True
    )

    async def for_ever(attack: Attack, wall: Wall) -> None:
        while True:
            await attack(wall)

    running: list[asyncio.Task[Any]] = []
    for kind, (count, attack) in enumerate(attacks(f"Bearer {issued.stdout.splitlines()[-1]}")):
        for _ in range(count):
            wall = Wall(house.port, f"127.0.0.{kind + 2}", told)
            running.append(asyncio.create_task(for_ever(attack, wall)))
    try:
        yield
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


if __name__ == "__main__":
    show("siege", asyncio.run(measure()))
