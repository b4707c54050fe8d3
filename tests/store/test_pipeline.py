"""Statements that travel together: their order, their errors, large ones, and those that stay prepared."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg.adapt import PyFormat
from psycopg.rows import dict_row

from store.database import Database, Transaction
from store.pipeline import Line, Pipeline
from store.prepared import MOST, USES, Prepared, spelled
from store.sealing import KeyRing
from tests.store.values import Urls
from tests.waiting import until


@pytest.fixture
async def alone(urls: Urls, keys: KeyRing) -> Database:
    """One connection, so that what a test prepares is where its next transaction looks."""
    async with Database.open(urls.app, urls.system, keys, app_size=1) as database:
        yield database


@pytest.mark.parametrize(
    ("statement", "text", "names", "formats"),
    [
        (b"select 1", b"select 1", (), ()),
        (b"select %s, %b", b"select $1, $2", (), (PyFormat.AUTO, PyFormat.BINARY)),
        (b"%(a)s %(b)t %(a)s", b"$1 $2 $1", ("a", "b"), (PyFormat.AUTO, PyFormat.TEXT)),
        (b"like 'x%%' and %s", b"like 'x%' and $1", (), (PyFormat.AUTO,)),
    ],
)
def test_placeholders_become_postgresqls(
    statement: bytes, text: bytes, names: tuple[str, ...], formats: tuple[PyFormat, ...]
) -> None:
    found = spelled(statement)
    assert (found.text, found.names, found.formats) == (text, names, formats)


@pytest.mark.parametrize("statement", [b"select %d", b"select 5 % 2", b"select 5 %", b"%s %(a)s"])
def test_what_is_no_placeholder_is_refused(statement: bytes) -> None:
    with pytest.raises(psycopg.ProgrammingError):
        spelled(statement)


@pytest.mark.parametrize(
    ("statement", "params"),
    [(b"%s", []), (b"%s", [1, 2]), (b"%s", {"a": 1}), (b"%(a)s", {"b": 1}), (b"%(a)s", [1]), (b"1", [1])],
)
def test_parameters_that_do_not_fit_are_refused(statement: bytes, params: list[int] | dict[str, int]) -> None:
    with pytest.raises(psycopg.ProgrammingError):
        spelled(statement).ordered(params)


async def test_answers_come_in_the_order_of_the_questions(database: Database, hospital: str) -> None:
    async with database.transaction(hospital) as tx:
        asked = [await tx.connection.execute("select %s::int as n", [number]) for number in range(50)]
        assert [await each.fetchone() for each in reversed(asked)] == [{"n": number} for number in reversed(range(50))]


async def test_texts_longer_than_any_buffer_pass_in_both_directions(database: Database, hospital: str) -> None:
    long = "x" * 3_000_000
    async with database.transaction(hospital) as tx:
        asked = [await tx.connection.execute("select %s::text as long", [long]) for _ in range(8)]
        assert [await each.fetchone() for each in asked] == [{"long": long}] * 8


async def test_two_tasks_may_ask_in_one_transaction(database: Database, hospital: str) -> None:
    async with database.transaction(hospital) as tx:
        rows = await asyncio.gather(*(tx.one("select %s::int as n", [number]) for number in range(20)))
    assert rows == [{"n": number} for number in range(20)]


async def test_rows_become_objects_by_the_names_of_their_columns(database: Database, hospital: str) -> None:
    @dataclass
    class Pair:
        a: int
        b: str | None

    async with database.transaction(hospital) as tx:
        assert await tx.rows(Pair, "select null::text as b, n as a from generate_series(1, 2) as n") == [
            Pair(1, None),
            Pair(2, None),
        ]


async def test_a_statement_without_rows_cannot_be_asked_for_them(database: Database, hospital: str) -> None:
    with pytest.raises(psycopg.ProgrammingError):
        async with database.transaction(hospital) as tx:
            await tx.all("set local work_mem = '1MB'")


async def test_what_follows_an_error_is_not_done_and_the_connection_goes_on(alone: Database, hospital: str) -> None:
    async def fail() -> None:
        async with alone.transaction(hospital) as tx:
            await tx.execute("select set_config('phis.seen', 'yes', false)")
            await tx.execute("select 1 / %s::int", [0])
            await tx.one("select set_config('phis.later', 'yes', false)")

    for _ in range(USES + 1):  # prepared and not
        with pytest.raises(psycopg.errors.DivisionByZero):
            await fail()
    async with alone.transaction(hospital) as tx:
        seen = "select current_setting('phis.seen', true) as seen, current_setting('phis.later', true) as later"
        assert await tx.one(seen) in ({"seen": "", "later": None}, {"seen": None, "later": None})


async def test_a_transaction_that_is_left_before_it_asked_has_never_begun(alone: Database, hospital: str) -> None:
    async with alone.transaction(hospital) as tx:
        before = await tx.one("select pg_backend_pid() as pid")

    async def leave() -> None:
        async with alone.transaction(hospital) as tx:
            await tx.execute("select 1 / 0")
            raise LookupError

    with pytest.raises(LookupError):  # and not what the statement would have said
        await leave()
    async with alone.transaction(hospital) as tx:
        assert await tx.one("select pg_backend_pid() as pid") == before


async def test_a_statement_that_repeats_is_prepared_once_and_for_its_types(alone: Database, hospital: str) -> None:
    async def ask(tx: Transaction, value: object) -> None:
        assert await tx.one("select %s as same", [value]) is not None

    async with alone.transaction(hospital) as tx:
        for _ in range(USES + 3):
            await ask(tx, 1)
            await ask(tx, 2**40)
    async with alone.transaction(hospital) as tx:
        row = await tx.one("select count(*) as n from pg_prepared_statements where statement like 'select $1 as same'")
    assert row == {"n": 2}


async def test_a_prepared_statement_survives_a_change_of_its_table(alone: Database, urls: Urls, hospital: str) -> None:
    read = "select * from shared_hospital where code = %s"
    for _ in range(USES + 1):
        async with alone.transaction(hospital) as tx:
            await tx.all(read, [hospital])
    async with await AsyncConnection.connect(urls.superuser, autocommit=True) as administrator:
        await administrator.execute("alter table shared_hospital add column later int")
    with suppress(psycopg.errors.FeatureNotSupported):  # "cached plan must not change result type": once
        async with alone.transaction(hospital) as tx:
            await tx.all(read, [hospital])
    async with alone.transaction(hospital) as tx:
        assert all("later" in row for row in await tx.all(read, [hospital]))


async def test_the_statements_that_were_not_used_for_longest_make_room(alone: Database, hospital: str) -> None:
    async with alone.transaction(hospital) as tx:
        for number in range(MOST + 20):
            for _ in range(USES):
                await tx.execute(f"select {number}, %s::int", [number])
        row = await tx.one("select count(*) as n from pg_prepared_statements")
    assert row is not None
    assert row["n"] <= MOST
    async with alone.transaction(hospital) as tx:
        assert await tx.one("select 0 as zero, %s::int as n", [1]) == {"zero": 0, "n": 1}


def test_uses_are_counted_for_a_bounded_number_of_statements() -> None:
    prepared = Prepared()
    for number in range(20 * MOST):
        assert prepared.name_of((b"select %d" % number, ())) == (None, False)
    assert len(prepared._uses) <= 5 * MOST


async def test_a_lost_task_leaves_nothing_running(alone: Database, urls: Urls, hospital: str) -> None:
    async with alone.transaction(hospital) as tx:
        row = await tx.one("select pg_backend_pid() as pid")
    assert row is not None

    async def sleep() -> None:
        async with alone.transaction(hospital) as tx:
            await tx.one("select pg_sleep(60)")

    running = asyncio.create_task(sleep())
    async with await AsyncConnection.connect(urls.superuser, autocommit=True) as administrator:
        while not await _sleeps(administrator):
            pass
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        while await _sleeps(administrator):
            pass
    await alone.ping()


async def test_a_connection_that_ends_unasked_is_watched_no_longer(urls: Urls) -> None:
    line = await Line.connect(urls.app, autocommit=True, row_factory=dict_row)
    row = await (await Pipeline(line).execute("select pg_backend_pid() as pid")).fetchone()
    assert row is not None
    assert line.watched
    async with await AsyncConnection.connect(urls.superuser, autocommit=True) as administrator:
        await administrator.execute("select pg_terminate_backend(%s, 5000)", [row["pid"]])
    # Else the loop would be told of the end again and again.
    await until(lambda: _is(not line.watched), within=10)
    with pytest.raises(psycopg.OperationalError):
        await (await Pipeline(line).execute("select 1 as one")).fetchone()
    assert not line.watched
    await line.close()


async def test_psycopg_may_wait_on_the_same_connection_between_transactions(urls: Urls) -> None:
    async with await Line.connect(urls.app, autocommit=True, row_factory=dict_row) as line:
        for number in range(3):
            assert await (await Pipeline(line).execute("select %s::int as n", [number])).fetchone() == {"n": number}
            assert await (await line.execute("select %s::int as n", [number])).fetchone() == {"n": number}
        assert not line.watched


async def _is(said: bool) -> bool | None:
    return said or None


async def _sleeps(administrator: AsyncConnection) -> bool:
    found = await administrator.execute(
        "select from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'"
    )
    return await found.fetchone() is not None
