"""What one admission costs and how soon people are answered: `python -m bench.admission`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import uuid4

import httpx
import psutil

from adapters.fhir import locations
from api.places import is_ward
from bench.report import Figure, percentile, show
from store import records
from store.database import Database
from tests.faults.running import HOSPITAL, RunningHouse
from tests.waiting import until

T = TypeVar("T")

_WARM_UP = 20
_ADMISSIONS = 200
_AT_ONCE = 2
_PARTS = ("postgres", "temporal", "server", "worker")


@dataclass(frozen=True)
class _Desk:
    """A client with the tokens of the two people of an admission, and the ward they speak of."""

    client: httpx.AsyncClient
    physician: str
    manager: str
    ward: str


class _Times:
    """Milliseconds, by what was asked."""

    def __init__(self) -> None:
        self.of: dict[str, list[float]] = {}

    async def take(self, name: str, what: Callable[[], Awaitable[T]]) -> T:
        began = time.perf_counter()
        answer = await what()
        self.of.setdefault(name, []).append((time.perf_counter() - began) * 1000)
        return answer


async def measure() -> list[Figure]:
    """Admissions one after the other at two desks, each requested, claimed and given a bed over HTTP."""
    house = RunningHouse.in_a_new_folder()
    try:
        await house.start()
        physician, manager = await house.token("physician"), await house.token("bed-manager")
        async with house.database() as database:
            ward, beds = await _beds(database, _WARM_UP + _ADMISSIONS)
        async with httpx.AsyncClient(base_url=house.url, timeout=30) as client:
            desk = _Desk(client, physician, manager, ward)
            await _run(desk, _Times(), beds[:_WARM_UP])
            before, began, times = _cpu(house), time.perf_counter(), _Times()
            await _run(desk, times, beds[_WARM_UP:])
            took, after = time.perf_counter() - began, _cpu(house)
    finally:
        await house.stop()
        house.remove()
    cost = {part: (after[part] - before[part]) / _ADMISSIONS * 1000 for part in _PARTS}
    return [
        Figure("CPU of one admission, everything", sum(cost.values()), "ms"),
        *(Figure(f"  of that: {part}", cost[part], "ms") for part in _PARTS),
        Figure("admissions per second, two desks", _ADMISSIONS / took, "/s"),
        *(
            Figure(f"{name}, {label}", percentile(values, share), "ms")
            for name, values in times.of.items()
            for label, share in (("p50", 0.5), ("p99", 0.99))
        ),
    ]


async def _run(desk: _Desk, times: _Times, beds: list[str]) -> None:
    waiting = iter(beds)

    async def work() -> None:
        for bed in waiting:
            await _admit(desk, times, bed)

    await asyncio.gather(*(work() for _ in range(_AT_ONCE)))


async def _admit(desk: _Desk, times: _Times, bed: str) -> None:
    client, physician, manager = desk.client, desk.physician, desk.manager

    async def post(path: str, token: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": uuid4().hex}
        answer = await client.post(path, json=body, headers=headers)
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()  # type: ignore[no-any-return]

    register = {"name": "정측정", "birth_date": "1980-05-05", "gender": "female"}
    request = {"patient": {"register": register}, "ward": desk.ward}
    asked = await times.take("request an admission", lambda: post("/commands/admissions", physician, request))

    async def appeared() -> dict[str, Any] | None:
        listed = await client.get("/commands/worklist", headers={"Authorization": f"Bearer {manager}"})
        return next((task for task in listed.json()["tasks"] if task["encounter"] == asked["encounter"]), None)

    task = await times.take("until its task is on the other's list", lambda: until(appeared))
    path = f"/commands/worklist/{task['task'].partition('/')[2]}"
    claimed = await times.take("claim a task", lambda: post(f"{path}/claim", manager, {"revision": task["revision"]}))
    answer = {"revision": claimed["revision"], "bed": bed}
    await times.take("complete it (Update and effect)", lambda: post(f"{path}/complete", manager, answer))


async def _beds(database: Database, count: int) -> tuple[str, list[str]]:
    """The first ward, with as many new beds in it as there will be admissions."""
    async with database.transaction(HOSPITAL) as tx:
        ward = next(place for place in await records.find(tx, "Location") if is_ward(place.body))
        at = ward.last_updated
        made = [
            await records.create(tx, locations.bed(f"B-{number:03}", ward.reference), now=at) for number in range(count)
        ]
    return ward.reference, [bed.reference for bed in made]


def _cpu(house: RunningHouse) -> dict[str, float]:
    """Processor seconds so far, by part with its own children."""
    used = {}
    for part, pid in house.children().items():
        process = psutil.Process(pid)
        used[part] = sum(sum(one.cpu_times()[:2]) for one in (process, *process.children(recursive=True)))
    return used


if __name__ == "__main__":
    show("admission", asyncio.run(measure()))
