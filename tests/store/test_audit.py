"""Every access is noted with its actor and its patients, and a note cannot be changed."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import AsyncConnection

from domain.errors import SealBroken
from store import audit
from store.audit import AuditAction
from store.database import Database
from tests.store.values import Urls, ref


async def _note(database: Database, hospital: str, at: datetime, action: AuditAction = AuditAction.READ) -> None:
    async with database.transaction(hospital) as tx:
        await audit.record(
            tx,
            action=action,
            actor="bed-manager@hanbit",
            entities=[ref("Encounter/e1"), ref("Task/t1")],
            patients=[ref("Patient/p1")],
            detail="worklist",
            address="127.0.0.1",
            at=at,
        )


async def test_accesses_are_read_newest_first(database: Database, hospital: str, now: datetime) -> None:
    await _note(database, hospital, now)
    async with database.transaction(hospital) as tx:
        await audit.record(
            tx, action=AuditAction.LOGIN, actor="nobody@hanbit", outcome="denied", detail="password", at=now
        )
    async with database.transaction(hospital) as tx:
        login, read = await audit.read(tx, 10)
        assert await audit.read(tx, 1) == [login]
    assert (login.action, login.outcome, login.patients, login.address) == (AuditAction.LOGIN, "denied", (), None)
    assert read.entities == ("Encounter/e1", "Task/t1")
    assert (read.actor, read.patients, read.recorded_at) == ("bed-manager@hanbit", ("Patient/p1",), now)


@pytest.mark.parametrize(
    "statement",
    [
        "update audit_event set actor = 'somebody else'",
        "delete from audit_event",
        "truncate audit_event",
        "delete from audit_event_default",
    ],
)
async def test_a_note_can_be_added_and_never_changed(
    database: Database, hospital: str, now: datetime, statement: str
) -> None:
    await _note(database, hospital, now)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with database.transaction(hospital) as tx:
            await tx.execute(statement)
    async with database.transaction(hospital) as tx:
        assert len(await audit.read(tx)) == 1


async def test_what_was_rolled_back_was_not_an_access(database: Database, hospital: str, now: datetime) -> None:
    with suppress(ZeroDivisionError):
        async with database.transaction(hospital) as tx:
            await audit.record(tx, action=AuditAction.READ, actor="a", at=now)
            raise ZeroDivisionError
    async with database.transaction(hospital) as tx:
        assert await audit.read(tx) == []


@pytest.mark.parametrize(
    ("at", "partition"),
    [
        (datetime(2026, 11, 1, tzinfo=UTC), "audit_event_2026_11"),
        (datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC), "audit_event_2026_11"),
        (datetime(2027, 12, 31, 23, 59, 59, tzinfo=UTC), "audit_event_2027_12"),
        (datetime(2019, 1, 1, tzinfo=UTC), "audit_event_default"),
        (datetime(2099, 1, 1, tzinfo=UTC), "audit_event_default"),
    ],
)
async def test_a_note_lies_in_its_month_and_never_without_a_place(
    database: Database, urls: Urls, hospital: str, at: datetime, partition: str
) -> None:
    await _note(database, hospital, at)
    async with await AsyncConnection.connect(urls.superuser, autocommit=True) as connection:
        cursor = await connection.execute("select tableoid::regclass::text from audit_event")
        assert await cursor.fetchall() == [(partition,)]
    async with database.transaction(hospital) as tx:
        assert [line.recorded_at for line in await audit.read(tx)] == [at]


@pytest.mark.parametrize(
    ("action", "code"),
    [("create", "C"), ("read", "R"), ("update", "U"), ("delete", "D"), ("query", "E"), ("login", "E"), ("logout", "E")],
)
def test_an_action_has_its_code_in_fhir(action: str, code: str) -> None:
    assert AuditAction(action).fhir == code


async def test_what_people_typed_is_kept_encrypted_and_bound_to_its_row(
    database: Database, urls: Urls, hospital: str, now: datetime
) -> None:
    async with database.transaction(hospital) as tx:
        await audit.record(
            tx, action=AuditAction.QUERY, actor="a", at=now, query="Patient?name=김비밀", reason="응급", found=3
        )
    async with database.transaction(hospital) as tx:
        (line,) = await audit.read(tx)
        assert audit.said_of(tx, line) == audit.Said("Patient?name=김비밀", "응급")
        assert line.found == 3
        with pytest.raises(SealBroken):
            audit.said_of(tx, line.model_copy(update={"actor": "b"}))
    async with await AsyncConnection.connect(urls.superuser, autocommit=True) as connection:
        row = await (await connection.execute("select e::text from audit_event e")).fetchone()
        assert row is not None
        assert "김비밀".encode().hex() not in row[0]
        assert "김비밀" not in row[0]


async def test_what_an_access_says_besides_is_kept_as_it_was(database: Database, hospital: str, now: datetime) -> None:
    async with database.transaction(hospital) as tx:
        await audit.record(
            tx,
            action=AuditAction.BREAK_GLASS,
            actor="a",
            at=now,
            roles=["nurse"],
            purpose="BTG",
            on_behalf_of="b",
            request="r1",
        )
    async with database.transaction(hospital) as tx:
        (line,) = await audit.read(tx)
        assert (line.roles, line.purpose, line.on_behalf_of, line.request) == (("nurse",), "BTG", "b", "r1")
        assert audit.said_of(tx, line) == audit.Said()
