"""Workers are killed while they count: another goes on from the last slice, and no case is lost or counted twice."""

from __future__ import annotations

import asyncio
import os
import random
import sys
from asyncio.subprocess import PIPE, Process
from uuid import uuid4

import pytest
from temporalio.client import Client

from domain.rule_impact import Counted, ReportState
from store.database import Database
from store.sealing import KeyRing
from tests.conftest import House
from tests.rule_past import asked, fill, impact_of, report_of
from tests.store.values import Urls
from tests.waiting import until
from workflows.rule_impact import RuleImpact

CASES = 40_000


@pytest.fixture
def told(house: House, urls: Urls, keys: KeyRing) -> dict[str, str]:
    """What a worker in a process of its own is told."""
    return {
        "PHIS_DATABASE_URL": urls.app,
        "PHIS_DATABASE_SYSTEM_URL": urls.system,
        "PHIS_KEYS": keys.text,
        "PHIS_TEMPORAL_ADDRESS": house.temporal,
    }


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
async def test_a_report_outlives_its_workers(
    told: dict[str, str], database: Database, hospital: str, temporal_client: Client, seed: int
) -> None:
    task_queue = f"phis-counting-{uuid4().hex[:12]}"
    chance = random.Random(seed)  # noqa: S311  (a moment, no secret)
    for first in range(0, CASES, 4_000):
        await fill(database, hospital, 4_000, first=first)
    state = await asked(database, hospital)
    counting = await temporal_client.start_workflow(RuleImpact.run, state, id=state.workflow_id, task_queue=task_queue)

    async def cases() -> int:
        return impact_of(await report_of(database, hospital, state.report)).cases

    async def worker() -> Process:
        made = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.faults.counting", task_queue, stdout=PIPE, env=os.environ | told
        )
        assert made.stdout is not None
        assert await asyncio.wait_for(made.stdout.readline(), 60) == b"working\n"
        return made

    for _ in range(2):
        before, victim = await cases(), await worker()

        async def further(least: int = before + chance.randint(1, CASES // 3)) -> int | None:
            now = await cases()
            return now if now >= least else None

        try:
            await until(further, within=60)
        finally:
            victim.kill()
            await victim.wait()
    last = await worker()
    try:
        assert await asyncio.wait_for(counting.result(), 90) == Counted(state=ReportState.DONE, cases=CASES)
    finally:
        last.kill()
        await last.wait()
    impact = impact_of(await report_of(database, hospital, state.report))
    assert (impact.cases, impact.expected, impact.changed) == (CASES, CASES, CASES // 2)
    assert {name: group.cases for name, group in impact.wards.items()} == {"": CASES // 2, "w1": CASES // 2}
