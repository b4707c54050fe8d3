"""Tasks change hands: delegated and returned, reassigned, forwarded; kept to places and to second eyes; put off."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from domain.errors import AlreadyClaimed, Forbidden, Invalid, NotFound, NotOwner, PhisError, StaleRevision
from domain.ids import Reference
from domain.roles import Role
from domain.worklist import Owned, Priority, TaskFilter, TaskKind, TaskStatus
from store import worklist
from store.database import Database, Transaction
from store.worklist import Person, Task, lists, owning
from tests.store.values import BED_MANAGER, admission, minutes, ref, task

T1 = ref("Task/t1")
W7, W8 = ref("Location/w7"), ref("Location/w8")
ANA, BEN = Person("ana@x", BED_MANAGER), Person("ben@x", BED_MANAGER)
CASHIER = Person("cash@x", {Role.CASHIER})


async def opened(tx: Transaction, now: datetime, id_: str = "t1", **more: object) -> Task:
    spec = task(now + minutes(30), id_).model_copy(update=more)
    return await worklist.open_task(tx, spec, workflow_id=admission(tx.hospital), now=now)


async def taken(tx: Transaction, now: datetime, by: Person = ANA) -> Task:
    await opened(tx, now)
    return await worklist.claim(tx, T1, by=by, revision=1, now=now)


async def test_a_task_that_was_begun_no_longer_waits(database: Database, hospital: str, now: datetime) -> None:
    async with database.transaction(hospital) as tx:
        kept = await taken(tx, now)
        assert (kept.status, kept.waits) == (TaskStatus.RECEIVED, True)
        with pytest.raises(StaleRevision):
            await worklist.claim(tx, T1, by=ANA, revision=1, now=now, start=True)
        begun = await worklist.claim(tx, T1, by=ANA, revision=2, now=now + minutes(1), start=True)
        assert (begun.status, begun.waits, begun.started_at) == (TaskStatus.IN_PROGRESS, False, now + minutes(1))
        assert await worklist.claim(tx, T1, by=ANA, revision=3, now=now, start=True) == begun
        assert await worklist.get(tx, T1) == begun


async def test_a_delegated_task_is_the_colleagues_until_it_is_returned(
    database: Database, hospital: str, now: datetime
) -> None:
    async with database.transaction(hospital) as tx:
        await taken(tx, now)
        with pytest.raises(Invalid):
            await owning.delegate(tx, T1, ANA, by=ANA, revision=2, now=now)
        with pytest.raises(Invalid):
            await owning.delegate(tx, T1, CASHIER, by=ANA, revision=2, now=now)
        with pytest.raises(NotOwner):
            await owning.delegate(tx, T1, ANA, by=BEN, revision=2, now=now)
        with pytest.raises(Invalid):
            await owning.give_back(tx, T1, by=ANA, revision=2, now=now)
        given = await owning.delegate(tx, T1, BEN, by=ANA, revision=2, now=now)
        assert (given.owner, given.delegated_by, given.status) == (BEN.account, ANA.account, TaskStatus.RECEIVED)
        with pytest.raises(NotOwner) as refused:
            await worklist.complete(tx, T1, by=ANA, revision=3, now=now)
        assert refused.value.params == {"by": BEN.account}
        back = await owning.give_back(tx, T1, by=BEN, revision=3, now=now)
        assert (back.owner, back.delegated_by) == (ANA.account, None)


async def test_whoever_acts_for_a_colleague_does_their_tasks(database: Database, hospital: str, now: datetime) -> None:
    for_ana = Person("eve@x", set(), also=ANA.account)
    async with database.transaction(hospital) as tx:
        await taken(tx, now)
        assert [each.id for each in await worklist.for_person(tx, for_ana, now=now)] == ["t1"]
        done = await worklist.complete(tx, T1, by=for_ana, revision=2, now=now)
        assert (done.owner, done.closed_by) == (ANA.account, "eve@x")


async def test_a_task_is_reassigned_to_one_who_may_do_it_or_to_nobody(
    database: Database, hospital: str, now: datetime
) -> None:
    async with database.transaction(hospital) as tx:
        await taken(tx, now)
        with pytest.raises(Invalid):
            await owning.reassign(tx, T1, CASHIER, revision=2, now=now)
        with pytest.raises(StaleRevision):
            await owning.reassign(tx, T1, BEN, revision=1, now=now)
        assert (await owning.reassign(tx, T1, BEN, revision=2, now=now)).owner == BEN.account
        free = await owning.reassign(tx, T1, None, revision=3, now=now)
        assert (free.owner, free.status) == (None, TaskStatus.REQUESTED)


async def test_a_forwarded_task_leaves_the_lists_where_it_stood(
    database: Database, hospital: str, now: datetime
) -> None:
    async with database.transaction(hospital) as tx:
        await taken(tx, now)
        with pytest.raises(AlreadyClaimed):
            await owning.forward(tx, T1, {Role.CASHIER}, place=None, by=BEN, revision=2)
        with pytest.raises(Invalid):
            await owning.forward(tx, T1, set(), place=None, by=ANA, revision=2)
        sent = await owning.forward(tx, T1, {Role.CASHIER}, place=W8, by=ANA, revision=2)
        assert (sent.owner, sent.place) == (None, W8)
        assert await worklist.for_person(tx, ANA, now=now) == []
        assert await worklist.for_person(tx, CASHIER, now=now) == [sent]
        with pytest.raises(Forbidden):
            await owning.forward(tx, T1, {Role.BED_MANAGER}, place=None, by=ANA, revision=3)


async def test_a_task_of_a_place_is_for_those_who_work_there_until_it_climbs(
    database: Database, hospital: str, now: datetime
) -> None:
    here, there = Person("here@x", BED_MANAGER, places=[W7]), Person("there@x", BED_MANAGER, places=[W8])
    async with database.transaction(hospital) as tx:
        await opened(tx, now, place=W7)
        assert len(await worklist.for_person(tx, here, now=now)) == 1
        assert len(await worklist.for_person(tx, ANA, now=now)) == 1, "of Ana no place is known"
        assert await worklist.for_person(tx, there, now=now) == []
        assert (await worklist.counts(tx, there, now)).open == 0
        with pytest.raises(Forbidden):
            await worklist.claim(tx, T1, by=there, revision=1, now=now)
        await worklist.add_candidate(tx, T1, Role.CASHIER, now)
        assert len(await worklist.for_person(tx, there, now=now)) == 1


@pytest.mark.parametrize("how", ["claim", "delegate", "next", "for"])
async def test_second_eyes_are_not_the_first_ones(
    database: Database, hospital: str, now: datetime, *, how: str
) -> None:
    async with database.transaction(hospital) as tx:
        await opened(tx, now, not_by=(ANA.account,))
        assert await worklist.for_person(tx, ANA, now=now) == []
        if how == "next":
            assert await lists.take_next(tx, ANA, now=now) is None
        elif how == "delegate":
            await worklist.claim(tx, T1, by=BEN, revision=1, now=now)
            with pytest.raises(Invalid):
                await owning.delegate(tx, T1, ANA, by=BEN, revision=2, now=now)
        else:
            who = ANA if how == "claim" else Person("eve@x", BED_MANAGER, also=ANA.account)
            with pytest.raises(Forbidden, match="second person"):
                await worklist.claim(tx, T1, by=who, revision=1, now=now)


async def test_a_task_for_one_person_is_not_given_back_to_nobody(
    database: Database, hospital: str, now: datetime
) -> None:
    async with database.transaction(hospital) as tx:
        spec = task(now, candidates=())
        await worklist.open_task(tx, spec, workflow_id=admission(hospital), now=now, owner=ANA.account)
        with pytest.raises(Invalid):
            await worklist.release(tx, T1, by=ANA, revision=1, now=now)
        assert (await owning.delegate(tx, T1, CASHIER, by=ANA, revision=1, now=now)).owner == CASHIER.account


async def test_people_who_take_the_next_task_at_once_get_different_ones_by_urgency(
    database: Database, hospital: str, now: datetime
) -> None:
    async with database.transaction(hospital) as tx:
        await opened(tx, now, "routine")
        await opened(tx, now, "stat", priority=Priority.STAT)

    async def next_of(person: Person) -> Task | None:
        async with database.transaction(hospital) as tx:
            return await lists.take_next(tx, person, now=now)

    async with database.transaction(hospital) as tx:
        first = await lists.take_next(tx, ANA, now=now)
        second = await asyncio.wait_for(next_of(BEN), 10)  # while the first is not committed
    assert first is not None
    assert second is not None
    assert (first.id, first.owner, first.status) == ("stat", ANA.account, TaskStatus.IN_PROGRESS)
    assert (second.id, second.owner) == ("routine", BEN.account)
    assert await next_of(ANA) is None


async def test_a_snoozed_task_is_hidden_from_one_person_until_the_time_or_until_it_climbs(
    database: Database, hospital: str, now: datetime
) -> None:
    async def ids(tx: Transaction, person: Person, at: datetime, *, snoozed: bool = False) -> list[str]:
        found = await worklist.for_person(tx, person, now=at, only=TaskFilter(snoozed=snoozed))
        return [each.id for each in found]

    async with database.transaction(hospital) as tx:
        one = await opened(tx, now)
        await lists.snooze(tx, one, ANA.account, now + minutes(5))
        await lists.snooze(tx, one, ANA.account, now + minutes(9))
        assert (await ids(tx, ANA, now), await ids(tx, ANA, now, snoozed=True)) == ([], ["t1"])
        assert await ids(tx, BEN, now) == ["t1"]
        assert (await worklist.counts(tx, ANA, now)).model_dump() == {"open": 0, "mine": 0, "late": 0, "snoozed": 1}
        assert await ids(tx, ANA, now + minutes(9)) == ["t1"]
        await lists.snooze(tx, one, ANA.account, None)
        assert await ids(tx, ANA, now) == ["t1"]
        await lists.snooze(tx, one, ANA.account, now + minutes(9))
        await worklist.add_candidate(tx, T1, Role.CASHIER, now)
        assert await ids(tx, ANA, now) == ["t1"]


@pytest.mark.parametrize(
    ("only", "ids"),
    [
        (TaskFilter(), ["a", "b", "c"]),
        (TaskFilter(priorities=(Priority.STAT,)), ["a"]),
        (TaskFilter(wards=(W8,)), ["b"]),
        (TaskFilter(wards=(ref("Location/none"),)), []),
        (TaskFilter(owned=Owned.ME), ["c"]),
        (TaskFilter(owned=Owned.NOBODY), ["a", "b"]),
        (TaskFilter(roles=(Role.CASHIER,)), ["b"]),
        (TaskFilter(patient=ref("Patient/p2")), ["c"]),
        (TaskFilter(kinds=(TaskKind.COMMAND_REFUSED,)), []),
        (TaskFilter(late=True), ["b"]),
        (TaskFilter(late=True, owned=Owned.ME), []),
    ],
)
async def test_a_list_is_narrowed(
    database: Database, hospital: str, now: datetime, *, only: TaskFilter, ids: list[str]
) -> None:
    async with database.transaction(hospital) as tx:
        await opened(tx, now, "a", priority=Priority.STAT)
        late = {"ward": W8, "due_at": now - minutes(1), "candidates": (Role.BED_MANAGER, Role.CASHIER)}
        await opened(tx, now, "b", **late)
        await opened(tx, now, "c", patient=ref("Patient/p2"))
        await worklist.claim(tx, Reference("Task/c"), by=ANA, revision=1, now=now)
        assert sorted(each.id for each in await worklist.for_person(tx, ANA, now=now, only=only)) == ids


async def test_filters_are_kept_by_name_for_one_person(database: Database, hospital: str, now: datetime) -> None:
    mine = TaskFilter(owned=Owned.ME, wards=(W7,))
    async with database.transaction(hospital) as tx:
        await lists.save_filter(tx, "ana@x", "밤 근무", TaskFilter())
        await lists.save_filter(tx, "ana@x", "밤 근무", mine)
        (kept,) = await lists.saved_filters(tx, "ana@x")
        assert (kept.name, kept.filter) == ("밤 근무", mine)
        assert await lists.saved_filters(tx, "ben@x") == []
        await lists.forget_filter(tx, "ana@x", "밤 근무")
        with pytest.raises(NotFound):
            await lists.forget_filter(tx, "ana@x", "밤 근무")
        for number in range(lists.MOST_FILTERS):
            await lists.save_filter(tx, "ana@x", str(number), mine)
        with pytest.raises(PhisError):
            await lists.save_filter(tx, "ana@x", "one more", mine)
