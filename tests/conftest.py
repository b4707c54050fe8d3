"""The house for tests: one embedded PostgreSQL and one Temporal server for the whole run, a fresh database per test.

With pytest-xdist the controller starts both and tells its workers the addresses; nothing listens beyond 127.0.0.1.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from psycopg import AsyncConnection, sql
from psycopg.conninfo import make_conninfo
from pytest_socket import socket_allow_hosts
from temporalio.client import Client

from adapters.fhir import locations
from api.commands.dispatch import Dispatcher
from api.commands.processes import Processes
from api.events import EventHub
from api.state import AppState
from domain.ids import HospitalCode
from domain.roles import Role
from runtime.postgres import EmbeddedPostgres
from runtime.temporal import connect, register_namespace_and_attributes
from runtime.temporal_server import TemporalServer
from store import bootstrap, hospitals, records, schema
from store.care import standing
from store.database import Database
from store.sealing import KeyRing
from tests.desk import Desk

TEMPLATE = "phis_template"
NAMESPACE = "phis"
LOOPBACK = ["127.0.0.1", "::1"]


@dataclass(frozen=True)
class House:
    """Addresses of the servers that this run started, by role and of the template database."""

    superuser: str
    migrate: str
    app: str
    system: str
    temporal: str
    keys: str


@dataclass(frozen=True)
class Urls:
    """Addresses of one test's own database, by role."""

    superuser: str
    migrate: str
    app: str
    system: str


_HOUSE = pytest.StashKey[House]()
_STOP = pytest.StashKey["_Servers"]()


class _Servers:
    """Both servers, in a directory of their own that an unprivileged database process can reach."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="phis-tests-"))
        self.directory.chmod(0o755)
        self.postgres = EmbeddedPostgres(self.directory / "postgres", durable=False)
        self.temporal = TemporalServer(
            None,
            log=self.directory / "temporal.log",
            skip_time=True,
            timer_shift=timedelta(milliseconds=20),
            namespace=NAMESPACE,
        )

    async def start(self) -> House:
        try:
            addresses = await self.postgres.start()
            temporal = await self.temporal.start()
            keys = KeyRing.generate()
            await bootstrap.bootstrap(addresses.superuser, TEMPLATE, dict(addresses.passwords))
            await schema.migrate(addresses.url("phis_migrate", TEMPLATE))
            client = await connect(temporal.address, NAMESPACE, keys)
            await register_namespace_and_attributes(client)
        except BaseException:
            await self.stop()
            raise
        return House(
            superuser=addresses.superuser_of(TEMPLATE),
            migrate=addresses.url("phis_migrate", TEMPLATE),
            app=addresses.url("phis_app", TEMPLATE),
            system=addresses.url("phis_system", TEMPLATE),
            temporal=temporal.address,
            keys=keys.text,
        )

    async def stop(self) -> None:
        await self.temporal.stop()
        await self.postgres.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


def pytest_sessionstart(session: pytest.Session) -> None:
    config = session.config
    told = getattr(config, "workerinput", {}).get("house")
    if told is not None:
        config.stash[_HOUSE] = House(**json.loads(told))
    elif not config.option.collectonly:
        servers = _Servers()
        config.stash[_HOUSE] = asyncio.run(servers.start())
        config.stash[_STOP] = servers


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: pytest.Session) -> None:
    node.workerinput["house"] = json.dumps(asdict(node.config.stash[_HOUSE]))  # type: ignore[attr-defined]


def pytest_sessionfinish(session: pytest.Session) -> None:
    servers = session.config.stash.get(_STOP, None)
    if servers is not None:
        asyncio.run(servers.stop())


@pytest.fixture(autouse=True)
def _network_is_shut() -> None:
    """Nothing leaves this machine: a connection to any other address fails the test."""
    socket_allow_hosts(LOOPBACK, allow_unix_socket=True)


@pytest.fixture(scope="session")
def house(request: pytest.FixtureRequest) -> House:
    return request.config.stash[_HOUSE]


@pytest.fixture(scope="session")
def keys(house: House) -> KeyRing:
    return KeyRing.parse(house.keys)


@pytest.fixture
async def urls(house: House) -> AsyncIterator[Urls]:
    """A database of this test's own, cloned from the migrated template."""
    name = f"t_{uuid4().hex}"
    maintenance = make_conninfo(house.superuser, dbname="postgres")
    async with await AsyncConnection.connect(maintenance, autocommit=True) as connection:
        await connection.execute(
            sql.SQL("create database {} template {} owner phis_owner strategy file_copy").format(
                sql.Identifier(name), sql.Identifier(TEMPLATE)
            )
        )
    yield Urls(**{role: make_conninfo(getattr(house, role), dbname=name) for role in Urls.__dataclass_fields__})
    async with await AsyncConnection.connect(maintenance, autocommit=True) as connection:
        await connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
async def database(urls: Urls, keys: KeyRing) -> AsyncIterator[Database]:
    async with Database.open(urls.app, urls.system, keys) as opened:
        yield opened


def _code() -> str:
    # Unique in the run: workflow ids begin with it, and all tests share one Temporal namespace.
    return f"t{uuid4().hex[:12]}"


@pytest.fixture
async def hospital(database: Database, urls: Urls) -> HospitalCode:
    return await _hospital(urls, "한빛대학교병원", "Hanbit University Hospital")


@pytest.fixture
async def other_hospital(database: Database, urls: Urls) -> HospitalCode:
    return await _hospital(urls, "새봄의원", "Saebom Clinic")


async def _hospital(urls: Urls, name_ko: str, name_en: str) -> str:
    code = _code()
    await hospitals.create(urls.migrate, code=code, name_ko=name_ko, name_en=name_en, kind="tertiary")
    return code


@pytest.fixture
def now() -> datetime:
    """The real present: sessions, leases and timers of the servers run on it."""
    return datetime.now(UTC)


@pytest.fixture
async def temporal_client(house: House, keys: KeyRing) -> Client:
    return await connect(house.temporal, NAMESPACE, keys)


@pytest.fixture
def task_queue() -> str:
    """A queue that no other test's worker polls."""
    return f"phis-process-{uuid4().hex[:12]}"


@pytest.fixture
def dispatcher(database: Database, temporal_client: Client, task_queue: str) -> Dispatcher:
    return Dispatcher(database, Processes(temporal_client, task_queue))


@pytest.fixture
async def desk(
    database: Database, hospital: str, dispatcher: Dispatcher, temporal_client: Client, task_queue: str
) -> Desk:
    state = AppState(
        database=database,
        temporal=temporal_client,
        task_queue=task_queue,
        dispatcher=dispatcher,
        events=EventHub(),
        public_url="http://127.0.0.1",
        secure_cookies=False,
        version="test",
    )
    async with database.transaction(hospital) as tx:
        at = datetime.now(UTC)
        ward = (await records.create(tx, locations.ward("7병동", alias="Ward 7"), now=at)).reference
        made = [locations.bed(f"7-{number:02}", ward) for number in (1, 2)]
        beds = [(await records.create(tx, bed, now=at)).reference for bed in made]
        for role in (Role.NURSE, Role.WARD_MANAGER):
            await standing.place(tx, f"{role.value}@{hospital}", places=[ward])
    return Desk(state, hospital, ward, beds)
