"""Two hospitals in one database do not see each other, whatever a query asks (engine room, 9)."""

from __future__ import annotations

from datetime import datetime
from typing import LiteralString

import psycopg
import pytest
from psycopg import AsyncConnection, sql

from domain.errors import NotFound
from store import accounts, audit, journal, processes, records, worklist
from store.database import Database, SystemTransaction
from store.sealing import KeyRing
from store.worklist import Person
from tests.store.values import BED_MANAGER, Urls, admission, ref, snapshot, task

FORGOTTEN = (
    *("access_token", "client_assertion", "outbox", "session"),
    *("setup_link", "sign_in", "sign_in_attempt", "single_sign_on"),
)
# What phis_system may do, and nothing else (engine room, 9, and the clocks' list).
SYSTEM_MAY = {
    ("alembic_version", "SELECT"),
    ("audit_event", "SELECT"),
    ("audit_seal", "INSERT"),
    ("audit_seal", "SELECT"),
    ("command_ledger", "SELECT"),
    ("data_key", "INSERT"),
    ("data_key", "SELECT"),
    ("hospital_clock", "SELECT"),
    ("message_taken", "DELETE"),
    ("process", "SELECT"),
    ("shared_hospital", "SELECT"),
    ("shared_rule", "SELECT"),
    ("shared_rule_edition", "SELECT"),
    ("subscription_event", "DELETE"),
    *((table, right) for table in FORGOTTEN for right in ("DELETE", "SELECT")),
}


async def _catalogue(url: str, question: LiteralString) -> list[tuple[object, ...]]:
    async with await AsyncConnection.connect(url, autocommit=True) as connection:
        return await (await connection.execute(question)).fetchall()


def _any_row_of(table: str) -> sql.Composed:
    return sql.SQL("select 1 from {} limit 1").format(sql.Identifier(table))


async def test_row_security_is_forced_on_every_table_with_a_hospital(urls: Urls) -> None:
    tables = await _catalogue(
        urls.superuser,
        """
        select c.relname, c.relrowsecurity, c.relforcerowsecurity
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and c.relkind in ('r', 'p')
          and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'hospital')
        """,
    )
    assert len(tables) >= 18
    assert [name for name, on, forced in tables if not (on and forced)] == []


async def test_a_table_without_a_hospital_is_shared_by_name(urls: Urls) -> None:
    tables = await _catalogue(
        urls.superuser,
        """
        select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and c.relkind in ('r', 'p')
          and not exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'hospital')
        """,
    )
    assert {name for (name,) in tables} == {"alembic_version", "shared_hospital", "shared_rule", "shared_rule_edition"}


async def test_the_hospital_is_the_first_column_of_every_table_and_index(urls: Urls) -> None:
    columns = await _catalogue(
        urls.superuser,
        """
        select a.attrelid::regclass::text from pg_attribute a join pg_class c on c.oid = a.attrelid
        where c.relnamespace = 'public'::regnamespace and a.attname = 'hospital' and c.relkind in ('r', 'p')
          and a.attnum <> 1
        """,
    )
    indexes = await _catalogue(
        urls.superuser,
        """
        select i.indexrelid::regclass::text from pg_index i join pg_class c on c.oid = i.indrelid
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'hospital'
        where c.relnamespace = 'public'::regnamespace and i.indkey[0] <> a.attnum
        """,
    )
    assert columns == []
    assert indexes == []


async def test_a_policy_names_the_hospital_for_the_application_on_every_granted_table(urls: Urls) -> None:
    open_tables = await _catalogue(
        urls.superuser,
        """
        select distinct g.table_name from information_schema.role_table_grants g
        where g.grantee = 'phis_app' and g.table_name <> 'alembic_version' and g.table_name not like 'shared\\_%'
          and not exists (
            select from pg_policies p where p.tablename = g.table_name and p.policyname = 'own_hospital'
              and p.roles = '{phis_app}' and p.qual like '%phis.hospital%' and p.with_check = p.qual)
        """,
    )
    assert open_tables == []


async def test_shared_tables_are_read_only_to_the_application(urls: Urls) -> None:
    grants = await _catalogue(
        urls.superuser,
        """
        select privilege_type from information_schema.role_table_grants
        where table_name like 'shared\\_%' and grantee in ('phis_app', 'phis_system', 'PUBLIC')
        """,
    )
    assert {privilege for (privilege,) in grants} == {"SELECT"}


async def test_the_system_role_has_these_grants_and_no_more(urls: Urls) -> None:
    grants = await _catalogue(
        urls.superuser,
        "select table_name, privilege_type from information_schema.role_table_grants where grantee = 'phis_system'",
    )
    columns = await _catalogue(
        urls.superuser,
        """
        select table_name, column_name from information_schema.role_column_grants
        where grantee = 'phis_system' and privilege_type = 'UPDATE'
        """,
    )
    assert set(grants) == SYSTEM_MAY
    assert set(columns) == {
        ("command_ledger", "attempts"),
        ("command_ledger", "leased_until"),
        ("data_key", "master"),
        ("data_key", "retired_at"),
        ("data_key", "wrapped"),
        ("export_job", "leased_until"),
        ("export_job", "turn"),
        ("notice", "leased_until"),
        ("notice", "turn"),
        ("outbox", "delivered_at"),
        ("subscription_delivery", "leased_until"),
        ("subscription_delivery", "turn"),
    }


async def test_the_system_role_cannot_read_bodies(database: Database) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with database.system() as tx:
            await tx.one("select body from resource")


@pytest.mark.parametrize("table", ["audit_event_default", "audit_event_2026_11"])
async def test_the_application_reaches_partitions_only_through_their_table(
    database: Database, hospital: str, table: str
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with database.transaction(hospital) as tx:
            await tx.one(_any_row_of(table))


async def _fill(database: Database, hospital: str, now: datetime, family: str) -> None:
    """The same ids in every hospital."""
    async with database.transaction(hospital) as tx:
        await records.create(tx, {"resourceType": "Patient", "id": "p1", "name": [{"family": family}]}, now=now)
        await processes.start(tx, snapshot(admission("hanbit")), "admission", now)
        await worklist.open_task(tx, task(now), workflow_id=admission("hanbit"), now=now)
        await audit.record(tx, action=audit.AuditAction.CREATE, actor="a", entities=[ref("Patient/p1")], at=now)
        await accounts.create_account(
            tx, name="bed-manager", display_ko="병상", display_en="Beds", roles=BED_MANAGER, password_hash="x"
        )


async def test_equal_ids_in_two_hospitals_are_two_things(
    database: Database, hospital: str, other_hospital: str, now: datetime
) -> None:
    await _fill(database, hospital, now, "김하나")
    await _fill(database, other_hospital, now, "이두리")
    for code, family in ((hospital, "김하나"), (other_hospital, "이두리")):
        async with database.transaction(code) as tx:
            assert (await records.read(tx, ref("Patient/p1"))).body["name"] == [{"family": family}]
            assert len(await records.find(tx, "Patient")) == 1
            assert len(await worklist.for_person(tx, Person("x", BED_MANAGER), now=now)) == 1
            assert len(await audit.read(tx)) == 1


async def test_a_transaction_that_names_no_hospital_sees_nothing(
    database: Database, hospital: str, now: datetime
) -> None:
    await _fill(database, hospital, now, "김하나")
    async with database.transaction("") as tx:
        for table in ("resource", "worklist_task", "worklist_candidate", "process", "outbox", "audit_event", "account"):
            assert await tx.one(_any_row_of(table)) is None


async def test_a_pooled_connection_forgets_its_hospital_after_its_first_use(
    urls: Urls, keys: KeyRing, hospital: str, now: datetime
) -> None:
    async with Database.open(urls.app, urls.system, keys, app_size=1) as database:
        await _fill(database, hospital, now, "김하나")
        pool = database._app
        async with pool.connection() as connection:  # the very connection, without the store's first statement
            setting = await (await connection.execute("select current_setting('phis.hospital') as is")).fetchone()
            assert setting == {"is": ""}
            for table in ("resource", "worklist_task", "process", "outbox", "audit_event"):
                cursor = await connection.execute(_any_row_of(table))
                assert await cursor.fetchall() == [], table


async def test_a_row_cannot_be_written_into_another_hospital(
    database: Database, hospital: str, other_hospital: str
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        async with database.transaction(hospital) as tx:
            await tx.execute(
                "insert into inpatient_stay (hospital, encounter, patient, active) values (%s, 'e', 'p', true)",
                [other_hospital],
            )


async def test_a_row_cannot_be_moved_into_another_hospital(
    database: Database, hospital: str, other_hospital: str, now: datetime
) -> None:
    await _fill(database, hospital, now, "김하나")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        async with database.transaction(hospital) as tx:
            await tx.execute("update resource set hospital = %s", [other_hospital])


@pytest.mark.parametrize(
    "attempt",
    [
        "set row_security = off; select 1 from resource",
        "set role phis_migrate",
        "set role phis_owner",
        "set session authorization phis_system",
        "alter table resource disable row level security",
        "create table mine (x int)",
    ],
)
async def test_the_application_role_cannot_step_past_row_security(urls: Urls, attempt: LiteralString) -> None:
    async with await AsyncConnection.connect(urls.app, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await connection.execute(attempt)


async def test_the_owner_of_the_tables_sees_no_row_either(
    database: Database, urls: Urls, hospital: str, now: datetime
) -> None:
    await _fill(database, hospital, now, "김하나")
    async with await AsyncConnection.connect(urls.migrate, autocommit=True) as connection:
        assert await (await connection.execute("select count(*) from resource")).fetchone() == (1,)
        await connection.execute("set role phis_owner")
        assert await (await connection.execute("select count(*) from resource")).fetchone() == (0,)


async def test_the_system_role_sees_the_processes_of_all_hospitals(
    database: Database, hospital: str, other_hospital: str, now: datetime
) -> None:
    await _fill(database, hospital, now, "김하나")
    await _fill(database, other_hospital, now, "이두리")
    async with database.system() as tx:
        assert isinstance(tx, SystemTransaction)
        rows = await processes.open_all(tx)
    assert sorted(row.hospital for row in rows) == sorted([hospital, other_hospital])


async def test_another_hospitals_resource_is_not_found(
    database: Database, hospital: str, other_hospital: str, now: datetime
) -> None:
    await _fill(database, hospital, now, "김하나")
    async with database.transaction(other_hospital) as tx:
        with pytest.raises(NotFound):
            await records.read(tx, ref("Patient/p1"))
        assert await journal.read(tx, ref("Encounter/e1")) == []
