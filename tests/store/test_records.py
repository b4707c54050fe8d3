"""Resources keep every version, and their bodies are sealed where they stand."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import LiteralString

import pytest
from psycopg import AsyncConnection

from domain.errors import Conflict, Invalid, NotFound, SealBroken, StaleRevision
from store import records
from store.database import Database
from tests.store.values import Urls, ref

PATIENT = {"resourceType": "Patient", "id": "p1", "name": [{"text": "김하나"}]}


async def test_a_resource_is_read_as_it_was_written_with_its_version_and_time(
    database: Database, hospital: str, now: datetime
) -> None:
    async with database.transaction(hospital) as tx:
        written = await records.create(tx, PATIENT, now=now)
    async with database.transaction(hospital) as tx:
        stored = await records.read(tx, ref("Patient/p1"))
    assert stored == written
    assert stored.body == {**PATIENT, "meta": {"versionId": "1", "lastUpdated": now.isoformat()}}
    assert (stored.version, stored.last_updated, stored.owner) == (1, now, None)


async def test_an_id_is_given_chosen_or_random(database: Database, hospital: str, now: datetime) -> None:
    async with database.transaction(hospital) as tx:
        assert (await records.create(tx, PATIENT, id="p2", now=now)).reference == "Patient/p2"
        random = await records.create(tx, {"resourceType": "Patient"}, now=now)
        assert len(random.reference.id) == 36
        assert random.body["id"] == random.reference.id


async def test_an_update_keeps_the_earlier_version(database: Database, hospital: str, now: datetime) -> None:
    later = now + timedelta(hours=1)
    async with database.transaction(hospital) as tx:
        await records.create(tx, PATIENT, now=now, owner=f"{hospital}/admission/Encounter/e1")
        await records.update(tx, {**PATIENT, "active": True}, if_match=1, now=later)
        newest = await records.update(tx, {**PATIENT, "active": False}, if_match=2, now=later)
        versions = await records.history(tx, ref("Patient/p1"))
    assert [(each.version, each.body.get("active")) for each in versions] == [(3, False), (2, True), (1, None)]
    assert versions[0] == newest
    assert {each.owner for each in versions} == {f"{hospital}/admission/Encounter/e1"}
    assert versions[2].last_updated == now


async def test_an_update_of_an_earlier_version_is_refused(database: Database, hospital: str, now: datetime) -> None:
    async with database.transaction(hospital) as tx:
        await records.create(tx, PATIENT, now=now)
        await records.update(tx, PATIENT, if_match=1, now=now)
    with pytest.raises(StaleRevision) as refused:
        async with database.transaction(hospital) as tx:
            await records.update(tx, PATIENT, if_match=1, now=now)
    assert refused.value.params == {"reference": "Patient/p1", "expected": "1", "actual": "2"}


async def test_of_two_updates_at_once_one_is_refused(database: Database, hospital: str, now: datetime) -> None:
    async with database.transaction(hospital) as tx:
        await records.create(tx, PATIENT, now=now)

    async def change() -> None:
        async with database.transaction(hospital) as tx:
            await records.update(tx, PATIENT, if_match=1, now=now)

    outcomes = await asyncio.gather(change(), change(), return_exceptions=True)
    assert sorted(type(each).__name__ for each in outcomes) == ["NoneType", "StaleRevision"]
    async with database.transaction(hospital) as tx:
        assert [each.version for each in await records.history(tx, ref("Patient/p1"))] == [2, 1]


async def test_what_does_not_exist_is_not_found(database: Database, hospital: str, now: datetime) -> None:
    async with database.transaction(hospital) as tx:
        with pytest.raises(NotFound):
            await records.read(tx, ref("Patient/p1"))
        with pytest.raises(NotFound):
            await records.history(tx, ref("Patient/p1"))
        with pytest.raises(NotFound):
            await records.update(tx, PATIENT, if_match=1, now=now)


async def test_an_id_is_taken_once(database: Database, hospital: str, now: datetime) -> None:
    async with database.transaction(hospital) as tx:
        await records.create(tx, PATIENT, now=now)
    with pytest.raises(Conflict):
        async with database.transaction(hospital) as tx:
            await records.create(tx, PATIENT, now=now)


@pytest.mark.parametrize("resource", [{}, {"resourceType": 7}, {"resourceType": "Patient", "id": "no spaces"}])
async def test_what_is_no_resource_is_refused(
    database: Database, hospital: str, now: datetime, resource: dict[str, object]
) -> None:
    with pytest.raises(Invalid):
        async with database.transaction(hospital) as tx:
            await records.create(tx, resource, now=now)


async def test_resources_of_a_type_are_listed_by_id(database: Database, hospital: str, now: datetime) -> None:
    async with database.transaction(hospital) as tx:
        for id_ in ("w7-03", "w7-01", "w7-02"):
            await records.create(tx, {"resourceType": "Location", "id": id_}, now=now)
        await records.create(tx, PATIENT, now=now)
        assert [each.reference.id for each in await records.find(tx, "Location")] == ["w7-01", "w7-02", "w7-03"]
        assert len(await records.find(tx, "Location", limit=2)) == 2


async def test_nothing_of_a_body_can_be_read_in_the_tables(
    database: Database, urls: Urls, hospital: str, now: datetime
) -> None:
    async with database.transaction(hospital) as tx:
        await records.create(tx, PATIENT, now=now)
        await records.update(tx, {**PATIENT, "gender": "female"}, if_match=1, now=now)
    async with await AsyncConnection.connect(urls.superuser, autocommit=True) as connection:
        cursor = await connection.execute("select body from resource union all select body from resource_history")
        bodies = [bytes(body) for (body,) in await cursor.fetchall()]
    assert len(bodies) == 2
    for body in bodies:
        assert "김하나".encode() not in body
        assert b"Patient" not in body


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ("update resource set id = 'p2'", "Patient/p2"),
        ("update resource set type = 'Person'", "Person/p1"),
        ("update resource set version = 2", "Patient/p1"),
        ("update resource set body = body || '\\x00'", "Patient/p1"),
    ],
)
async def test_a_body_moved_to_another_place_does_not_open(
    database: Database, urls: Urls, hospital: str, now: datetime, *, change: LiteralString, where: str
) -> None:
    async with database.transaction(hospital) as tx:
        await records.create(tx, PATIENT, now=now)
    async with await AsyncConnection.connect(urls.superuser, autocommit=True) as connection:
        await connection.execute(change)
    async with database.transaction(hospital) as tx:
        with pytest.raises(SealBroken):
            await records.read(tx, ref(where))


async def test_bodies_of_two_patients_that_were_swapped_do_not_open(
    database: Database, urls: Urls, hospital: str, other_hospital: str, now: datetime
) -> None:
    for code in (hospital, other_hospital):
        async with database.transaction(code) as tx:
            await records.create(tx, PATIENT, now=now)
    async with await AsyncConnection.connect(urls.superuser, autocommit=True) as connection:
        await connection.execute(
            "update resource a set body = b.body from resource b where a.hospital <> b.hospital and a.id = b.id"
        )
    for code in (hospital, other_hospital):
        async with database.transaction(code) as tx:
            with pytest.raises(SealBroken):
                await records.read(tx, ref("Patient/p1"))
