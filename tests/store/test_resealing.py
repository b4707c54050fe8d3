"""Keys change under load: what was sealed is read all the while, and in the end nothing of the old key is left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import pytest
from psycopg import AsyncConnection

from domain.errors import Conflict, Misconfigured, NotFound, SealBroken
from domain.ids import Reference
from store import data_keys, resealing
from store.care import glass
from store.database import Database, Transaction
from store.fhir import reading, writing
from store.fhir.reindexing import reindex
from store.fhir.rows import TABLES
from store.sealing import KeyRing
from tests.conftest import Urls
from tests.store.search import ward

AT_ONCE = timedelta()
LONG_AGO = timedelta(days=-1)


async def rotate(database: Database, hospital: str) -> str:
    """A new key that seals at once: no other process runs, and none has a transaction open."""
    async with database.system() as tx:
        key = await data_keys.announce(tx, hospital, ahead=LONG_AGO)
    await database.know_keys()
    return key.id


async def counts(database: Database, hospital: str) -> dict[str, dict[str, int]]:
    async with database.transaction(hospital) as tx:
        return await resealing.counted(tx)


async def reseal(database: Database, hospital: str, limit: int = 7) -> int:
    steps = 0
    while await resealing.step(database, hospital, limit=limit):
        steps += 1
    return steps


async def furnished(database: Database, hospital: str, now: datetime) -> None:
    await ward.keep(database, hospital, ward.resources(), now)
    async with database.transaction(hospital) as tx:
        await writing.delete(tx, Reference("Patient/p3"), expected=1, now=now)
        await glass.break_glass(
            tx,
            UUID(int=1),
            actor=f"doctor@{hospital}",
            patient=Reference("Patient/p1"),
            reason="emergency",
            words="심정지로 이송됨, 확인 필요",
            now=now,
        )


async def test_what_the_ring_sealed_is_sealed_by_the_hospitals_own_key_and_read_before_and_after(
    database: Database, hospital: str, keys: KeyRing, now: datetime
) -> None:
    await furnished(database, hospital, now)
    assert set(await counts(database, hospital)) == {keys.current}
    new = await rotate(database, hospital)
    async with database.transaction(hospital) as tx:
        before = (await reading.read(tx, Reference("Patient/p1"))).text
        assert await ward.ids(tx, "Patient?identifier=800517-2000000") == "p1"
    assert await reseal(database, hospital) > 3
    counted = await counts(database, hospital)
    assert set(counted) == {new}
    assert {"resource.body", "resource_history.body", "broken_glass.words"} <= set(counted[new])
    async with database.system() as tx:
        await data_keys.retire(tx, hospital, keys.current, {})
    await database.know_keys()
    async with database.transaction(hospital) as tx:
        assert (await reading.read(tx, Reference("Patient/p1"))).text == before
        assert await ward.ids(tx, "Patient?identifier=800517-2000000") == "p1"
        assert (await glass.get(tx, UUID(int=1))).words == "심정지로 이송됨, 확인 필요"
        assert tx.keys.searching(hospital) == (new,)


async def rows(tx: Transaction) -> dict[str, set[str]]:
    found = {}
    for table in TABLES:
        statement = f"select listed::text as text from {table.name} listed".encode()  # noqa: S608  # a table of ours
        found[table.name] = {row["text"] for row in await tx.all(statement)}
    return found


async def test_search_rows_after_sealing_anew_are_what_a_write_would_have_made(
    database: Database, hospital: str, now: datetime
) -> None:
    """Composite parameters put hashes of codes into the tables of dates and quantities as well."""
    await ward.keep(database, hospital, ward.resources(), now)
    async with database.transaction(hospital) as tx:
        before = await rows(tx)
    await rotate(database, hospital)
    await reseal(database, hospital)
    async with database.transaction(hospital) as tx:
        anew = await rows(tx)
        changed = {name for name in anew if anew[name] != before[name]}
        assert {"search_token", "search_quantity"} <= changed
        for table in TABLES:
            await tx.execute(f"delete from {table.name}".encode())  # noqa: S608  # a table of ours
        await reindex(tx)
    async with database.transaction(hospital) as tx:
        assert await rows(tx) == anew


async def test_clients_read_write_and_search_while_keys_change_and_nothing_fails(
    database: Database, urls: Urls, keys: KeyRing, hospital: str, now: datetime
) -> None:
    """Two processes that learn of the keys each by itself, six clients, three rotations."""
    count = 40
    async with database.transaction(hospital) as tx:
        for number in range(count):
            await writing.create(tx, patient(number, 0), now=now)
    ended = asyncio.Event()
    done = {"reads": 0, "writes": 0, "searches": 0}

    async def reader(from_: Database, start: int) -> None:
        number = start
        while not ended.is_set():
            number = (number + 1) % count
            async with from_.transaction(hospital) as tx:
                found = await reading.read(tx, Reference(f"Patient/p{number}"))
                assert found.body["name"][0]["family"].startswith(f"Number{number}-")
            async with from_.transaction(hospital) as tx:
                assert await ward.ids(tx, f"Patient?identifier=urn:mrn|{number}") == f"p{number}"
            done["reads"] += 1
            done["searches"] += 1

    async def writer(to: Database, start: int) -> None:
        number, turn = start, 0
        while not ended.is_set():
            number, turn = (number + 3) % count, turn + 1
            with suppress(Conflict):
                async with to.transaction(hospital) as tx:
                    head = (await reading.heads(tx, [Reference(f"Patient/p{number}")]))[Reference(f"Patient/p{number}")]
                    await writing.update(tx, patient(number, turn), expected=head.version, now=now)
                    done["writes"] += 1

    async with Database.open(urls.app, urls.system, keys) as other:
        working = [
            asyncio.create_task(client)
            for client in (reader(database, 0), reader(other, 20), writer(database, 0), writer(other, 1))
        ]
        try:
            for _ in range(3):
                async with database.system() as tx:
                    # Announced, then known to everybody, then used: as the seconds between do it in a hospital.
                    key = await data_keys.announce(tx, hospital, ahead=timedelta(hours=1))
                await asyncio.gather(database.know_keys(), other.know_keys())
                await begin(urls, hospital, key.id)
                await asyncio.gather(other.know_keys(), database.know_keys())
                await asyncio.gather(reseal(database, hospital), reseal(other, hospital))
                assert not any(task.done() for task in working)
        finally:
            ended.set()
            await asyncio.gather(*working)
    assert min(done.values()) > 10
    await reseal(database, hospital)
    async with database.transaction(hospital) as tx:
        await resealing.begin_again(tx)
    await reseal(database, hospital)
    assert set(await counts(database, hospital)) == {key.id}
    async with database.transaction(hospital) as tx:
        tokens = await tx.all("select count(*) as n from search_token where hospital = %s", [hospital])
        before = tokens[0]["n"]
        for number in range(count):
            body = (await reading.read(tx, Reference(f"Patient/p{number}"))).body
            await writing.update(tx, body, expected=int(body["meta"]["versionId"]), now=now)
        tokens = await tx.all("select count(*) as n from search_token where hospital = %s", [hospital])
    assert tokens[0]["n"] == before, "rows of earlier keys or contents were left over"


def patient(number: int, turn: int) -> dict[str, object]:
    return {
        "resourceType": "Patient",
        "id": f"p{number}",
        "name": [{"family": f"Number{number}-{turn}"}],
        "identifier": [{"system": "urn:mrn", "value": str(number)}, {"system": "urn:turn", "value": f"{turn}"}],
    }


async def begin(urls: Urls, hospital: str, key_id: str) -> None:
    """The time of the announcement has passed."""
    async with await AsyncConnection.connect(urls.migrate, autocommit=True) as connection:
        await connection.execute(
            "update data_key set current_from = made_at where hospital = %s and id = %s",
            [hospital, key_id],
        )


class _Killed(Exception):
    pass


async def _crashing(calls: Iterator[bool], work: Callable[..., Awaitable[None]], *given: object) -> None:
    if not next(calls, False):
        raise _Killed
    await work(*given)


async def test_a_crash_in_the_middle_goes_on_where_it_was(
    database: Database, hospital: str, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    await furnished(database, hospital, now)
    new = await rotate(database, hospital)
    assert await resealing.step(database, hospital, limit=5)
    half = await counts(database, hospital)
    assert half[new]["resource.body"] == 5
    with monkeypatch.context() as crash:
        calls = iter([True, True, True])
        crash.setattr(resealing, "_index_anew", partial(_crashing, calls, resealing._index_anew))
        with pytest.raises(_Killed):
            await resealing.step(database, hospital, limit=5)
    assert (await counts(database, hospital))[new] == half[new], "a batch is whole or not at all"
    await reseal(database, hospital)
    assert set(await counts(database, hospital)) == {new}


async def test_a_key_goes_only_when_nothing_is_left_of_it(
    database: Database, hospital: str, keys: KeyRing, now: datetime
) -> None:
    await furnished(database, hospital, now)
    first = await rotate(database, hospital)
    await reseal(database, hospital)
    second = await rotate(database, hospital)
    left = (await counts(database, hospital))[first]
    async with database.system() as tx:
        with pytest.raises(Conflict, match=r"rows are sealed with it: \d+ in resource.body"):
            await data_keys.retire(tx, hospital, first, left)
    async with database.system() as tx:
        with pytest.raises(Conflict, match="the key seals"):
            await data_keys.retire(tx, hospital, second, {})
    async with database.system() as tx:
        with pytest.raises(NotFound):
            await data_keys.retire(tx, hospital, "d.000000000000", {})
    await reseal(database, hospital)
    async with database.system() as tx:
        await data_keys.retire(tx, hospital, first, {})
        (row,) = [key for key in (await data_keys.every(tx))[hospital] if key.id == first]
    assert row.wrapped == b"", "the key itself is gone"
    await database.know_keys()
    async with database.transaction(hospital) as tx:
        assert (await reading.read(tx, Reference("Patient/p1"))).version == 1
        with pytest.raises(SealBroken, match="its key is gone"):
            tx.keys.derive(first, "body", hospital)


async def test_teeth_a_key_that_goes_though_rows_are_left_takes_them_with_it(
    database: Database, hospital: str, now: datetime
) -> None:
    """What `left` is for: without the count, and without sealing anew, a rotation would lose what was kept."""
    first = await rotate(database, hospital)
    await ward.keep(database, hospital, ward.resources(), now)
    await rotate(database, hospital)
    async with database.system() as tx:
        await data_keys.retire(tx, hospital, first, {})
    await database.know_keys()
    with pytest.raises(SealBroken, match="its key is gone"):
        async with database.transaction(hospital) as tx:
            await reading.read(tx, Reference("Patient/p1"))


async def test_two_announcements_do_not_overtake_each_other(database: Database, hospital: str) -> None:
    async with database.system() as tx:
        await data_keys.announce(tx, hospital)
    async with database.system() as tx:
        with pytest.raises(Conflict, match="announced already"):
            await data_keys.announce(tx, hospital)
    await database.know_keys()
    async with database.transaction(hospital) as tx:
        assert tx.keys.sealing(hospital) == tx.keys.current
        assert len(tx.keys.searching(hospital)) == 2


async def test_a_master_key_changes_without_sealing_anything_anew(
    database: Database, urls: Urls, hospital: str, keys: KeyRing, now: datetime
) -> None:
    await rotate(database, hospital)
    await ward.keep(database, hospital, ward.resources(), now)
    next_ = KeyRing.generate("k2")
    ring = KeyRing("k2", {**next_.keys, **keys.keys})
    async with Database.open(urls.app, urls.system, ring) as both, both.system() as tx:
        assert await data_keys.rewrap(tx) == 1
        assert await data_keys.rewrap(tx) == 0
    async with Database.open(urls.app, urls.system, next_) as after:
        await after.know_keys()
        async with after.transaction(hospital) as tx:
            assert (await reading.read(tx, Reference("Patient/p1"))).version == 1


async def test_a_master_key_that_was_taken_out_too_early_is_named(
    database: Database, urls: Urls, hospital: str, keys: KeyRing, now: datetime
) -> None:
    await rotate(database, hospital)
    await ward.keep(database, hospital, ward.resources(), now)
    async with Database.open(urls.app, urls.system, KeyRing.generate("k2")) as early:
        with pytest.raises(Misconfigured, match=f"no key {keys.current}, which data keys of {hospital}"):
            await early.know_keys()
        async with early.transaction(hospital) as tx:
            with pytest.raises(SealBroken, match="master key that is not in the ring"):
                await reading.read(tx, Reference("Patient/p1"))


async def test_a_data_key_of_one_hospital_does_not_open_anothers(
    database: Database, urls: Urls, hospital: str, other_hospital: str, keys: KeyRing
) -> None:
    """Its wrapping is bound to the hospital: a row moved there is worth nothing."""
    await rotate(database, hospital)
    async with await AsyncConnection.connect(urls.superuser, autocommit=True) as connection:
        await connection.execute("update data_key set hospital = %s where hospital = %s", [other_hospital, hospital])
    with pytest.raises(Misconfigured):
        await database.know_keys()
