"""What a FHIR request costs, in processor time of server and database together: `python -m bench.fhir`.

Validation, history, search index, audit and announcements are on. sekmet-fhir does the same in the same run.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bench import sekmet
from bench.fhir_documents import ORDER, document, observation, patient
from bench.report import Figure, percentile, show
from bench.wire import Client, Job, Measured, Peer, drive
from tests import synthea
from tests.faults.running import HOSPITAL, RunningHouse

GOALS = {
    "read": 0.7,
    "create": 1.1,
    "update": 1.1,
    "CRUD mix of nine linked types": 1.0,
    "Observation search by patient": 0.9,
}
PER_RESOURCE = "transaction of a Synthea Bundle, per resource"
PER_RESOURCE_GOAL = 0.5
RATIOS = {"read": 1.0, "create": 0.8}

_READS = 3000
_WRITES = 1500
_CYCLES = 60
_SEARCHES = 1500
_PATIENTS = 200
_OBSERVED = 40
_OBSERVATIONS = 20
_TRANSACTION_SECONDS = 12


@dataclass
class _Server:
    """One server under measurement, and what was created on it."""

    peer: Peer
    patients: list[str] = field(default_factory=list)
    found: dict[str, Measured] = field(default_factory=dict)
    per_resource: float | None = None

    async def measure(self) -> None:
        await self.measure_first()
        chosen = random.Random(7)  # noqa: S311
        self.found["update"] = await drive(self.peer, (self._update(each) for each in range(_WRITES)))
        mix, searching = list(GOALS)[3:]
        self.found[mix] = await drive(self.peer, (_cycle(each) for each in range(_CYCLES)))
        observed = self.patients[:_OBSERVED]
        self.found[searching] = await drive(self.peer, (search(chosen.choice(observed)) for _ in range(_SEARCHES)))
        if synthea.here():
            await self._transactions()

    async def measure_first(self) -> None:
        """What both are compared by: read and create."""
        await self._furnish()
        chosen = random.Random(7)  # noqa: S311  (the same resources in every run)
        self.found["read"] = await drive(self.peer, (self._read(chosen.choice(self.patients)) for _ in range(_READS)))
        self.found["create"] = await drive(self.peer, (create(patient(each)) for each in range(_WRITES)))

    async def _furnish(self) -> None:
        """Patients, some with observations; every kind of request is warm afterwards."""

        def make(number: int) -> Job:
            async def job(client: Client) -> None:
                made = await client.ask("POST", "/Patient", patient(number))
                self.patients.append(f"Patient/{made['id']}")

            return job

        await drive(self.peer, (make(number) for number in range(_PATIENTS)))
        await drive(
            self.peer,
            (
                create(observation(number, subject))
                for subject in self.patients[:_OBSERVED]
                for number in range(_OBSERVATIONS)
            ),
        )
        await drive(self.peer, (self._read(reference) for reference in self.patients))
        await drive(self.peer, (search(reference) for reference in self.patients))
        await drive(self.peer, (_cycle(number) for number in range(16)))

    def _read(self, reference: str) -> Job:
        return lambda client: client.ask("GET", f"/{reference}")

    def _update(self, number: int) -> Job:
        reference = self.patients[number % len(self.patients)]
        changed = patient(number) | {"id": reference.partition("/")[2], "active": number % 2 == 0}
        return lambda client: client.ask("PUT", f"/{reference}", changed)

    async def _transactions(self) -> None:
        bundles = synthea.patients()
        random.Random(7).shuffle(bundles)  # noqa: S311
        kept = 0

        def post(text: bytes) -> Job:
            async def job(client: Client) -> None:
                nonlocal kept
                answer = await client.ask("POST", "", text)
                kept += len(answer["entry"])

            return job

        measured = await drive(self.peer, map(post, bundles), seconds=_TRANSACTION_SECONDS)
        self.found["transaction of a Synthea Bundle"] = measured
        self.per_resource = measured.total * measured.requests / kept


async def measure() -> list[Figure]:
    """Ours first, then the other."""
    house = RunningHouse.in_a_new_folder()
    try:
        await house.start()
        ours = _Server(await peer_of(house))
        await ours.measure()
    finally:
        await house.stop()
        house.remove()
    figures = list(_figures(ours))
    try:
        async with sekmet.installed() as folder:
            async with sekmet.running(folder, log=True) as peer:
                theirs = _Server(peer)
                await theirs.measure()
            async with sekmet.running(folder, log=False) as peer:
                bare = _Server(peer)
                await bare.measure_first()
    except sekmet.CannotRun as why:
        return [*figures, Figure(f"{sekmet.RELEASE} was not measured: {why}", 0, "")]
    return [*figures, *_beside(ours, theirs, bare)]


async def peer_of(house: RunningHouse) -> Peer:
    command = house.command(
        "token", "--hospital", HOSPITAL, "--scope", "system/*.cruds", "--data-dir", str(house.directory)
    )
    issued = await asyncio.to_thread(
        subprocess.run, command, env=house.environment(), capture_output=True, check=True, text=True
    )
    headers = {"Authorization": f"Bearer {issued.stdout.splitlines()[-1]}"}
    pids = house.children()
    return Peer("P-HIS", f"{house.url}/fhir/{HOSPITAL}", headers, {part: pids[part] for part in ("server", "postgres")})


def create(resource: dict[str, Any]) -> Job:
    return lambda client: client.ask("POST", f"/{resource['resourceType']}", resource)


def search(reference: str) -> Job:
    return lambda client: client.ask("GET", f"/Observation?patient={reference}&_count=20")


def _cycle(number: int) -> Job:
    """Nine resources that refer to each other: created, read, updated, and deleted in the other direction."""

    async def job(client: Client) -> None:
        known: dict[str, str] = {}
        sent: dict[str, dict[str, Any]] = {}
        for kind in ORDER:
            sent[kind] = document(kind, number, known)
            made = await client.ask("POST", f"/{kind}", sent[kind])
            sent[kind]["id"] = made["id"]
            known[kind] = f"{kind}/{made['id']}"
        for reference in known.values():
            await client.ask("GET", f"/{reference}")
        for kind, reference in known.items():
            await client.ask("PUT", f"/{reference}", sent[kind] | {"language": "ko"})
        for reference in reversed(known.values()):
            await client.ask("DELETE", f"/{reference}")

    return job


def _figures(ours: _Server) -> Iterator[Figure]:
    for name, measured in ours.found.items():
        yield Figure(f"{name}, CPU", measured.total, "ms", GOALS.get(name))
        for part, cost in measured.cpu.items():
            yield Figure(f"  of that: {part}", cost, "ms")
        yield Figure("  p50, 16 clients", percentile(measured.waited, 0.5), "ms")
        yield Figure("  p99, 16 clients", percentile(measured.waited, 0.99), "ms")
    if ours.per_resource is None:
        yield Figure(f"{PER_RESOURCE}: {synthea.REASON}", 0, "")
    else:
        yield Figure(f"{PER_RESOURCE}, CPU", ours.per_resource, "ms", PER_RESOURCE_GOAL)


def _beside(ours: _Server, theirs: _Server, bare: _Server) -> Iterator[Figure]:
    for name, measured in theirs.found.items():
        yield Figure(f"sekmet-fhir: {name}, CPU", measured.total, "ms")
        yield Figure("  p50, 16 clients", percentile(measured.waited, 0.5), "ms")
        yield Figure("  p99, 16 clients", percentile(measured.waited, 0.99), "ms")
    if theirs.per_resource is not None:
        yield Figure(f"sekmet-fhir: {PER_RESOURCE}, CPU", theirs.per_resource, "ms")
    for name in RATIOS:
        yield Figure(f"sekmet-fhir, its log of requests off: {name}, CPU", bare.found[name].total, "ms")
    for name, goal in RATIOS.items():
        yield Figure(f"{name}, ours ÷ sekmet-fhir", ours.found[name].total / theirs.found[name].total, "×", goal)


if __name__ == "__main__":
    show("fhir", asyncio.run(measure()))
