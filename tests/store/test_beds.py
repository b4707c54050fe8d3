"""A bed has one occupant at a time, a patient one inpatient stay."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from domain.errors import ActiveStayExists, AlreadyDone, BedTaken, Conflict, NotFound
from store import beds
from store.database import Database
from tests.store.values import minutes, ref

BED, OTHER_BED = ref("Location/w7-12"), ref("Location/w7-13")
ANA, BEN = ref("Encounter/ana"), ref("Encounter/ben")


async def test_a_taken_bed_is_refused_at_once_and_named(database: Database, hospital: str, now: datetime) -> None:
    async with database.transaction(hospital) as tx:
        await beds.occupy(tx, BED, ANA, now)
    reached = []

    async def take() -> None:
        async with database.transaction(hospital) as tx:
            await beds.occupy(tx, BED, BEN, now + minutes(5))
            reached.append("commit")

    with pytest.raises(BedTaken) as refused:
        await take()
    assert reached == []
    assert refused.value.params == {"bed": BED}
    async with database.transaction(hospital) as tx:
        assert await beds.occupied(tx) == {BED: ANA}


async def test_of_twenty_who_want_one_bed_one_gets_it(database: Database, hospital: str, now: datetime) -> None:
    async def take(number: int) -> None:
        async with database.transaction(hospital) as tx:
            await beds.occupy(tx, BED, ref(f"Encounter/e{number}"), now)

    outcomes = await asyncio.gather(*(take(number) for number in range(20)), return_exceptions=True)
    assert [type(each) for each in outcomes if each is not None] == [BedTaken] * 19
    async with database.transaction(hospital) as tx:
        assert len(await beds.occupied(tx)) == 1


async def test_a_bed_is_free_from_the_very_instant_it_is_left(database: Database, hospital: str, now: datetime) -> None:
    async with database.transaction(hospital) as tx:
        await beds.occupy(tx, BED, ANA, now)
        assert await beds.vacate(tx, ANA, now + minutes(30)) == BED
        await beds.occupy(tx, BED, BEN, now + minutes(30))
        assert await beds.occupied(tx) == {BED: BEN}


async def test_a_stay_cannot_be_entered_later_over_another(database: Database, hospital: str, now: datetime) -> None:
    async with database.transaction(hospital) as tx:
        await beds.occupy(tx, BED, ANA, now)
        await beds.vacate(tx, ANA, now + minutes(30))
    with pytest.raises(BedTaken):
        async with database.transaction(hospital) as tx:
            await beds.occupy(tx, BED, BEN, now + minutes(29))


async def test_two_patients_change_places_in_one_transaction(database: Database, hospital: str, now: datetime) -> None:
    async with database.transaction(hospital) as tx:
        await beds.occupy(tx, BED, ANA, now)
        await beds.occupy(tx, OTHER_BED, BEN, now)
    at = now + minutes(10)
    async with database.transaction(hospital) as tx:
        await beds.vacate(tx, ANA, at)
        await beds.vacate(tx, BEN, at)
        await beds.occupy(tx, OTHER_BED, ANA, at)
        await beds.occupy(tx, BED, BEN, at)
    async with database.transaction(hospital) as tx:
        assert await beds.occupied(tx) == {BED: BEN, OTHER_BED: ANA}


async def test_a_correction_of_two_beds_is_judged_at_the_commit(
    database: Database, hospital: str, now: datetime
) -> None:
    """The constraint is deferred: exchanging two rows passes through a state in which both lie in one bed."""
    correct = "update bed_occupancy set bed = %s where hospital = %s and encounter = %s"
    async with database.transaction(hospital) as tx:
        await beds.occupy(tx, BED, ANA, now)
        await beds.occupy(tx, OTHER_BED, BEN, now)
        await tx.execute(correct, [OTHER_BED, hospital, ANA])
        await tx.execute(correct, [BED, hospital, BEN])
    async with database.transaction(hospital) as tx:
        assert await beds.occupied(tx) == {BED: BEN, OTHER_BED: ANA}
    with pytest.raises(BedTaken):
        async with database.transaction(hospital) as tx:
            await tx.execute(correct, [BED, hospital, ANA])
    async with database.transaction(hospital) as tx:
        assert await beds.occupied(tx) == {BED: BEN, OTHER_BED: ANA}


async def test_nobody_lies_in_two_beds(database: Database, hospital: str, now: datetime) -> None:
    async with database.transaction(hospital) as tx:
        await beds.occupy(tx, BED, ANA, now)
        with pytest.raises(Conflict) as refused:
            await beds.occupy(tx, OTHER_BED, ANA, now)
    assert refused.value.params == {"encounter": ANA}


async def test_who_lies_in_no_bed_cannot_leave_one(database: Database, hospital: str, now: datetime) -> None:
    async with database.transaction(hospital) as tx:
        with pytest.raises(NotFound):
            await beds.vacate(tx, ANA, now)


async def test_the_same_bed_number_of_another_hospital_is_another_bed(
    database: Database, hospital: str, other_hospital: str, now: datetime
) -> None:
    for code in (hospital, other_hospital):
        async with database.transaction(code) as tx:
            await beds.occupy(tx, BED, ANA, now)
            await beds.begin_stay(tx, ref("Patient/p1"), ANA)


async def test_a_patient_has_one_active_stay(database: Database, hospital: str) -> None:
    async with database.transaction(hospital) as tx:
        await beds.begin_stay(tx, ref("Patient/p1"), ANA)
    async with database.transaction(hospital) as tx:
        await beds.begin_stay(tx, ref("Patient/p1"), ANA)
        with pytest.raises(ActiveStayExists) as refused:
            await beds.begin_stay(tx, ref("Patient/p1"), BEN)
    assert refused.value.params == {"encounter": ANA}


async def test_of_two_stays_begun_at_once_one_is_refused(database: Database, hospital: str) -> None:
    async def begin(number: int) -> None:
        async with database.transaction(hospital) as tx:
            await beds.begin_stay(tx, ref("Patient/p1"), ref(f"Encounter/e{number}"))

    outcomes = await asyncio.gather(*(begin(number) for number in range(5)), return_exceptions=True)
    assert [type(each) for each in outcomes if each is not None] == [ActiveStayExists] * 4


async def test_after_a_stay_ends_the_patient_may_have_another_but_not_the_same(
    database: Database, hospital: str
) -> None:
    async with database.transaction(hospital) as tx:
        await beds.begin_stay(tx, ref("Patient/p1"), ANA)
        await beds.end_stay(tx, ANA)
        await beds.end_stay(tx, ANA)
        with pytest.raises(AlreadyDone):
            await beds.begin_stay(tx, ref("Patient/p1"), ANA)
        await beds.begin_stay(tx, ref("Patient/p1"), BEN)
