"""Tasks: one person wins, the others hear who; nobody finishes what is not theirs or has changed."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from domain.errors import AlreadyClaimed, AlreadyDone, Forbidden, NotFound, NotOwner, PhisError, StaleRevision
from domain.ids import Reference
from domain.roles import Role
from domain.worklist import Priority, TaskStatus
from store import outbox, worklist
from store.database import Database
from store.worklist import Counts, Person, Task
from tests.store.values import BED_MANAGER, admission, minutes, ref, settled, task, waiting_for_a_lock

T1 = ref("Task/t1")
ANA, BEN = "bed-manager@hanbit", "clerk@hanbit"


async def _open(database: Database, hospital: str, now: datetime, *ids: str) -> None:
    async with database.transaction(hospital) as tx:
        for id_ in ids or ("t1",):
            await worklist.open_task(tx, task(now + minutes(30), id_), workflow_id=admission(hospital), now=now)


async def _claim(database: Database, hospital: str, now: datetime, actor: str = ANA, revision: int = 1) -> Task:
    async with database.transaction(hospital) as tx:
        return await worklist.claim(tx, T1, by=Person(actor, BED_MANAGER), revision=revision, now=now)


async def test_an_opened_task_stands_on_the_lists_of_its_roles_only(
    database: Database, hospital: str, now: datetime
) -> None:
    await _open(database, hospital, now)
    async with database.transaction(hospital) as tx:
        (listed,) = await worklist.for_person(tx, Person(ANA, {Role.BED_MANAGER, Role.CASHIER}), now=now)
        assert await worklist.for_person(tx, Person(ANA, {Role.CASHIER}), now=now) == []
        assert await worklist.for_person(tx, Person(ANA, set()), now=now) == []
        assert listed == await worklist.get(tx, T1)
    assert (listed.ref, listed.status, listed.owner, listed.revision) == (T1, TaskStatus.REQUESTED, None, 1)
    assert (listed.workflow_id, listed.due_at, listed.opened_at) == (admission(hospital), now + minutes(30), now)
    assert isinstance(listed.patient, Reference)


async def test_of_twenty_who_claim_one_wins_and_nineteen_hear_who(
    database: Database, hospital: str, now: datetime
) -> None:
    await _open(database, hospital, now)
    outcomes = await asyncio.gather(
        *(_claim(database, hospital, now, f"nurse{number}@hanbit") for number in range(20)), return_exceptions=True
    )
    (won,) = [each for each in outcomes if isinstance(each, Task)]
    lost = [each for each in outcomes if isinstance(each, AlreadyClaimed)]
    assert len(lost) == 19
    assert {(each.params["by"], each.params["at"]) for each in lost} == {(won.owner, now.isoformat())}
    assert (won.revision, won.status) == (2, TaskStatus.RECEIVED)


async def test_claiming_ones_own_task_again_changes_nothing(database: Database, hospital: str, now: datetime) -> None:
    await _open(database, hospital, now)
    first = await _claim(database, hospital, now)
    assert await _claim(database, hospital, now + minutes(5)) == first


async def test_a_task_is_claimed_by_a_candidate_role_only(database: Database, hospital: str, now: datetime) -> None:
    await _open(database, hospital, now)
    async with database.transaction(hospital) as tx:
        with pytest.raises(Forbidden):
            await worklist.claim(tx, T1, by=Person(BEN, {Role.CASHIER}), revision=1, now=now)
        with pytest.raises(NotFound):
            await worklist.claim(tx, ref("Task/none"), by=Person(BEN, BED_MANAGER), revision=1, now=now)


async def test_a_claim_of_an_earlier_revision_is_refused(database: Database, hospital: str, now: datetime) -> None:
    await _open(database, hospital, now)
    async with database.transaction(hospital) as tx:
        await worklist.add_candidate(tx, T1, Role.ADMISSION_CLERK, now)
    with pytest.raises(StaleRevision) as refused:
        await _claim(database, hospital, now, revision=1)
    assert refused.value.params == {"expected": "1", "actual": "2"}


async def test_a_released_task_may_be_claimed_by_another(database: Database, hospital: str, now: datetime) -> None:
    await _open(database, hospital, now)
    await _claim(database, hospital, now)
    async with database.transaction(hospital) as tx:
        with pytest.raises(NotOwner) as refused:
            await worklist.release(tx, T1, by=Person(BEN, ()), revision=2, now=now)
        assert refused.value.params == {"by": ANA}
        released = await worklist.release(tx, T1, by=Person(ANA, ()), revision=2, now=now)
    assert (released.status, released.owner, released.owner_since, released.revision) == (
        TaskStatus.REQUESTED,
        None,
        None,
        3,
    )
    assert (await _claim(database, hospital, now, BEN, revision=3)).owner == BEN


@pytest.mark.parametrize(
    ("actor", "revision", "refusal"), [(BEN, 2, NotOwner), (ANA, 1, StaleRevision), (ANA, 3, StaleRevision)]
)
async def test_a_task_is_completed_by_its_owner_as_they_saw_it(
    database: Database, hospital: str, now: datetime, *, actor: str, revision: int, refusal: type[PhisError]
) -> None:
    await _open(database, hospital, now)
    await _claim(database, hospital, now)
    async with database.transaction(hospital) as tx:
        with pytest.raises(refusal):
            await worklist.complete(tx, T1, by=Person(actor, ()), revision=revision, now=now)
        done = await worklist.complete(tx, T1, by=Person(ANA, ()), revision=2, now=now + minutes(1))
    assert (done.status, done.closed_by, done.closed_at) == (TaskStatus.COMPLETED, ANA, now + minutes(1))


async def test_an_unclaimed_task_cannot_be_completed(database: Database, hospital: str, now: datetime) -> None:
    await _open(database, hospital, now)
    async with database.transaction(hospital) as tx:
        with pytest.raises(NotOwner) as refused:
            await worklist.complete(tx, T1, by=Person(ANA, ()), revision=1, now=now)
    assert refused.value.params == {}


async def test_nothing_can_be_done_with_a_closed_task(database: Database, hospital: str, now: datetime) -> None:
    await _open(database, hospital, now)
    await _claim(database, hospital, now)
    async with database.transaction(hospital) as tx:
        await worklist.complete(tx, T1, by=Person(ANA, ()), revision=2, now=now)
    async with database.transaction(hospital) as tx:
        for act in (
            worklist.claim(tx, T1, by=Person(ANA, BED_MANAGER), revision=3, now=now),
            worklist.release(tx, T1, by=Person(ANA, ()), revision=3, now=now),
            worklist.complete(tx, T1, by=Person(BEN, ()), revision=3, now=now),
            worklist.cancel(tx, T1, actor=None, now=now),
            worklist.add_candidate(tx, T1, Role.CASHIER, now),
        ):
            with pytest.raises(AlreadyDone) as refused:
                await act
            assert refused.value.params == {"by": ANA, "at": now.isoformat(), "status": "completed"}
        assert await worklist.for_person(tx, Person(ANA, BED_MANAGER), now=now) == []
        assert [each.id for each in await worklist.closed(tx, Person(BEN, BED_MANAGER))] == ["t1"]


async def test_a_process_withdraws_a_task_also_from_its_owner(database: Database, hospital: str, now: datetime) -> None:
    await _open(database, hospital, now)
    await _claim(database, hospital, now)
    async with database.transaction(hospital) as tx:
        cancelled = await worklist.cancel(tx, T1, actor=None, now=now)
        assert cancelled == await worklist.get(tx, T1)
    assert (cancelled.status, cancelled.closed_by, cancelled.revision) == (TaskStatus.CANCELLED, None, 3)


async def test_an_escalated_task_has_one_more_role_and_may_be_due_anew(
    database: Database, hospital: str, now: datetime
) -> None:
    await _open(database, hospital, now)
    async with database.transaction(hospital) as tx:
        escalated = await worklist.add_candidate(tx, T1, Role.ADMISSION_CLERK, now, due_at=now + minutes(45))
        assert await worklist.candidates(tx, T1) == {Role.BED_MANAGER, Role.ADMISSION_CLERK}
        assert await worklist.for_person(tx, Person(BEN, {Role.ADMISSION_CLERK}), now=now) == [escalated]
    assert (escalated.escalated, escalated.due_at, escalated.revision) == (True, now + minutes(45), 2)


async def test_the_most_urgent_task_comes_first(database: Database, hospital: str, now: datetime) -> None:
    async with database.transaction(hospital) as tx:
        for id_, due, priority in (
            ("routine-late", -5, Priority.ROUTINE),
            ("routine-soon", 10, Priority.ROUTINE),
            ("routine-later", 20, Priority.ROUTINE),
            ("stat-later", 60, Priority.STAT),
            ("urgent-soon", 5, Priority.URGENT),
            ("escalated", 90, Priority.ROUTINE),
        ):
            await worklist.open_task(
                tx, task(now + minutes(due), id_, priority=priority), workflow_id=admission(hospital), now=now
            )
        await worklist.add_candidate(tx, ref("Task/escalated"), Role.CASHIER, now)
        listed = [each.id for each in await worklist.for_person(tx, Person(ANA, BED_MANAGER), now=now)]
    assert listed == ["routine-late", "escalated", "stat-later", "urgent-soon", "routine-soon", "routine-later"]


async def test_a_list_counts_what_is_open_mine_and_late(database: Database, hospital: str, now: datetime) -> None:
    await _open(database, hospital, now, "t1", "t2", "t3")
    await _claim(database, hospital, now)
    async with database.transaction(hospital) as tx:
        assert await worklist.counts(tx, Person(ANA, BED_MANAGER), now) == Counts(open=3, mine=1, late=0, snoozed=0)
        assert await worklist.counts(tx, Person(BEN, BED_MANAGER), now + minutes(31)) == Counts(
            open=3, mine=0, late=3, snoozed=0
        )
        # A role taken away does not take away what its holder has begun.
        assert await worklist.counts(tx, Person(ANA, set()), now) == Counts(open=1, mine=1, late=0, snoozed=0)


async def test_every_change_announces_the_task(database: Database, hospital: str, now: datetime) -> None:
    await _open(database, hospital, now)
    await _claim(database, hospital, now)
    await _claim(database, hospital, now)  # nothing changes
    async with database.transaction(hospital) as tx:
        await worklist.complete(tx, T1, by=Person(ANA, ()), revision=2, now=now)
    await settled(database, hospital)
    async with database.transaction(hospital) as tx:
        changes = await outbox.changes_since(tx, 0, [worklist.TOPIC])
    assert [change.subject for change in changes] == [T1, T1, T1]


async def test_while_one_holds_a_task_locked_another_waits_and_then_sees_the_change(
    database: Database, hospital: str, now: datetime
) -> None:
    await _open(database, hospital, now)
    locked, go_on = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with database.transaction(hospital) as tx:
            await worklist.get(tx, T1, lock=True)
            locked.set()
            await go_on.wait()
            await worklist.cancel(tx, T1, actor=None, now=now)

    holder = asyncio.create_task(hold())
    await locked.wait()
    claimer = asyncio.create_task(_claim(database, hospital, now))
    while not await waiting_for_a_lock(database, hospital):
        assert not claimer.done()
    go_on.set()
    await holder
    with pytest.raises(AlreadyDone):
        await claimer


async def test_a_merge_takes_every_task_of_the_patient_along(
    database: Database, hospital: str, other_hospital: str, now: datetime
) -> None:
    for home in (hospital, other_hospital):
        async with database.transaction(home) as tx:
            for id_ in ("t1", "t2"):
                await worklist.open_task(tx, task(now, id_), workflow_id=admission(home), now=now)
            await worklist.cancel(tx, ref("Task/t2"), actor=None, now=now)
    async with database.transaction(hospital) as tx:
        assert await worklist.of_patient(tx, ref("Patient/p1")) == ["Task/t1", "Task/t2"]
        assert await worklist.move(tx, ref("Patient/p1"), ref("Patient/p9")) == ["Task/t1", "Task/t2"]
    async with database.transaction(hospital) as tx:
        moved = await worklist.get(tx, ref("Task/t1"))
        assert (moved.patient, moved.revision) == ("Patient/p9", 2)  # whoever looks at it has to look again
        assert await worklist.of_patient(tx, ref("Patient/p1")) == []
    async with database.transaction(other_hospital) as tx:
        assert (await worklist.get(tx, ref("Task/t1"))).patient == "Patient/p1"
