"""A hospital's clock stands still in its settings while processes are open."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import psycopg
import pytest

from domain.clock import HospitalClock
from domain.errors import Conflict
from store import clocks, processes
from store.database import Database
from tests.store.values import admission, snapshot, step, waiting_for_a_lock


async def test_without_a_setting_hospital_time_is_real_time(database: Database, hospital: str, now: datetime) -> None:
    async with database.transaction(hospital) as tx:
        assert (await clocks.clock_of(tx)).at(now) == now


async def test_a_clock_is_set_for_one_hospital(
    database: Database, hospital: str, other_hospital: str, now: datetime
) -> None:
    fast = HospitalClock(epoch=now, base=now, rate=60)
    async with database.transaction(hospital) as tx:
        await clocks.set_clock(tx, HospitalClock(epoch=now, base=now, rate=2))
        await clocks.set_clock(tx, fast)
    async with database.transaction(hospital) as tx:
        assert await clocks.clock_of(tx) == fast
        assert (await clocks.clock_of(tx)).at(now + timedelta(minutes=1)) == now + timedelta(hours=1)
    async with database.transaction(other_hospital) as tx:
        assert await clocks.clock_of(tx) == HospitalClock()
    async with database.system() as system:
        assert await clocks.clocks(system) == {hospital: fast}


async def test_a_clock_is_not_set_while_processes_are_open(
    database: Database, hospital: str, other_hospital: str, now: datetime
) -> None:
    fast = HospitalClock(epoch=now, base=now, rate=60)
    async with database.transaction(hospital) as tx:
        await processes.start(tx, snapshot(admission(hospital)), "admission", now)
    with pytest.raises(Conflict):
        async with database.transaction(hospital) as tx:
            await clocks.set_clock(tx, fast)
    async with database.transaction(other_hospital) as tx:
        await clocks.set_clock(tx, fast)
    async with database.transaction(hospital) as tx:
        async with processes.effect(tx, step("cancel", admission(hospital), now, closed=True)):
            pass
        await clocks.set_clock(tx, fast)


async def test_a_clock_waits_for_a_process_that_is_just_starting(
    database: Database, hospital: str, now: datetime
) -> None:
    async def set_clock() -> None:
        async with database.transaction(hospital) as tx:
            await clocks.set_clock(tx, HospitalClock(epoch=now, base=now, rate=60))

    async with database.transaction(hospital) as tx:
        await processes.start(tx, snapshot(admission(hospital)), "admission", now)
        setting = asyncio.create_task(set_clock())
        while not await waiting_for_a_lock(database, hospital):
            assert not setting.done()
    with pytest.raises(Conflict):
        await setting


async def test_the_database_refuses_a_rate_that_the_clock_would(
    database: Database, hospital: str, now: datetime
) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        async with database.transaction(hospital) as tx:
            await clocks.set_clock(tx, HospitalClock.model_construct(epoch=now, base=now, rate=301))
