"""Transactions at their edges: commit, rollback, outage."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

import psycopg
import pytest
from psycopg import AsyncConnection, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from domain.errors import Misconfigured, NotFound, Unavailable
from store import records
from store.database import Database
from store.sealing import KeyRing
from tests.store.values import Urls, ref

PATIENT = {"resourceType": "Patient", "id": "p1"}
P1 = ref("Patient/p1")


@asynccontextmanager
async def _gone(urls: Urls) -> AsyncIterator[None]:
    """A database that ends every connection and takes none."""
    name = sql.Identifier(str(conninfo_to_dict(urls.app)["dbname"]))
    async with await AsyncConnection.connect(urls.superuser, autocommit=True) as administrator:
        await administrator.execute(sql.SQL("alter database {} connection limit 0").format(name))
        await _terminate(urls)
        yield
        await administrator.execute(sql.SQL("alter database {} connection limit -1").format(name))


async def _terminate(urls: Urls) -> None:
    async with await AsyncConnection.connect(urls.superuser, autocommit=True) as administrator:
        await administrator.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
            "where datname = current_database() and usename in ('phis_app', 'phis_system')"
        )


async def test_a_transaction_is_all_or_nothing(database: Database, hospital: str, now: datetime) -> None:
    with suppress(ZeroDivisionError):
        async with database.transaction(hospital) as tx:
            await records.create(tx, PATIENT, now=now)
            raise ZeroDivisionError
    async with database.transaction(hospital) as tx:
        with pytest.raises(NotFound):
            await records.read(tx, P1)


async def test_a_cancelled_transaction_is_rolled_back_and_gives_its_connection_back(
    urls: Urls, keys: KeyRing, hospital: str, now: datetime
) -> None:
    async with Database.open(urls.app, urls.system, keys, app_size=1) as database:
        reached = asyncio.Event()

        async def never_ends() -> None:
            async with database.transaction(hospital) as tx:
                await records.create(tx, PATIENT, now=now)
                reached.set()
                await tx.one("select pg_sleep(60)")

        running = asyncio.create_task(never_ends())
        await reached.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        async with database.transaction(hospital) as tx:
            with pytest.raises(NotFound):
                await records.read(tx, P1)


@pytest.mark.parametrize("going_on", [True, False])
async def test_a_database_error_that_is_caught_inside_does_not_pass_for_a_commit(
    database: Database, hospital: str, *, going_on: bool
) -> None:
    async def swallow() -> None:
        async with database.transaction(hospital) as tx:
            with suppress(psycopg.errors.DivisionByZero):
                await tx.one("select 1 / 0")
            if going_on:  # the connection works again, its transaction does not
                with suppress(psycopg.errors.PipelineAborted):
                    await tx.one("select 1")

    with pytest.raises(RuntimeError, match="rolled back"):
        await swallow()


async def test_an_error_of_a_statement_nobody_waited_for_rises_at_the_commit(
    database: Database, hospital: str, now: datetime
) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero):
        async with database.transaction(hospital) as tx:
            await tx.execute("select 1 / 0")


async def test_instants_come_back_in_utc(database: Database, hospital: str, now: datetime) -> None:
    async with database.transaction(hospital) as tx:
        row = await tx.one("select %s::timestamptz as at", [now])
    assert row is not None
    assert row["at"] == now
    assert row["at"].isoformat() == now.isoformat()


async def test_both_roles_answer(database: Database) -> None:
    await database.ping()


async def test_connections_that_died_in_the_pool_are_replaced_before_anybody_meets_them(
    database: Database, urls: Urls, hospital: str
) -> None:
    await database.ping()
    await _terminate(urls)
    for _ in range(4):
        async with database.transaction(hospital) as tx:
            await tx.one("select 1")
    await database.ping()


async def test_a_transaction_that_loses_the_database_says_so_and_the_next_one_works(
    database: Database, urls: Urls, hospital: str, now: datetime
) -> None:
    async def lose() -> None:
        async with database.transaction(hospital) as tx:
            await records.create(tx, PATIENT, now=now)
            await _terminate(urls)

    with pytest.raises(Unavailable) as lost:
        await lose()
    assert lost.value.params == {"part": "database"}
    async with database.transaction(hospital) as tx:
        with pytest.raises(NotFound):
            await records.read(tx, P1)


async def test_while_the_database_is_gone_every_door_says_so_and_afterwards_opens(
    urls: Urls, keys: KeyRing, hospital: str
) -> None:
    async with Database.open(urls.app, urls.system, keys, app_size=2, wait=timedelta(seconds=0.2)) as database:
        async with _gone(urls):
            with pytest.raises(Unavailable):
                await database.ping()
            with pytest.raises(Unavailable):
                async with database.transaction(hospital) as tx:
                    await tx.one("select 1")
            with pytest.raises(Unavailable):
                async with database.system():
                    pass
        async with asyncio.timeout(15):
            while not await _answers(database):
                pass


async def _answers(database: Database) -> bool:
    try:
        await database.ping()
    except Unavailable:
        return False
    return True


async def test_opening_without_a_database_ends_soon_and_says_why(unreachable: str, keys: KeyRing) -> None:
    with pytest.raises(Unavailable, match="refused") as down:
        async with asyncio.timeout(6), Database.open(unreachable, unreachable, keys):
            pass
    assert down.value.params == {"part": "database"}


@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"dbname": "nowhere"}])
async def test_opening_with_a_wrong_address_says_what_to_check(
    urls: Urls, keys: KeyRing, wrong: dict[str, str]
) -> None:
    with pytest.raises(Misconfigured, match="Check its address and password"):
        async with Database.open(make_conninfo(urls.app, **wrong), urls.system, keys):
            pass
