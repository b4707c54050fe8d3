"""Whether requests cost the same in a large store as in a small one: `python -m bench.flat [small large]`.

The same requests over HTTP among 50,000 resources and among 300,000. Resources are loaded by the store itself, a
thousand a transaction, with search rows and announcements; statistics are as PostgreSQL has gathered them by then.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice

from bench.fhir import create, peer_of, search
from bench.fhir_documents import Json, observation, patient
from bench.report import Figure, percentile, show
from bench.wire import Job, Measured, Peer, drive
from domain.ids import Reference
from store import outbox
from store.database import Database
from store.fhir.writing import Write, write
from tests.faults.running import HOSPITAL, RunningHouse

SIZES = (50_000, 300_000)
MOST = 1.25
"""How much more a request may cost in the large store: what two runs of the same differ by."""

_BATCH = 1000
_OBSERVATIONS = 24
"""Observations of a patient: with the patient, 25 resources."""

_REQUESTS = 1500


async def measure(sizes: Iterable[int] = SIZES) -> list[Figure]:
    """One house that grows; at each size the same requests."""
    house = RunningHouse.in_a_new_folder()
    found: dict[int, dict[str, Measured]] = {}
    loaded: list[Figure] = []
    try:
        await house.start()
        peer = await peer_of(house)
        async with house.database() as database:
            size = 0
            for wanted in sizes:
                began = time.perf_counter()
                await _grow(database, size, wanted)
                pace = (wanted - size) / (time.perf_counter() - began)
                loaded.append(Figure(f"loading up to {wanted:,} resources", pace, "/s"))
                size = wanted
                found[size] = await _ask(peer, size)
    finally:
        await house.stop()
        house.remove()
    return [*loaded, *_figures(found)]


async def _grow(database: Database, size: int, wanted: int) -> None:
    """Load resources until there are so many. Patient and observations follow from their number alone."""
    now = datetime.now(UTC)
    documents = (_document(number) for number in range(size, wanted))
    while batch := list(islice(documents, _BATCH)):
        writes = [Write(Reference.to(each["resourceType"], each["id"]), each, None, 0) for each in batch]
        async with database.transaction(HOSPITAL) as tx:
            await write(tx, writes, now=now)
            await outbox.put_all(tx, "records", [each.reference for each in writes])


def _document(number: int) -> Json:
    person, place = divmod(number, _OBSERVATIONS + 1)
    made = patient(person) if place == 0 else observation(place, _patient(person))
    return made | {"id": f"flat-{number}"}


def _patient(person: int) -> str:
    return f"Patient/flat-{person * (_OBSERVATIONS + 1)}"


async def _ask(peer: Peer, size: int) -> dict[str, Measured]:
    chosen, people = random.Random(7), size // (_OBSERVATIONS + 1)  # noqa: S311  (the same in every run)

    def anybody() -> str:
        return _patient(chosen.randrange(people))

    def read() -> Job:
        reference = anybody()
        return lambda client: client.ask("GET", f"/{reference}")

    def update(number: int) -> Job:
        reference = anybody()
        changed = patient(number) | {"id": reference.partition("/")[2], "active": number % 2 == 0}
        return lambda client: client.ask("PUT", f"/{reference}", changed)

    asked = {
        "read": lambda: (read() for _ in range(_REQUESTS)),
        "create": lambda: (create(patient(each)) for each in range(_REQUESTS)),
        "update": lambda: (update(each) for each in range(_REQUESTS)),
        "Observation search by patient": lambda: (search(anybody()) for _ in range(_REQUESTS)),
    }
    await drive(peer, (job for jobs in asked.values() for job in islice(jobs(), 100)))  # warm
    return {name: await drive(peer, jobs()) for name, jobs in asked.items()}


def _figures(found: dict[int, dict[str, Measured]]) -> list[Figure]:
    figures = []
    for size, by_name in found.items():
        for name, measured in by_name.items():
            figures.append(Figure(f"{name} among {size:,}, CPU", measured.total, "ms"))
            figures += [Figure(f"  of that: {part}", cost, "ms") for part, cost in measured.cpu.items()]
            figures += [
                Figure(f"  {label}, 16 clients", percentile(measured.waited, share), "ms")
                for label, share in (("p50", 0.5), ("p99", 0.99))
            ]
    small, large = min(found), max(found)
    if small != large:
        for name, measured in found[large].items():
            ratio = measured.total / found[small][name].total
            figures.append(Figure(f"{name}, {large:,} ÷ {small:,}", ratio, "×", MOST))
    return figures


if __name__ == "__main__":
    show("flat", asyncio.run(measure([int(each) for each in sys.argv[1:]] or SIZES)))
