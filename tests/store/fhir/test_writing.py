"""Writes of one and of thousands: versions, deletions, rows to search by, all or nothing."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.errors import Conflict, NotFound, StaleRevision, TooCostly
from domain.ids import Reference
from store.database import Database
from store.fhir import reading, writing
from store.fhir.writing import Write
from tests.store.search import ward

P1 = Reference("Patient/p1")
TEXT = (
    b'{\n "resourceType": "Observation", "status": "final",\n "valueQuantity": {"value": 72.50}, "code": {"text": "w"}}'
)


def patient(id_: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": id_, **more}


def new(id_: str, **more: Any) -> Write:
    return Write(Reference.to("Patient", id_), patient(id_, **more), None, 0)


async def test_the_clients_text_is_what_is_read_with_the_digits_it_had(
    database: Database, hospital: str, now: datetime
) -> None:
    async with database.transaction(hospital) as tx:
        made = await writing.create(tx, {"resourceType": "Observation"}, TEXT, now=now)
        kept = await reading.read(tx, made.reference)
    assert kept == made
    assert b'"valueQuantity": {"value": 72.50}, "code": {"text": "w"}}' in kept.text
    assert kept.body["meta"] == {"versionId": "1", "lastUpdated": now.isoformat()}


async def test_a_deletion_is_a_version_and_may_be_followed_by_another(
    database: Database, hospital: str, now: datetime
) -> None:
    async with database.transaction(hospital) as tx:
        await writing.create(tx, patient("p1"), now=now)
        gone = await writing.delete(tx, P1, expected=1, now=now)
        assert (gone.version, gone.deleted, gone.text) == (2, True, b"")
        assert (await reading.read(tx, P1)).deleted
        assert (await reading.vread(tx, P1, 1)).body["id"] == "p1"
        assert (await reading.vread(tx, P1, 2)).deleted
        back = await writing.update(tx, patient("p1", active=True), expected=2, now=now)
        assert (back.version, back.deleted) == (3, False)
        assert (await reading.vread(tx, P1, 2)).deleted
        with pytest.raises(NotFound):
            await reading.vread(tx, P1, 4)


async def test_heads_say_what_is_there_without_bodies(database: Database, hospital: str, now: datetime) -> None:
    async with database.transaction(hospital) as tx:
        await writing.write(tx, [new("p1"), new("p2")], now=now)
        await writing.delete(tx, P1, expected=1, now=now)
        refs = [P1, Reference("Patient/p2"), Reference("Patient/p3")]
        heads = await reading.heads(tx, refs, lock=True)
        many = await reading.read_many(tx, refs)
    assert {ref: (head.version, head.deleted) for ref, head in heads.items()} == {
        "Patient/p1": (2, True),
        "Patient/p2": (1, False),
    }
    assert {ref: version.deleted for ref, version in many.items()} == {"Patient/p1": True, "Patient/p2": False}


async def test_many_writes_of_every_kind_are_kept_together_and_in_order(
    database: Database, hospital: str, now: datetime
) -> None:
    async with database.transaction(hospital) as tx:
        await writing.write(tx, [new("p1", gender="male"), new("p2"), new("p3")], now=now)
        mixed = [
            new("p9", gender="female"),
            Write(Reference("Patient/p2"), None, None, 1),
            Write(P1, patient("p1", gender="female"), None, 1, owner="hanbit/admission/Encounter/e1"),
            new("p8"),
        ]
        done = await writing.write(tx, mixed, now=now + timedelta(seconds=1))
        found = await ward.ids(tx, "Patient?gender=female")
        left = await ward.ids(tx, "Patient?")
        owner = (await reading.read(tx, P1)).owner
    assert [(each.reference.id, each.version, each.deleted) for each in done] == [
        ("p9", 1, False),
        ("p2", 2, True),
        ("p1", 2, False),
        ("p8", 1, False),
    ]
    assert (found, left, owner) == ("p1 p9", "p1 p3 p8 p9", "hanbit/admission/Encounter/e1")


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (Write(P1, patient("p1"), None, 0), Conflict),
        (Write(P1, patient("p1"), None, 7), StaleRevision),
        (Write(Reference("Patient/p7"), patient("p7"), None, 1), NotFound),
        (Write(Reference("Patient/p7"), None, None, 1), NotFound),
    ],
)
async def test_one_wrong_write_among_many_keeps_none_of_them(
    database: Database, hospital: str, now: datetime, wrong: Write, error: type[Exception]
) -> None:
    async with database.transaction(hospital) as tx:
        await writing.create(tx, patient("p1"), now=now)
    for batch in ([wrong], [new("p2"), new("p3"), wrong, new("p4")]):
        with pytest.raises(error):
            async with database.transaction(hospital) as tx:
                await writing.write(tx, batch, now=now)
    async with database.transaction(hospital) as tx:
        assert await ward.ids(tx, "Patient?") == "p1"


async def test_a_resource_is_written_once_in_a_batch_and_a_batch_has_an_end(
    database: Database, hospital: str, now: datetime
) -> None:
    async with database.transaction(hospital) as tx:
        with pytest.raises(Conflict, match="only once"):
            await writing.write(tx, [new("p1"), new("p1")], now=now)
        with pytest.raises(TooCostly):
            await writing.write(tx, [new("p1")] * (writing.MOST + 1), now=now)
        assert await writing.write(tx, [], now=now) == []


async def test_thousands_are_kept_in_one_transaction_and_found(
    database: Database, hospital: str, now: datetime
) -> None:
    writes = [new(f"n{number}", name=[{"family": f"Family{number}"}]) for number in range(2000)]
    async with database.transaction(hospital) as tx:
        await writing.write(tx, writes, now=now)
        assert await ward.ids(tx, "Patient?family=family1999") == "n1999"
        changes = [Write(each.reference, patient(each.reference.id, active=True), None, 1) for each in writes]
        await writing.write(tx, changes, now=now)
        assert await ward.ids(tx, "Patient?family=family1999") == ""
        assert (await ward.asked(tx, "Patient?active=true&_count=1&_total=accurate")).total == 2000


async def test_two_batches_that_change_the_same_resources_take_turns_and_one_is_refused(
    database: Database, hospital: str, now: datetime
) -> None:
    names = [f"p{number}" for number in range(20)]
    async with database.transaction(hospital) as tx:
        await writing.write(tx, [new(each) for each in names], now=now)

    async def change(order: list[str]) -> None:
        async with database.transaction(hospital) as tx:
            batch = [Write(Reference.to("Patient", each), patient(each), None, 1) for each in order]
            await writing.write(tx, batch, now=now)

    outcomes = await asyncio.gather(change(names), change(names[::-1]), return_exceptions=True)
    assert sorted(type(each).__name__ for each in outcomes) == ["NoneType", "StaleRevision"]


async def test_an_update_leaves_the_rows_that_stay_and_replaces_the_others(
    database: Database, hospital: str, now: datetime
) -> None:
    before = patient("p1", gender="male", birthDate="1980-01-01", name=[{"family": "Kim"}, {"family": "Lee"}])
    after = patient("p1", gender="male", birthDate="1981-01-01", name=[{"family": "Lee"}, {"family": "Park"}])
    async with database.transaction(hospital) as tx:
        await writing.create(tx, before, now=now)
        kept = await tx.all("select ctid, parameter, value from search_string")
        await writing.update(tx, after, expected=1, now=now)
        left = await tx.all("select ctid, parameter, value from search_string")
        found = [await ward.ids(tx, f"Patient?{each}") for each in ("family=kim", "family=lee", "birthdate=1980")]
    places = {(row["parameter"], row["value"]): row["ctid"] for row in kept}
    assert {row["value"] for row in left} == {"lee", "park"}
    assert all(places[row["parameter"], row["value"]] == row["ctid"] for row in left if row["value"] == "lee")
    assert found == ["", "p1", ""]
