"""The story of a stay: in order, once, each line with its person and its step."""

from __future__ import annotations

from datetime import datetime

import psycopg
import pytest

from domain.journal import JournalEntry, JournalKey
from store import journal, outbox
from store.database import Database
from tests.store.values import admission, minutes, ref, settled

E1, P1 = ref("Encounter/e1"), ref("Patient/p1")
ASSIGNED = JournalEntry(key=JournalKey.BED_ASSIGNED, params={"bed": "Location/w7-12"})
ADMITTED = JournalEntry(key=JournalKey.ADMITTED, params={"bed": "Location/w7-12"})
CLAIMED = JournalEntry(key=JournalKey.TASK_CLAIMED, params={"task": "Task/t1"})


async def _write(
    database: Database, hospital: str, now: datetime, step: str, *entries: JournalEntry, actor: str | None = None
) -> None:
    async with database.transaction(hospital) as tx:
        await journal.write(
            tx,
            workflow_id=admission(hospital),
            step=step,
            subject=E1,
            patient=P1,
            entries=entries,
            actor=actor,
            occurred_at=now,
            recorded_at=now,
        )


async def test_lines_are_read_in_the_order_in_which_they_happened(
    database: Database, hospital: str, now: datetime
) -> None:
    await _write(database, hospital, now + minutes(5), "assign-bed/1", ASSIGNED, ADMITTED)
    await _write(database, hospital, now, "claim/1", CLAIMED, actor="bed-manager@hanbit")  # written later
    async with database.transaction(hospital) as tx:
        lines = await journal.read(tx, E1)
        assert await journal.read(tx, ref("Encounter/e2")) == []
    assert [(line.key, line.step, line.ordinal) for line in lines] == [
        (JournalKey.TASK_CLAIMED, "claim/1", 1),
        (JournalKey.BED_ASSIGNED, "assign-bed/1", 1),
        (JournalKey.ADMITTED, "assign-bed/1", 2),
    ]
    assert [line.actor for line in lines] == ["bed-manager@hanbit", None, None]
    assert lines[1].params == {"bed": "Location/w7-12"}
    assert (lines[1].workflow_id, lines[1].patient, lines[1].occurred_at) == (
        admission(hospital),
        P1,
        now + minutes(5),
    )


async def test_a_step_tells_its_lines_once(database: Database, hospital: str, now: datetime) -> None:
    await _write(database, hospital, now, "assign-bed/1", ASSIGNED)
    with pytest.raises(psycopg.errors.UniqueViolation):
        await _write(database, hospital, now, "assign-bed/1", ADMITTED)


async def test_a_line_announces_its_stay(database: Database, hospital: str, now: datetime) -> None:
    await _write(database, hospital, now, "assign-bed/1", ASSIGNED, ADMITTED)
    await settled(database, hospital)
    async with database.transaction(hospital) as tx:
        assert [change.subject for change in await outbox.changes_since(tx, 0, ["journal"])] == [E1]


@pytest.mark.parametrize("statement", ["update journal set actor = 'x'", "delete from journal"])
async def test_a_line_cannot_be_changed(database: Database, hospital: str, now: datetime, statement: str) -> None:
    await _write(database, hospital, now, "assign-bed/1", ASSIGNED)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with database.transaction(hospital) as tx:
            await tx.execute(statement)
