"""A command is kept once, answered once, and sent again by one server at a time."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from domain.commands import CommandState, body_digest
from domain.errors import KeyReused, NotFound
from store import ledger
from store.database import Database
from store.ledger import Entry

ANA = "bed-manager@hanbit"
FIVE = timedelta(seconds=5)
MESSAGE = {"kind": "update", "name": "assign_bed", "arg": {"bed": "Location/w7-12"}}


async def _receive(
    database: Database, hospital: str, now: datetime, *, key: str = "k1", actor: str = ANA, bed: str = "w7-12"
) -> tuple[Entry, bool]:
    digest = body_digest("assign-bed", {"bed": bed})
    async with database.transaction(hospital) as tx:
        return await ledger.receive(tx, actor=actor, key=key, command="assign-bed", digest=digest, now=now)


async def _pending(database: Database, hospital: str, now: datetime, key: str = "k1") -> Entry:
    entry, _ = await _receive(database, hospital, now, key=key)
    async with database.transaction(hospital) as tx:
        return await ledger.address(
            tx, entry.id, target=f"{hospital}/admission/Encounter/e1", message=MESSAGE, status=200
        )


async def _lease(database: Database, now: datetime, limit: int = 20) -> list[Entry]:
    async with database.system() as system:
        return await ledger.lease(system, FIVE, limit, now)


async def test_a_command_is_new_once(database: Database, hospital: str, now: datetime) -> None:
    first, new = await _receive(database, hospital, now)
    again, still_new = await _receive(database, hospital, now + FIVE)
    assert (new, still_new) == (True, False)
    assert first == again
    assert (first.state, first.received_at, first.attempts, first.answer) == (CommandState.RECEIVED, now, 0, None)


async def test_of_ten_requests_with_one_key_at_once_one_is_new(
    database: Database, hospital: str, now: datetime
) -> None:
    received = await asyncio.gather(*(_receive(database, hospital, now) for _ in range(10)))
    assert sum(new for _, new in received) == 1
    assert len({entry.id for entry, _ in received}) == 1


async def test_a_key_with_another_body_is_refused(database: Database, hospital: str, now: datetime) -> None:
    await _receive(database, hospital, now)
    with pytest.raises(KeyReused):
        await _receive(database, hospital, now, bed="w7-13")


async def test_a_key_belongs_to_its_actor_and_hospital(
    database: Database, hospital: str, other_hospital: str, now: datetime
) -> None:
    entries = [
        await _receive(database, hospital, now),
        await _receive(database, hospital, now, actor="clerk@hanbit", bed="w7-13"),
        await _receive(database, other_hospital, now, bed="w7-13"),
    ]
    assert [new for _, new in entries] == [True, True, True]
    async with database.transaction(hospital) as tx:
        assert (await ledger.get(tx, ANA, "k1")).id == entries[0][0].id
        with pytest.raises(NotFound):
            await ledger.get(tx, "nobody@hanbit", "k1")


async def test_a_command_that_the_store_alone_does_is_answered_at_once(
    database: Database, hospital: str, now: datetime
) -> None:
    async with database.transaction(hospital) as tx:
        entry, new = await ledger.receive(
            tx, actor=ANA, key="k1", command="claim", digest=b"d", answer={"task": "Task/t1"}, now=now
        )
    assert (new, entry.state, entry.status, entry.answer) == (True, CommandState.ANSWERED, 200, {"task": "Task/t1"})
    assert await _lease(database, now + FIVE) == []


async def test_a_command_is_received_sent_and_answered(database: Database, hospital: str, now: datetime) -> None:
    entry = await _pending(database, hospital, now)
    assert (entry.state, entry.message, entry.status) == (CommandState.RECEIVED, MESSAGE, 200)
    async with database.transaction(hospital) as tx:
        assert (await ledger.sent(tx, entry.id)).state is CommandState.SENT
        answered = await ledger.answer(tx, entry.id, 200, {"bed": "Location/w7-12"})
    assert (answered.state, answered.status, answered.answer) == (
        CommandState.ANSWERED,
        200,
        {"bed": "Location/w7-12"},
    )


async def test_the_first_answer_stands(database: Database, hospital: str, now: datetime) -> None:
    entry = await _pending(database, hospital, now)
    async with database.transaction(hospital) as tx:
        first = await ledger.answer(tx, entry.id, 200, {"bed": "Location/w7-12"})
        assert await ledger.answer(tx, entry.id, 200, {"bed": "Location/w7-13"}) == first
        assert await ledger.refuse(tx, entry.id, "bed-taken", {}) == first
        assert await ledger.sent(tx, entry.id) == first


async def test_a_refusal_is_kept_with_its_parameters(database: Database, hospital: str, now: datetime) -> None:
    entry = await _pending(database, hospital, now)
    async with database.transaction(hospital) as tx:
        refused = await ledger.refuse(tx, entry.id, "bed-taken", {"bed": "Location/w7-12"})
        assert await ledger.answer(tx, entry.id, 200, {}) == refused
    assert refused.state is CommandState.REFUSED
    assert refused.answer == {"code": "bed-taken", "params": {"bed": "Location/w7-12"}}


async def test_an_unknown_command_cannot_be_answered(database: Database, hospital: str, now: datetime) -> None:
    async with database.transaction(hospital) as tx:
        with pytest.raises(NotFound):
            await ledger.answer(tx, uuid4(), 200, {})


async def test_pending_commands_of_all_hospitals_are_leased_when_they_are_old_enough(
    database: Database, hospital: str, other_hospital: str, now: datetime
) -> None:
    await _pending(database, hospital, now)
    await _pending(database, other_hospital, now + timedelta(seconds=1))
    assert await _lease(database, now + timedelta(seconds=4.9)) == []
    assert [each.hospital for each in await _lease(database, now + timedelta(seconds=5))] == [hospital]
    assert [each.hospital for each in await _lease(database, now + timedelta(seconds=6))] == [other_hospital]


async def test_a_lease_holds_others_off_and_grows_with_each_attempt(
    database: Database, hospital: str, now: datetime
) -> None:
    await _pending(database, hospital, now)
    at = now + FIVE
    for attempt, lasts in enumerate((5, 10, 20, 30, 30), start=1):
        (leased,) = await _lease(database, at)
        assert leased.attempts == attempt
        assert await _lease(database, at + timedelta(seconds=lasts - 0.1)) == []
        at += timedelta(seconds=lasts)


async def test_two_servers_lease_different_commands(database: Database, hospital: str, now: datetime) -> None:
    ids = {(await _pending(database, hospital, now, f"k{number}")).id for number in range(6)}
    async with database.system() as one, database.system() as two:
        first = await ledger.lease(one, FIVE, 4, now + FIVE)
        second = await ledger.lease(two, FIVE, 4, now + FIVE)  # while the first has not committed
    assert (len(first), len(second)) == (4, 2)
    assert {each.id for each in first + second} == ids


async def test_an_answered_command_is_not_sent_again(database: Database, hospital: str, now: datetime) -> None:
    entry = await _pending(database, hospital, now)
    async with database.transaction(hospital) as tx:
        await ledger.answer(tx, entry.id, 200, {})
    assert await _lease(database, now + FIVE) == []
