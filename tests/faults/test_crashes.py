"""Whatever falls over, an open admission goes on, and nothing acknowledged is lost or done twice."""

from __future__ import annotations

import asyncio
import signal
from asyncio.subprocess import PIPE
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import httpx
import psutil
import pytest

from adapters.fhir import locations
from api.places import is_ward
from runtime import ports
from runtime.supervisor.place import running
from store import records
from tests.faults.running import HOSPITAL, PARTS, RunningHouse, alive_below
from tests.waiting import until

pytestmark = pytest.mark.sockets

# A part dies at each of these moments of one admission.
MOMENTS = ("asked", "claimed", "completed")

WHOLE_STORY = {
    "patient-registered": 1,
    "admission-requested": 1,
    "due-time-decided": 1,
    "bed-task-opened": 1,
    "task-claimed": 1,
    "bed-assigned": 1,
    "admitted": 1,
}


@pytest.fixture
async def house() -> AsyncIterator[RunningHouse]:
    made = RunningHouse.in_a_new_folder()
    await made.start()
    yield made
    assert await made.stop() == 0, made.log[-3000:]
    assert alive_below(made.directory) == []
    made.remove()


async def _admit(house: RunningHouse, deaths: dict[str, str]) -> str:
    """One admission over HTTP; `deaths` says which part is killed at which moment. Returns the encounter."""
    physician, manager = await house.person("physician"), await house.person("bed-manager")
    ward, bed = await _ward_with_a_new_bed(house)
    body = {
        "patient": {"register": {"name": "박시험", "birth_date": "1961-03-02", "gender": "male"}},
        "ward": ward,
        "priority": "urgent",
    }
    asked = await physician.command("/commands/admissions", body)
    await _die(house, deaths.get("asked"))
    encounter = str(asked["encounter"])

    async def the_task() -> dict[str, Any] | None:
        tasks = (await manager.get("/commands/worklist"))["tasks"]
        return next((task for task in tasks if task["encounter"] == encounter), None)

    task = await until(the_task, within=60)
    path = f"/commands/worklist/{task['task'].partition('/')[2]}"
    claimed = await manager.command(f"{path}/claim", {"revision": task["revision"]})
    await _die(house, deaths.get("claimed"))
    await manager.command(f"{path}/complete", {"revision": claimed["revision"], "bed": bed})
    await _die(house, deaths.get("completed"))

    async def the_end() -> bool | None:
        return "admitted" in await _story(house, encounter) or None

    await until(the_end, within=60)
    return encounter


async def _die(house: RunningHouse, part: str | None) -> None:
    if part:
        await house.kill(part)


async def _story(house: RunningHouse, encounter: str) -> Counter[str]:
    nurse = await house.person("nurse")
    lines = (await nurse.get(f"/commands/stays/{encounter.partition('/')[2]}/journal"))["lines"]
    return Counter(line["key"] for line in lines)


async def _ward_with_a_new_bed(house: RunningHouse) -> tuple[str, str]:
    """The first ward, and a bed put up in it: the demo hospital has fewer than a long run has patients."""
    async with house.database() as database, database.transaction(HOSPITAL) as tx:
        ward = next(place for place in await records.find(tx, "Location") if is_ward(place.body))
        bed = await records.create(tx, locations.bed("덧병상", ward.reference), now=ward.last_updated)
    return ward.reference, bed.reference


async def _one_round(house: RunningHouse, part: str) -> None:
    await house.ready()
    for role in ("physician", "bed-manager", "nurse"):
        await house.token(role)
    before = await house.audited("claim-task")
    encounter = await _admit(house, dict.fromkeys(MOMENTS, part))
    assert await _story(house, encounter) == WHOLE_STORY
    await house.ready()
    assert await house.audited("claim-task") == before + 1


async def test_every_part_is_killed_at_every_moment_and_the_admission_completes(house: RunningHouse) -> None:
    for part in PARTS:
        await _one_round(house, part)


async def test_killing_phis_up_leaves_no_child_and_the_next_start_goes_on(house: RunningHouse) -> None:
    physician = await house.person("physician")
    ward, _ = await _ward_with_a_new_bed(house)
    register = {"name": "최시험", "birth_date": "1990-01-01", "gender": "female"}
    asked = await physician.command("/commands/admissions", {"patient": {"register": register}, "ward": ward})
    children = [psutil.Process(pid) for pid in house.children().values()]
    house.kill_up()
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []

    async def nobody() -> bool | None:
        return not alive_below(house.directory) or None

    await until(nobody)
    await house.start()
    encounter = str(asked["encounter"])

    async def opened() -> bool | None:
        return "bed-task-opened" in await _story(house, encounter) or None

    await until(opened, within=60)


async def test_a_second_phis_up_on_the_same_folder_is_refused_and_the_first_goes_on(house: RunningHouse) -> None:
    second = RunningHouse(house.directory)
    process = second.launch()
    assert process.wait(30) == 2
    said = house.log
    assert str(house.pid) in said.splitlines()[-1]
    await house.ready()


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9])
async def test_ctrl_c_while_it_starts_leaves_nothing_behind(share: float) -> None:
    """At some moment of the first start: during initdb, recovery, migration, or while the server comes up."""
    starting = RunningHouse.in_a_new_folder()
    process = starting.launch()
    seen = psutil.Process(process.pid)
    try:
        await until(lambda: _has_used(seen, 3.0 * share), within=30)
        assert await starting.stop(signal.SIGINT) in {0, 130}
        assert alive_below(starting.directory) == []
    finally:
        if process.poll() is None:
            process.kill()
        starting.remove()


async def _has_used(process: psutil.Process, seconds: float) -> bool | None:
    """Processor time of it and its children: a clock that runs alike on slow and fast machines."""
    try:
        used = sum(sum(one.cpu_times()[:2]) for one in (process, *process.children(recursive=True)))
    except psutil.Error:
        return None
    return used >= seconds or None


@pytest.mark.long
async def test_ten_rounds_of_kills_lose_and_double_nothing(house: RunningHouse) -> None:
    for _ in range(10):
        for part in PARTS:
            await _one_round(house, part)


@pytest.mark.long
async def test_fifty_stops_of_a_worker_end_with_exit_code_zero(house: RunningHouse) -> None:
    """A process that has run a Temporal worker may crash in the interpreter's farewell (engine room, 15)."""
    port = ports.free_port()
    environment = house.environment() | running(house.directory) | {"PHIS_WORKER_PORT": str(port)}
    for _ in range(50):
        worker = await asyncio.create_subprocess_exec(*house.command("worker"), env=environment, stderr=PIPE)

        async def ready() -> bool | None:
            try:
                async with httpx.AsyncClient() as client:
                    answer = await client.get(f"http://127.0.0.1:{port}/readyz")
            except httpx.TransportError:
                return None
            return answer.status_code == httpx.codes.OK or None

        await until(ready, within=60)
        worker.send_signal(signal.SIGTERM)
        _, said = await asyncio.wait_for(worker.communicate(), 60)
        assert worker.returncode == 0
        assert b"drained" in said
