"""The schema comes up from nothing, is what the classes declare, and refuses a newer release's database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import uuid4

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from psycopg import AsyncConnection, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import NullPool, create_engine
from sqlalchemy.sql.schema import SchemaItem

from domain.errors import Misconfigured, Unavailable
from store import bootstrap, hospitals, schema
from store.tables import METADATA
from tests.store.values import Urls


@dataclass(frozen=True)
class Empty:
    """A database that was bootstrapped and not migrated."""

    superuser: str
    migrate: str
    app: str


@pytest.fixture
async def empty(urls: Urls) -> AsyncIterator[Empty]:
    name = f"t_{uuid4().hex}"
    await bootstrap.bootstrap(urls.superuser, name, {})
    yield Empty(*(make_conninfo(url, dbname=name) for url in (urls.superuser, urls.migrate, urls.app)))
    async with await AsyncConnection.connect(urls.superuser, autocommit=True) as connection:
        await connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def _is_ours(_: SchemaItem, name: str | None, kind: str, reflected: bool, __: SchemaItem | None) -> bool:
    # Months of the audit stand in no class: they are parts of its table.
    return not (kind == "table" and reflected and (name or "").startswith("audit_event_"))


def _differences(url: str) -> list[object]:
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool)
    options = {"compare_type": True, "compare_server_default": True, "include_object": _is_ours}
    with engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), METADATA))


async def test_the_database_is_what_the_classes_declare(urls: Urls) -> None:
    assert await asyncio.to_thread(_differences, urls.superuser) == []


async def test_a_difference_would_be_seen(urls: Urls) -> None:
    async with await AsyncConnection.connect(urls.superuser, autocommit=True) as connection:
        await connection.execute("alter table worklist_task drop column escalated")
        await connection.execute("drop index journal_of_subject")
        await connection.execute("alter table outbox alter xid type int")
    assert len(await asyncio.to_thread(_differences, urls.superuser)) == 3


async def test_an_empty_database_is_brought_to_the_head_and_stays_there(empty: Empty) -> None:
    assert await schema.current(empty.app) is None
    with pytest.raises(Misconfigured, match="run phis migrate"):
        await schema.check(empty.app)
    await schema.migrate(empty.migrate)
    await schema.migrate(empty.migrate)
    assert await schema.current(empty.app) == schema.head()
    await schema.check(empty.app)


async def test_two_migrations_at_once_take_turns(empty: Empty) -> None:
    await asyncio.gather(schema.migrate(empty.migrate), schema.migrate(empty.migrate))
    assert await schema.current(empty.app) == schema.head()


async def test_everything_belongs_to_the_owner_who_cannot_sign_in(urls: Urls) -> None:
    async with await AsyncConnection.connect(urls.superuser, autocommit=True) as connection:
        owners = await connection.execute(
            "select distinct pg_get_userbyid(relowner) from pg_class where relnamespace = 'public'::regnamespace"
        )
        assert await owners.fetchall() == [("phis_owner",)]
        may = await connection.execute(
            "select rolname, rolcanlogin, rolbypassrls, rolsuper from pg_roles where rolname like 'phis\\_%' order by 1"
        )
        assert await may.fetchall() == [
            ("phis_app", True, False, False),
            ("phis_migrate", True, True, False),
            ("phis_owner", False, False, False),
            ("phis_system", True, False, False),
        ]


async def test_a_database_of_a_newer_release_is_left_alone(urls: Urls) -> None:
    async with await AsyncConnection.connect(urls.superuser, autocommit=True) as connection:
        await connection.execute("update alembic_version set version_num = '20991231_the_future'")
    for attempt in (schema.migrate(urls.migrate), schema.check(urls.app)):
        with pytest.raises(Misconfigured, match=r"newer release .*20991231_the_future.*start that release"):
            await attempt
    assert await schema.current(urls.app) == "20991231_the_future"


async def test_a_database_that_does_not_answer_is_said_to(unreachable: str) -> None:
    for attempt in (schema.current(unreachable), schema.migrate(unreachable), schema.check(unreachable)):
        with pytest.raises(Unavailable, match="does not answer"):
            await attempt
    with pytest.raises(Unavailable, match="does not answer"):
        await bootstrap.bootstrap(unreachable, "phis", {})


async def test_bootstrapping_again_keeps_everything_and_a_new_password_replaces_the_old(urls: Urls) -> None:
    name = str(conninfo_to_dict(urls.app)["dbname"])
    await hospitals.create(urls.migrate, code="hanbit", name_ko="한빛", name_en="Hanbit", kind="clinic")
    # The roles belong to the whole server, where other tests run: the password that is set is the one that is valid.
    password = str(conninfo_to_dict(urls.app)["password"])
    await asyncio.gather(*(bootstrap.bootstrap(urls.superuser, name, {"phis_app": password}) for _ in range(3)))
    async with await AsyncConnection.connect(urls.app) as connection:
        assert await (await connection.execute("select code from shared_hospital")).fetchall() == [("hanbit",)]


async def test_strangers_cannot_connect_and_our_roles_can(empty: Empty) -> None:
    async with await AsyncConnection.connect(empty.superuser, autocommit=True) as connection:
        cursor = await connection.execute("select datacl::text from pg_database where datname = current_database()")
        row = await cursor.fetchone()
    assert row is not None
    entries = row[0].strip("{}").split(",")
    assert not [entry for entry in entries if entry.startswith("=")]
    assert {entry.split("=")[0] for entry in entries} == {"phis_owner", "phis_app", "phis_system", "phis_migrate"}
