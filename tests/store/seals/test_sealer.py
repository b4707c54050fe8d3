"""What was committed is chained within a second, once, and a signed line of it is kept elsewhere."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from psycopg import AsyncConnection

from store import audit
from store.audit import AuditAction
from store.database import Database
from store.sealing import KeyRing
from store.seals.chain import ENDLESS
from store.seals.sealer import asked, connected, last_link, lay_months, links_from
from tests.store.seals.trail import attacker, folder, look, seal, sealer, write
from tests.store.values import Urls, settled


async def test_accesses_are_sealed_in_order_and_found_sound(
    database: Database, urls: Urls, keys: KeyRing, hospital: str, tmp_path: Path
) -> None:
    place = folder(tmp_path)
    sealing = sealer(urls, keys, place, batch=10)
    await write(database, hospital, 25)
    assert await seal(database, hospital, sealing) == 25
    await write(database, hospital, 3, seed=2)
    before = await look(database, keys, hospital, place)
    assert (before.sound, before.rows, before.tail) == (True, 25, 3)
    assert await seal(database, hospital, sealing) == 3
    assert await seal(database, hospital, sealing) == 0
    verdict = await look(database, keys, hospital, place)
    assert (verdict.sound, verdict.rows, verdict.tail, verdict.behind) == (True, 28, 0, 0)
    async with await connected(urls.system) as connection:
        links = await links_from(asked(connection), hospital, 1, 100)
    assert [link.number for link in links] == list(range(1, len(links) + 1))
    assert [link.first for link in links[1:]] == [link.last + 1 for link in links[:-1]]
    assert len(links) >= 3


async def test_hospitals_have_chains_of_their_own(
    database: Database, urls: Urls, keys: KeyRing, *, hospital: str, other_hospital: str, tmp_path: Path
) -> None:
    place = folder(tmp_path)
    sealing = sealer(urls, keys, place)
    await write(database, hospital, 5)
    await write(database, other_hospital, 7)
    assert await seal(database, hospital, sealing) == 12
    assert (await look(database, keys, hospital, place)).rows == 5
    assert (await look(database, keys, other_hospital, place)).rows == 7


async def test_what_commits_late_is_sealed_later_and_nothing_is_passed_over(
    database: Database, urls: Urls, keys: KeyRing, hospital: str, *, tmp_path: Path, now: datetime
) -> None:
    place = folder(tmp_path)
    sealing = sealer(urls, keys, place)
    async with database.transaction(hospital) as late:
        await audit.record(late, action=AuditAction.READ, actor="late", at=now)
        await late.one("select 1")  # what was queued has reached the database
        await write(database, hospital, 4)
        async with await connected(urls.system) as connection:
            assert await sealing.seal_due(connection) == 0
    assert await seal(database, hospital, sealing) == 5
    assert (await look(database, keys, hospital, place)).sound


async def test_a_running_sealer_seals_and_a_second_one_waits_for_the_first_to_die(
    database: Database, urls: Urls, keys: KeyRing, hospital: str, tmp_path: Path
) -> None:
    place = folder(tmp_path)
    one, two = sealer(urls, keys, place), sealer(urls, keys, place)
    first = asyncio.create_task(one.run())
    async with asyncio.timeout(10):
        await one.leading.wait()
    second = asyncio.create_task(two.run())
    await write(database, hospital, 30)
    await _sealed(database, keys, hospital, place, 30)
    assert not two.leading.is_set()
    async with await AsyncConnection.connect(urls.superuser, autocommit=True) as admin:
        await admin.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where application_name = 'phis-sealer' and datname = current_database()"
        )
    await write(database, hospital, 30, seed=3)
    await _sealed(database, keys, hospital, place, 60)
    for task in (first, second):
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _sealed(database: Database, keys: KeyRing, hospital: str, place: object, rows: int) -> None:
    async with asyncio.timeout(20):
        while True:
            verdict = await look(database, keys, hospital, place)  # type: ignore[arg-type]
            wrong = [each for each in verdict.findings if each.what != "cut-off"]  # links were made since we began
            assert not wrong
            if verdict.rows == rows and verdict.tail == 0 and verdict.behind == 0 and verdict.sound:
                return


async def test_a_crash_between_the_link_and_its_line_is_made_good(
    database: Database, urls: Urls, keys: KeyRing, hospital: str, tmp_path: Path
) -> None:
    place = folder(tmp_path)
    await write(database, hospital, 5)
    await seal(database, hospital, sealer(urls, keys, None))  # the link was kept, then the power failed
    assert (await look(database, keys, hospital, place)).behind == 1
    await write(database, hospital, 5, seed=2)
    await seal(database, hospital, sealer(urls, keys, place))
    verdict = await look(database, keys, hospital, place)
    assert (verdict.sound, verdict.rows, verdict.behind) == (True, 10, 0)


async def test_a_torn_line_is_passed_over_and_written_again(
    database: Database, urls: Urls, keys: KeyRing, hospital: str, tmp_path: Path
) -> None:
    place = folder(tmp_path)
    await write(database, hospital, 5)
    await seal(database, hospital, sealer(urls, keys, place))
    (file,) = place.directory.iterdir()
    file.write_bytes(file.read_bytes()[:-40])
    await write(database, hospital, 5, seed=2)
    await seal(database, hospital, sealer(urls, keys, place))
    assert (await look(database, keys, hospital, place)).sound


async def test_the_second_place_may_be_away_for_a_while(
    database: Database, urls: Urls, keys: KeyRing, hospital: str, tmp_path: Path
) -> None:
    place = folder(tmp_path)
    sealing = sealer(urls, keys, place)
    away = place.directory.rename(tmp_path / "away")
    await write(database, hospital, 5)
    assert await seal(database, hospital, sealing) == 5
    away.rename(place.directory)
    await write(database, hospital, 5, seed=2)
    assert await seal(database, hospital, sealing) == 5
    verdict = await look(database, keys, hospital, place)
    assert (verdict.sound, verdict.behind, verdict.rows) == (True, 0, 10)


async def test_the_chain_goes_on_under_a_new_key_and_needs_the_old_one_to_be_checked(
    database: Database, urls: Urls, keys: KeyRing, hospital: str, tmp_path: Path
) -> None:
    place = folder(tmp_path)
    fresh = KeyRing.generate("k2")
    both = KeyRing("k2", {**keys.keys, **fresh.keys})
    await write(database, hospital, 5)
    await seal(database, hospital, sealer(urls, keys, place))
    await write(database, hospital, 5, seed=2)
    await seal(database, hospital, sealer(urls, both, place))
    assert (await look(database, both, hospital, place)).sound
    verdict = await look(database, fresh, hospital, place)
    assert [each.what for each in verdict.findings][:1] == ["key-missing"]


async def test_a_database_that_counts_transactions_anew_goes_on_above_what_was_sealed(
    database: Database, urls: Urls, keys: KeyRing, hospital: str, tmp_path: Path
) -> None:
    """As after a dump was restored into another server, whose transactions have small numbers."""
    place = folder(tmp_path)
    async with attacker(urls) as connection:  # the old server was at a transaction far ahead of ours
        await write(database, hospital, 6)
        await connection.execute("update audit_event set xid = xid + 1000000000")
        old = sealer(urls, keys, None)
        async with await connected(urls.system) as system:
            await _seal_as_if_at(system, old, hospital, 2_000_000_000)
        await write(database, hospital, 2, seed=4)
        await connection.execute("update audit_event set xid = xid + 2000000000 where xid < 1000000000")
    await write(database, hospital, 5, seed=5)
    sealing = sealer(urls, keys, place)
    assert await seal(database, hospital, sealing) == 2
    assert await seal(database, hospital, sealing) == 5
    verdict = await look(database, keys, hospital, place)
    assert (verdict.findings, verdict.rows, verdict.tail) == ([], 13, 0)
    async with await connected(urls.system) as system:
        assert [link.until_xid == ENDLESS for link in await links_from(asked(system), hospital, 1, 9)] == [
            False,
            True,
            False,
        ]


async def _seal_as_if_at(system: AsyncConnection[dict[str, object]], old: object, hospital: str, xmin: int) -> None:
    from store.seals import sealer as module
    from store.seals.chain import Ahead, forge

    rows, _ = await module._rows(system, hospital, Ahead(), xmin, 1000)
    await module._keep(system, forge(old.keys, hospital, Ahead(), rows, until_xid=xmin, at=datetime.now(UTC)))  # type: ignore[attr-defined]


async def test_a_sealer_does_not_go_on_where_the_database_was_cut_back(
    database: Database, urls: Urls, keys: KeyRing, hospital: str, tmp_path: Path
) -> None:
    place = folder(tmp_path)
    await write(database, hospital, 5)
    await seal(database, hospital, sealer(urls, keys, place))
    async with attacker(urls) as connection:
        await connection.execute("delete from audit_seal")
    await write(database, hospital, 5, seed=2)
    assert await seal(database, hospital, sealer(urls, keys, place)) == 0
    verdict = await look(database, keys, hospital, place)
    assert [each.what for each in verdict.findings] == ["cut-off"]


async def test_months_are_laid_ahead_once(database: Database, urls: Urls, hospital: str) -> None:
    async with await connected(urls.system) as connection:
        at = datetime(2027, 12, 15, tzinfo=UTC)
        assert await lay_months(connection, at, 3) == 2
        assert await lay_months(connection, at, 3) == 0
    async with database.transaction(hospital) as tx:
        await audit.record(tx, action=AuditAction.READ, actor="a", at=datetime(2028, 2, 29, 23, 59, tzinfo=UTC))
    async with await AsyncConnection.connect(urls.superuser, autocommit=True) as connection:
        cursor = await connection.execute("select tableoid::regclass::text from audit_event")
        assert await cursor.fetchall() == [("audit_event_2028_02",)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
            await connection.execute("truncate audit_event_2028_02")
        cursor = await connection.execute(
            "select relrowsecurity and relforcerowsecurity from pg_class where relname = 'audit_event_2028_02'"
        )
        assert await cursor.fetchone() == (True,)


async def test_a_month_whose_rows_came_too_early_is_left_in_the_default_part(
    database: Database, urls: Urls, hospital: str
) -> None:
    async with database.transaction(hospital) as tx:
        await audit.record(tx, action=AuditAction.READ, actor="a", at=datetime(2028, 1, 2, tzinfo=UTC))
    async with await connected(urls.system) as connection:
        assert await lay_months(connection, datetime(2028, 1, 15, tzinfo=UTC), 2) == 1


CHANGES: list[LiteralString] = [
    "update audit_event set actor = 'somebody else'",
    "delete from audit_event",
    "truncate audit_event",
    "truncate audit_event_2026_11",
    "delete from audit_event_2026_11",
    "update audit_seal set number = 2",
    "delete from audit_seal",
    "truncate audit_seal",
]


@pytest.mark.parametrize("role", ["app", "system", "migrate", "superuser"])
async def test_no_role_changes_or_deletes_what_was_written(
    database: Database, urls: Urls, keys: KeyRing, hospital: str, role: str
) -> None:
    await write(database, hospital, 1)
    await seal(database, hospital, sealer(urls, keys, None))
    async with await AsyncConnection.connect(getattr(urls, role), autocommit=True) as connection:
        await connection.execute("select set_config('phis.hospital', %s, false)", [hospital])
        for statement in CHANGES:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await connection.execute(statement)


async def test_the_application_makes_no_links(database: Database, hospital: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with database.transaction(hospital) as tx:
            await tx.execute("insert into audit_seal (hospital, number) values (%s, 1)", [hospital])


async def test_the_last_link_is_none_before_the_first(urls: Urls, hospital: str, database: Database) -> None:
    await settled(database, hospital)
    async with await connected(urls.system) as connection:
        assert await last_link(asked(connection), hospital) is None
