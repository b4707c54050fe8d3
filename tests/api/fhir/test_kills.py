"""Killed in the middle of an export or of telling subscribers: an export is whole, no notification is lost."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import httpx
import pytest
from fastapi import FastAPI

from adapters.outgoing import Outgoing
from api.app import create_app
from store.sealing import KeyRing
from tests.api.fhir.conftest import Json, observation, patient
from tests.api.fhir.exports import begun, lines, manifest, refs
from tests.api.fhir.receiver import Receiver, receiving
from tests.api.fhir.subscriptions.subscribing import asking
from tests.desk import Desk
from tests.store.values import Urls, settled
from tests.waiting import until

pytestmark = pytest.mark.sockets

_SLOWLY = 300
"""Seconds of patience with a process that begins anew and has hundreds of things to do."""

_LEASE = 61
"""Seconds after which what a dead server held is anybody's, and a little."""


@dataclass
class Servers:
    """Servers that come one after another over one database; each finds the leases of the one before run out."""

    urls: Urls
    keys: KeyRing
    receiver: Receiver
    started: int = 0

    @asynccontextmanager
    async def server(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """One that is killed -9 at the end of the block."""
        told = {"PHIS_DATABASE_URL": self.urls.app, "PHIS_DATABASE_SYSTEM_URL": self.urls.system}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.api.fhir.serving", self.receiver.origin, str(self.started * _LEASE)),
            stdout=PIPE,
            env=os.environ | told | {"PHIS_KEYS": self.keys.text},
        )
        self.started += 1
        try:
            yield process
        finally:
            process.kill()
            assert process.stdout is not None
            await process.stdout.read()
            await process.wait()

    async def killed_after(self, steps: int, grace: float) -> None:
        async with self.server() as process:
            assert process.stdout is not None
            for _ in range(steps):
                assert await asyncio.wait_for(process.stdout.readline(), 60), "it ended by itself"
            await asyncio.wait({asyncio.create_task(process.wait())}, timeout=grace)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as one:
        yield one


@pytest.fixture
def servers(urls: Urls, keys: KeyRing, receiver: Receiver) -> Servers:
    return Servers(urls, keys, receiver)


@pytest.fixture
def app(desk: Desk, receiver: Receiver) -> FastAPI:
    return create_app(replace(desk.state, outgoing=Outgoing([receiver.origin])))


async def sent(fhir: httpx.AsyncClient, resources: list[Json]) -> None:
    """In one transaction, under their own ids."""
    entry = [
        {"request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"}, "resource": each}
        for each in resources
    ]
    answer = await fhir.post("", json={"resourceType": "Bundle", "type": "transaction", "entry": entry})
    assert answer.status_code == 200, answer.text


@dataclass
class Work:
    """An export and a subscription that are under way, of `many` observations."""

    fhir: httpx.AsyncClient
    servers: Servers
    many: int
    export: str = ""
    subscription: str = ""
    wanted: list[str] = field(default_factory=list)

    async def ask_for_export(self, desk: Desk) -> None:
        people = [patient(id=f"p{number}") for number in range(10)]
        charts = [observation(f"Patient/p{n % 10}", id=f"o{n}") for n in range(self.many)]
        await sent(self.fhir, [*people, *charts])
        self.wanted = refs([*people, *charts])
        await settled(desk.state.database, desk.hospital)
        self.export = await begun(self.fhir, "$export?_type=Patient,Observation")

    async def subscribe(self) -> None:
        answer = await self.fhir.post("Subscription", json=asking(self.servers.receiver, "Observation?code=8867-4"))
        assert answer.status_code == 201, answer.text
        self.subscription = f"Subscription/{answer.json()['id']}"

    async def changed(self, ids: Sequence[str]) -> None:
        """New observations, and another version of one that is being exported."""
        more = [{"text": f"before {ids[0]}"}]
        noted = [observation("Patient/p1", id="o1", note=more)] if self.export else []
        await sent(self.fhir, [*noted, *(observation("Patient/p1", id=id_) for id_ in ids)])

    async def is_exported(self) -> bool | None:
        return (await self.fhir.get(self.export)).status_code == 200 or None

    async def whole(self) -> None:
        """The export holds what there was when it was asked for, each once."""
        told = await manifest(self.fhir, self.export)
        assert told["error"] == []
        held = await lines(self.fhir, told["output"])
        assert refs(held) == self.wanted
        assert next(each for each in held if each["id"] == "o1")["meta"]["versionId"] == "1"

    def heard(self, ids: Sequence[str]) -> list[str]:
        return [each.json["id"] for each in self.servers.receiver.got if each.json["id"] in set(ids)]

    async def all_told(self, ids: Sequence[str]) -> bool | None:
        return set(self.heard(ids)) >= set(ids) or None

    def told_in_order(self, ids: Sequence[str], kills: int) -> int:
        """How many came more than once: of each kill the one at most that was on its way."""
        heard = self.heard(ids)
        first = list(dict.fromkeys(heard))
        assert first == list(ids)
        repeated = len(heard) - len(first)
        assert repeated <= kills
        return repeated


async def test_a_kill_leaves_an_export_whole_and_loses_no_notification(
    fhir: httpx.AsyncClient, desk: Desk, servers: Servers
) -> None:
    work = Work(fhir, servers, 20)
    await work.subscribe()
    await work.ask_for_export(desk)
    await work.changed(ids := [f"n{number}" for number in range(10)])
    await servers.killed_after(6, 0.0)
    async with servers.server():
        await until(work.is_exported)
        await until(lambda: work.all_told(ids))
    await work.whole()
    work.told_in_order(ids, 1)
    assert (await fhir.get(work.subscription)).json()["status"] == "active"


def moments(seed: int, most: int) -> list[tuple[int, float]]:
    """Of the kills of a run: after how many steps, and how many seconds."""
    chance = random.Random(seed)  # noqa: S311  (a moment, no secret)
    return [(chance.randint(1, most), chance.random() / 20) for _ in range(6)]


@pytest.mark.long
@pytest.mark.parametrize("seed", range(5))
async def test_many_kills_leave_exports_whole(fhir: httpx.AsyncClient, desk: Desk, servers: Servers, seed: int) -> None:
    work, used = Work(fhir, servers, 3000), 0
    await work.ask_for_export(desk)
    for steps, grace in moments(seed, 2):
        if await work.is_exported():
            break
        await servers.killed_after(steps, grace)
        used += 1
        await work.changed([f"late{used}"])
    async with servers.server():
        await until(work.is_exported, within=_SLOWLY)
    await work.whole()
    print(f"export of 3,010 resources, seed {seed}: {used} kills")  # noqa: T201
    assert used > 1, "it was done before it was killed"


@pytest.mark.long
@pytest.mark.parametrize("seed", range(5))
async def test_many_kills_lose_no_notification(fhir: httpx.AsyncClient, servers: Servers, seed: int) -> None:
    work, kills, many = Work(fhir, servers, 0), moments(seed, 40), 300
    await work.subscribe()
    ids = [f"n{number}" for number in range(many)]
    for begin, kill in zip(range(0, many, many // len(kills)), kills, strict=True):
        await work.changed(ids[begin : begin + many // len(kills)])
        await servers.killed_after(*kill)
    async with servers.server():
        await until(lambda: work.all_told(ids), within=_SLOWLY)
    repeated = work.told_in_order(ids, len(kills))
    assert (await fhir.get(work.subscription)).json()["status"] == "active"
    print(f"{many} notifications, seed {seed}: {len(kills)} kills, {repeated} came twice")  # noqa: T201
