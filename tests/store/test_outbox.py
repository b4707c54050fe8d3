"""Nothing that was committed is missed, however late it was committed, and one relay announces it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

from psycopg import AsyncConnection, sql
from psycopg.rows import dict_row

from store import outbox
from store.database import Database, Transaction
from store.outbox import Change, Hint, Relay, listen
from tests.store.values import Urls, settled

TOPICS = ["worklist", "journal"]
SOON = 10.0  # seconds: a bound on a test that fails, not a wait


async def _changes(database: Database, hospital: str, position: int, limit: int = 1000) -> list[Change]:
    async with database.transaction(hospital) as tx:
        return await outbox.changes_since(tx, position, TOPICS, limit)


async def _put(database: Database, hospital: str, *subjects: str) -> None:
    async with database.transaction(hospital) as tx:
        for subject in subjects:
            await outbox.put(tx, "worklist", subject)


@asynccontextmanager
async def _running(relay: Relay) -> AsyncIterator[asyncio.Task[None]]:
    running = asyncio.create_task(relay.run())
    try:
        yield running
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


def _relay(urls: Urls) -> Relay:
    return Relay(urls.system, now=lambda: datetime.now(UTC), poll=timedelta(milliseconds=5))


async def _terminate(urls: Urls, application: str) -> None:
    async with await AsyncConnection.connect(urls.superuser, autocommit=True) as connection:
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where application_name = %s and datname = current_database()",
            [application],
        )


async def test_a_reader_gets_the_topics_it_asks_for_from_where_it_stopped(database: Database, hospital: str) -> None:
    await _put(database, hospital, "Task/t1")
    async with database.transaction(hospital) as tx:
        await outbox.put(tx, "journal", "Encounter/e1")
        await outbox.put(tx, "elsewhere", "x")
    await settled(database, hospital)
    first, second = await _changes(database, hospital, 0)
    assert (first.topic, first.subject, second.topic, second.subject) == (
        "worklist",
        "Task/t1",
        "journal",
        "Encounter/e1",
    )
    assert await _changes(database, hospital, first.position) == [second]
    assert await _changes(database, hospital, second.position) == []


async def test_a_change_is_announced_only_when_its_transaction_commits(database: Database, hospital: str) -> None:
    with suppress(ZeroDivisionError):
        async with database.transaction(hospital) as tx:
            await outbox.put(tx, "worklist", "Task/t1")
            raise ZeroDivisionError
    await settled(database, hospital)
    assert await _changes(database, hospital, 0) == []


async def test_a_late_commit_is_not_lost_behind_a_reader(database: Database, hospital: str) -> None:
    """`id > cursor` would lose it: the older transaction writes first and commits last."""
    async with database.transaction(hospital) as older:
        await outbox.put(older, "worklist", "Task/older")
        await older.one("select 1")
        await _put(database, hospital, "Task/younger")
        # Committed, and yet held back: the older one may still come before it.
        assert await _changes(database, hospital, 0) == []
    await settled(database, hospital)
    older_change, younger_change = await _changes(database, hospital, 0)
    assert (older_change.subject, younger_change.subject) == ("Task/older", "Task/younger")


async def test_an_older_transaction_that_writes_late_does_not_hide_a_younger_one(
    database: Database, hospital: str
) -> None:
    async with database.transaction(hospital) as older:
        await older.one("select pg_current_xact_id()")
        async with database.transaction(hospital) as younger:
            await outbox.put(younger, "worklist", "Task/younger")
            await younger.one("select 1")
            await outbox.put(older, "worklist", "Task/older")  # a higher row number, an earlier transaction
            await older.one("select 1")
            await _end(older)
            seen = await _read_until(database, hospital, "Task/older")
    await settled(database, hospital)
    rest = await _changes(database, hospital, seen[-1].position)
    assert [change.subject for change in [*seen, *rest]] == ["Task/older", "Task/younger"]


async def _end(tx: Transaction) -> None:
    # Commits now, while the younger transaction is still open; the block's own commit then finds nothing to do.
    await tx.one("select 1")
    await tx.connection.execute("commit")
    await tx.connection.execute("begin")
    await tx.one("select 1")


async def _read_until(database: Database, hospital: str, subject: str) -> list[Change]:
    while True:
        changes = await _changes(database, hospital, 0)
        if subject in [change.subject for change in changes]:
            return changes


async def test_changes_of_one_transaction_are_never_divided(database: Database, hospital: str) -> None:
    await _put(database, hospital, *(f"Task/a{number}" for number in range(5)))
    await _put(database, hospital, *(f"Task/b{number}" for number in range(5)))
    await settled(database, hospital)
    first = await _changes(database, hospital, 0, limit=3)
    assert [change.subject for change in first] == [f"Task/a{number}" for number in range(5)]
    rest = await _changes(database, hospital, first[-1].position, limit=3)
    assert [change.subject for change in rest] == [f"Task/b{number}" for number in range(5)]


async def test_a_new_reader_begins_at_the_present(database: Database, hospital: str) -> None:
    await _put(database, hospital, "Task/before")
    await settled(database, hospital)
    async with database.transaction(hospital) as tx:
        start = await outbox.position(tx)
    await _put(database, hospital, "Task/after")
    await settled(database, hospital)
    assert [change.subject for change in await _changes(database, hospital, start)] == ["Task/after"]


async def test_the_relay_tells_each_hospital_and_topic_once_for_many_changes(
    database: Database, urls: Urls, hospital: str, other_hospital: str, now: datetime
) -> None:
    await _put(database, hospital, *(f"Task/t{number}" for number in range(50)))
    await _put(database, other_hospital, "Task/t1")
    await settled(database, hospital)
    async with await AsyncConnection.connect(urls.system, autocommit=True, row_factory=dict_row) as connection:
        assert await outbox.deliver(connection, now) == 2
        assert await outbox.deliver(connection, now) == 0


async def test_a_listener_is_told_by_the_leading_relay(database: Database, urls: Urls, hospital: str) -> None:
    relay = _relay(urls)
    async with _running(relay), aclosing(listen(urls.app)) as hints, asyncio.timeout(SOON):
        assert await anext(hints) == Hint("", "", 0)
        await _put(database, hospital, "Task/t1")
        hint = await anext(hints)
    assert (hint.hospital, hint.topic) == (hospital, "worklist")
    assert [each.position for each in await _changes(database, hospital, 0)] == [hint.position]


async def test_one_relay_leads_and_another_takes_over(database: Database, urls: Urls, hospital: str) -> None:
    first, second = _relay(urls), _relay(urls)
    async with asyncio.timeout(SOON), _running(first) as running:
        await first.leading.wait()
        async with _running(second), aclosing(listen(urls.app)) as hints:
            await anext(hints)
            await _put(database, hospital, "Task/t1")
            await anext(hints)
            assert not second.leading.is_set()
            running.cancel()
            await second.leading.wait()
            assert not first.leading.is_set()
            await _put(database, hospital, "Task/t2")
            assert (await anext(hints)).hospital == hospital


async def test_relay_and_listener_come_back_after_the_database_was_gone(
    database: Database, urls: Urls, hospital: str
) -> None:
    relay = _relay(urls)
    name = sql.Identifier(await _name(urls))
    async with asyncio.timeout(SOON), _running(relay), aclosing(listen(urls.app)) as hints:
        await relay.leading.wait()
        await anext(hints)
        async with await AsyncConnection.connect(urls.superuser, autocommit=True) as administrator:
            await administrator.execute(sql.SQL("alter database {} connection limit 0").format(name))
            await _terminate(urls, "phis-relay")
            await _terminate(urls, "phis-listener")
            while relay.leading.is_set():
                await _changes(database, hospital, 0)
            await _put(database, hospital, "Task/while-away")
            await administrator.execute(sql.SQL("alter database {} connection limit -1").format(name))
        assert await anext(hints) == Hint("", "", 0)  # what was told meanwhile is lost: look everywhere
        await relay.leading.wait()
        await _put(database, hospital, "Task/afterwards")
        await settled(database, hospital)
        last = Hint("", "", 0)
        while [each.subject for each in await _changes(database, hospital, last.position)] != []:
            last = await anext(hints)
        assert last.hospital == hospital
        assert [each.subject for each in await _changes(database, hospital, 0)] == [
            "Task/while-away",
            "Task/afterwards",
        ]


async def _name(urls: Urls) -> str:
    async with await AsyncConnection.connect(urls.superuser, autocommit=True) as connection:
        row = await (await connection.execute("select current_database()")).fetchone()
    assert row is not None
    return str(row[0])


async def test_delivered_changes_are_kept_for_a_day(database: Database, urls: Urls, hospital: str) -> None:
    clock = [datetime(2026, 11, 23, 8, tzinfo=UTC)]
    relay = Relay(urls.system, now=lambda: clock[0], poll=timedelta(milliseconds=5))
    async with asyncio.timeout(SOON), _running(relay), aclosing(listen(urls.app)) as hints:
        await anext(hints)
        await _put(database, hospital, "Task/t1")
        await anext(hints)
        clock[0] += timedelta(days=1)
        await _put(database, hospital, "Task/t2")
        await anext(hints)
        assert [each.subject for each in await _changes(database, hospital, 0)] == ["Task/t1", "Task/t2"]
        clock[0] += timedelta(minutes=1)
        while [each.subject for each in await _changes(database, hospital, 0)] != ["Task/t2"]:
            pass
