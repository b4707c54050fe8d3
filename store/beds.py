"""Who lies where (engine room, 7), and that a patient has one inpatient stay at a time. Times are hospital time."""

from __future__ import annotations

from datetime import datetime

import psycopg

from domain.errors import ActiveStayExists, AlreadyDone, BedTaken, Conflict, NotFound
from domain.ids import Reference
from store.database import Transaction


async def occupy(tx: Transaction, bed: Reference, encounter: Reference, start: datetime) -> None:
    """Put an encounter into a bed. To let two patients change places, vacate both beds first.

    Raises BedTaken when the bed has an occupant at `start` or later, Conflict when the encounter lies in a bed already.
    """
    try:
        done = await tx.one(
            """
            insert into bed_occupancy (hospital, bed, encounter, started_at)
            values (%s, %s, %s, %s)
            on conflict (hospital, encounter) where ended_at is null do nothing
            returning id
            """,
            [tx.hospital, bed, encounter, start],
        )
        if done is None:
            raise Conflict("the encounter lies in a bed already", encounter=encounter)
        # Here, not at the commit, where nobody is left who could say which bed it was. Deferred again afterwards.
        await tx.execute("set constraints bed_occupancy_one_at_a_time immediate")
        await tx.execute("set constraints bed_occupancy_one_at_a_time deferred")
        await tx.one("select 1")
    except psycopg.errors.ExclusionViolation as taken:
        raise BedTaken("the bed has an occupant", bed=bed) from taken


async def vacate(tx: Transaction, encounter: Reference, end: datetime) -> Reference:
    """End an encounter's stay in its bed and return the bed. Raises NotFound when it lies in none.

    An end before the start, which a corrected clock may bring, ends the stay where it began.
    """
    row = await tx.one(
        """
        update bed_occupancy set ended_at = greatest(%s, started_at)
        where hospital = %s and encounter = %s and ended_at is null
        returning bed
        """,
        [end, tx.hospital, encounter],
    )
    if row is None:
        raise NotFound("the encounter lies in no bed", encounter=encounter)
    return Reference(row["bed"])


async def occupied(tx: Transaction) -> dict[Reference, Reference]:
    """The beds that have an occupant, and the encounter in each."""
    rows = await tx.all(
        "select bed, encounter from bed_occupancy where hospital = %s and ended_at is null order by bed", [tx.hospital]
    )
    return {Reference(row["bed"]): Reference(row["encounter"]) for row in rows}


async def begin_stay(tx: Transaction, patient: Reference, encounter: Reference) -> None:
    """Make an encounter the patient's active inpatient stay.

    Raises ActiveStayExists when the patient has another, AlreadyDone for an encounter that had its stay.
    """
    begun = await tx.one(
        """
        insert into inpatient_stay (hospital, encounter, patient, active) values (%s, %s, %s, true)
        on conflict do nothing returning active
        """,
        [tx.hospital, encounter, patient],
    )
    if begun is not None:
        return
    active = await tx.one(
        "select encounter from inpatient_stay where hospital = %s and patient = %s and active", [tx.hospital, patient]
    )
    if active is None:
        raise AlreadyDone("the encounter had its stay", encounter=encounter)
    if active["encounter"] != encounter:
        raise ActiveStayExists("the patient has an inpatient stay", encounter=active["encounter"])


async def move_stays(tx: Transaction, source: Reference, target: Reference) -> list[Reference]:
    """The stays of one patient become those of another; gives their encounters.

    Raises ActiveStayExists when both lie in the hospital: one person cannot.
    """
    rows = await tx.all(
        """
        select s.encounter from inpatient_stay s
        where s.hospital = %s and s.patient = %s and s.active and exists (
            select from inpatient_stay o where o.hospital = s.hospital and o.patient = %s and o.active)
        """,
        [tx.hospital, target, source],
    )
    if rows:
        raise ActiveStayExists("both patients have an inpatient stay", encounter=rows[0]["encounter"])
    moved = await tx.all(
        "update inpatient_stay set patient = %s where hospital = %s and patient = %s returning encounter",
        [target, tx.hospital, source],
    )
    return sorted(Reference(row["encounter"]) for row in moved)


async def end_stay(tx: Transaction, encounter: Reference) -> None:
    """End a stay; ending it again changes nothing."""
    await tx.execute(
        "update inpatient_stay set active = false where hospital = %s and encounter = %s and active",
        [tx.hospital, encounter],
    )
