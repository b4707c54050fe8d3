"""Each step of a process happens once, whoever runs it how often, and the row moves forward only."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from domain.errors import AlreadyDone, Conflict, NotFound
from domain.process import Step
from store import beds, processes
from store.database import Database
from tests.store.values import admission, minutes, ref, snapshot, step, waiting_for_a_lock


async def _start(database: Database, hospital: str, now: datetime, encounter: str = "e1") -> str:
    workflow_id = admission(hospital, encounter)
    async with database.transaction(hospital) as tx:
        await processes.start(tx, snapshot(workflow_id, phase="requested"), "admission", now)
    return workflow_id


async def _do(database: Database, hospital: str, step: Step, result: dict[str, Any] | None) -> processes.Effect:
    async with database.transaction(hospital) as tx, processes.effect(tx, step) as effect:
        if not effect.replayed:
            effect.result = result
    return effect


async def _row(database: Database, hospital: str, workflow_id: str) -> processes.ProcessRow:
    async with database.transaction(hospital) as tx:
        return await processes.get(tx, workflow_id)


async def test_a_process_starts_once(database: Database, hospital: str, now: datetime) -> None:
    workflow_id = await _start(database, hospital, now)
    row = await _row(database, hospital, workflow_id)
    assert (row.hospital, row.process, row.started_at, row.closed_at) == (hospital, "admission", now, None)
    assert row.snapshot == snapshot(workflow_id, phase="requested")
    with pytest.raises(AlreadyDone) as refused:
        await _start(database, hospital, now)
    assert refused.value.params == {"at": now.isoformat(), "status": "open"}


async def test_an_effect_moves_the_process_row(database: Database, hospital: str, now: datetime) -> None:
    workflow_id = await _start(database, hospital, now)
    done = step("open-task", workflow_id, now + minutes(1), phase="awaiting-bed")
    assert await _do(database, hospital, done, None) == processes.Effect(replayed=False, result=None)
    row = await _row(database, hospital, workflow_id)
    assert row.snapshot == done.process
    assert (row.started_at, row.updated_at) == (now, now + minutes(1))


async def test_a_step_run_again_gives_its_first_result_and_does_nothing(
    database: Database, hospital: str, now: datetime
) -> None:
    workflow_id = await _start(database, hospital, now)
    first = step("assign-bed/1", workflow_id, now, command=uuid4())
    await _do(database, hospital, first, {"bed": "Location/w7-12"})
    again = await _do(database, hospital, first, {"bed": "Location/w7-13"})
    assert again == processes.Effect(replayed=True, result={"bed": "Location/w7-12"})


async def test_a_step_without_a_result_is_replayed_without_one(
    database: Database, hospital: str, now: datetime
) -> None:
    workflow_id = await _start(database, hospital, now)
    await _do(database, hospital, step("admit", workflow_id, now), None)
    assert await _do(database, hospital, step("admit", workflow_id, now), {"x": 1}) == processes.Effect(True, None)


async def test_of_one_step_run_by_five_at_once_one_works_and_four_find_its_result(
    database: Database, hospital: str, now: datetime
) -> None:
    workflow_id = await _start(database, hospital, now)
    worked = []

    async def run(number: int) -> dict[str, Any] | None:
        async with database.transaction(hospital) as tx:
            async with processes.effect(tx, step("assign-bed/1", workflow_id, now)) as effect:
                if not effect.replayed:
                    worked.append(number)
                    await beds.occupy(tx, ref("Location/w7-12"), ref("Encounter/e1"), now)
                    effect.result = {"by": number}
            return effect.result

    results = await asyncio.gather(*(run(number) for number in range(5)))
    assert len(worked) == 1
    assert results == [{"by": worked[0]}] * 5


async def test_when_the_first_run_fails_the_waiting_one_does_the_work(
    database: Database, hospital: str, now: datetime
) -> None:
    workflow_id = await _start(database, hospital, now)
    begun, fail = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with database.transaction(hospital) as tx, processes.effect(tx, step("admit", workflow_id, now)):
            begun.set()
            await fail.wait()
            raise Conflict

    failing = asyncio.create_task(first())
    await begun.wait()
    waiting = asyncio.create_task(_do(database, hospital, step("admit", workflow_id, now), {"by": "second"}))
    while not await waiting_for_a_lock(database, hospital):
        assert not waiting.done()
    fail.set()
    with pytest.raises(Conflict):
        await failing
    assert await waiting == processes.Effect(replayed=False, result={"by": "second"})


async def test_a_refused_effect_leaves_nothing_behind(database: Database, hospital: str, now: datetime) -> None:
    workflow_id = await _start(database, hospital, now)
    refused = step("assign-bed/1", workflow_id, now, command=uuid4(), phase="bed-assigned")
    with pytest.raises(Conflict):
        async with database.transaction(hospital) as tx, processes.effect(tx, refused):
            raise Conflict
    assert (await _row(database, hospital, workflow_id)).snapshot.revision == 0
    assert (await _do(database, hospital, refused, None)).replayed is False


async def test_a_step_that_another_command_did_is_refused_with_who_and_when(
    database: Database, hospital: str, now: datetime
) -> None:
    workflow_id = await _start(database, hospital, now)
    await _do(database, hospital, step("assign-bed/1", workflow_id, now, command=uuid4(), actor="ana@hanbit"), {})
    with pytest.raises(AlreadyDone) as refused:
        await _do(database, hospital, step("assign-bed/1", workflow_id, now, command=uuid4(), actor="ben@hanbit"), {})
    assert refused.value.params == {"by": "ana@hanbit", "at": now.isoformat()}


async def test_a_command_that_comes_again_under_another_step_gets_its_first_answer(
    database: Database, hospital: str, now: datetime
) -> None:
    """After continue-as-new the same Update is taken once more, and the step's counter has risen."""
    workflow_id = await _start(database, hospital, now)
    command = uuid4()
    await _do(database, hospital, step("assign-bed/1", workflow_id, now, command=command), {"bed": "Location/a"})
    again = await _do(database, hospital, step("assign-bed/2", workflow_id, now, command=command), {"bed": "x"})
    assert again == processes.Effect(replayed=True, result={"bed": "Location/a"})
    async with database.transaction(hospital) as tx:
        assert await processes.first_effect_of(tx, command) == {"bed": "Location/a"}
        assert await processes.first_effect_of(tx, uuid4()) is None


async def test_a_command_is_not_answered_with_another_processes_effect(
    database: Database, hospital: str, now: datetime
) -> None:
    command = uuid4()
    await _do(database, hospital, step("cancel", await _start(database, hospital, now), now, command=command), {})
    other = await _start(database, hospital, now, "e2")
    with pytest.raises(AlreadyDone):
        await _do(database, hospital, step("cancel", other, now, command=command), {})


async def test_the_row_never_goes_back(database: Database, hospital: str, now: datetime) -> None:
    workflow_id = await _start(database, hospital, now)
    await _do(database, hospital, step("second", workflow_id, now, revision=2, phase="later"), None)
    await _do(database, hospital, step("first", workflow_id, now, revision=1, phase="earlier"), None)
    row = await _row(database, hospital, workflow_id)
    assert (row.snapshot.revision, row.snapshot.state) == (2, {"phase": "later"})


async def test_a_closed_process_stays_closed(database: Database, hospital: str, now: datetime) -> None:
    workflow_id = await _start(database, hospital, now)
    await _do(database, hospital, step("cancel", workflow_id, now, revision=2, closed=True), None)
    await _do(database, hospital, step("late", workflow_id, now, revision=3), None)
    row = await _row(database, hospital, workflow_id)
    assert (row.closed_at, row.snapshot.revision, row.snapshot.closed) == (now, 2, True)
    async with database.system() as system:
        assert await processes.open_all(system) == []
    with pytest.raises(AlreadyDone) as refused:
        await _start(database, hospital, now)
    assert refused.value.params["status"] == "closed"


async def test_a_process_without_a_row_has_no_effects(database: Database, hospital: str, now: datetime) -> None:
    with pytest.raises(NotFound):
        await _do(database, hospital, step("admit", admission(hospital, "unknown"), now), None)
    async with database.transaction(hospital) as tx:
        with pytest.raises(NotFound):
            await processes.get(tx, admission(hospital, "unknown"))


async def test_open_processes_of_all_hospitals_are_listed_for_reconciling(
    database: Database, hospital: str, other_hospital: str, now: datetime
) -> None:
    ids = {await _start(database, hospital, now), await _start(database, hospital, now, "e2")}
    ids.add(await _start(database, other_hospital, now))
    async with database.system() as system:
        rows = await processes.open_all(system)
    assert {row.snapshot.workflow_id for row in rows} == ids
    assert {row.hospital for row in rows} == {hospital, other_hospital}
