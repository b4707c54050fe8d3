"""Transactions: the only way to the tables.

A hospital's transaction runs as `phis_app` and names its hospital before anything else; row security shows it nothing
of others. A system transaction runs as `phis_system`, sees all hospitals, and may touch only what the grants name.

Statements are queued (`store.pipeline`) and travel with the next one whose rows are asked for, at the latest with the
commit, so a transaction costs few round trips. Hence: an error of `execute` may rise later in the same transaction; an
error ends the transaction (no savepoints); whoever needs a statement's outcome asks for its rows; a transaction that is
left before it asked for anything has never begun. Rows read with `select *` into a model may hold more columns than the
model: a newer release adds some while this one still runs.
"""

from __future__ import annotations

import asyncio
import select
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Self, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.abc import QueryNoTemplate as Query
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from domain.errors import BedTaken, Conflict, Misconfigured, Unavailable
from store import data_keys
from store.constraints import ONE_OCCUPANT, ONE_OF_AN_ID
from store.pipeline import Line, Pipeline
from store.prepared import Params
from store.sealing import KeyRing

Pool = AsyncConnectionPool[Line]
_T = TypeVar("_T")

# Shorter than an effect's start-to-close timeout of five seconds: the database gives up first and says why.
_SETTINGS = (
    "-c timezone=UTC -c lock_timeout=4s -c statement_timeout=15s -c idle_in_transaction_session_timeout=30s "
    "-c client_min_messages=warning"
)
_CONNECT_SECONDS = 5
_NAME_HOSPITAL = b"select set_config('phis.hospital', %s, true)"
_LOOK = data_keys.LOOKED_AT_EVERY

first_served: ContextVar[bool] = ContextVar("first_served", default=False)
"""Whether this is answered even while everything else waits for a connection: health, signing in."""

_KEPT_BACK = 2
_LINE = 16
"""Connections for `first_served`, opened when they are needed; and how many may wait for each of the others."""

# libpq keeps the code of a refused connection to itself. In another language these are outages, told with their text.
_NEVER = ("password authentication failed", "does not exist", "no pg_hba.conf entry", "not permitted to log in")

# Constraints that may speak as late as at the commit, and what they say.
_SAYS: Mapping[str, tuple[type[Conflict], str]] = {
    ONE_OCCUPANT: (BedTaken, "refused by the database at the commit"),
    **dict.fromkeys(ONE_OF_AN_ID, (Conflict, "a resource of this id exists")),
}


@dataclass(frozen=True)
class AnyTransaction:
    """What both kinds of transaction can do."""

    keys: KeyRing
    connection: Pipeline

    async def one(self, sql: Query, params: Params = None, *, binary: bool = False) -> DictRow | None:
        """The first row, or None. binary: for rows with bodies."""
        cursor = await self.connection.execute(sql, params, binary=binary)
        return await cursor.fetchone()

    async def all(self, sql: Query, params: Params = None, *, binary: bool = False) -> list[DictRow]:
        """All rows. binary: for rows with bodies."""
        cursor = await self.connection.execute(sql, params, binary=binary)
        return await cursor.fetchall()

    async def rows(self, kind: type[_T], sql: Query, params: Params = None) -> list[_T]:
        """Rows as objects of `kind`, whose fields are named like the columns."""
        cursor = await self.connection.execute(sql, params)
        return await cursor.fetchall(kind)

    async def execute(self, sql: Query, params: Params = None) -> None:
        """Queue a statement whose rows nobody needs."""
        await self.connection.execute(sql, params)


@dataclass(frozen=True)
class Transaction(AnyTransaction):
    """A transaction of one hospital."""

    hospital: str


@dataclass(frozen=True)
class SystemTransaction(AnyTransaction):
    """A transaction over all hospitals: ledger, outbox, process rows, sessions, clocks."""


class Database:
    """Pools over one database, one for each role and a small one kept back.

    Every method raises Unavailable(part="database") while it does not answer.
    """

    def __init__(self, app: Pool, system: Pool, kept_back: Pool, keys: KeyRing) -> None:
        self._app = app
        self._kept_back = kept_back
        self._system = system
        self._keys = keys.copy()
        self._keys_read = float("-inf")
        self._reading_keys = asyncio.Lock()

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        app_url: str,
        system_url: str,
        keys: KeyRing,
        *,
        app_size: int = 8,
        system_size: int = 3,
        wait: timedelta = timedelta(seconds=5),
    ) -> AsyncIterator[Self]:
        """Connect as `phis_app` and `phis_system`. `wait`: how long a transaction waits for a connection to begin on.

        Raises Unavailable within seconds when nothing answers there, Misconfigured when it refuses us.
        """
        for url in (app_url, system_url):
            await _try(url)
        async with (
            _pool(app_url, app_size, wait, "app") as app,
            _pool(system_url, system_size, wait, "system") as system,
            _pool(app_url, _KEPT_BACK, wait, "first", ready=0) as kept_back,
        ):
            yield cls(app, system, kept_back, keys)

    def transaction(self, hospital: str) -> AbstractAsyncContextManager[Transaction]:
        """One transaction of a hospital: commits at the end of the block, rolls back when an exception leaves it."""
        return _OfHospital(self, hospital)

    async def begun(self, hospital: str) -> tuple[_Begun, Transaction]:
        """A transaction of a hospital, which names it before anything else."""
        if time.monotonic() - self._keys_read > _LOOK.total_seconds():
            await self._look_for_keys()
        begun = _Begun(self._kept_back if first_served.get() else self._app)
        connection = await begun.__aenter__()
        try:
            await connection.execute(_NAME_HOSPITAL, [hospital])
        except BaseException as impossible:  # a name that PostgreSQL has no spelling for
            await begun.__aexit__(type(impossible), impossible, impossible.__traceback__)
            raise
        return begun, Transaction(self._keys, connection, hospital)

    @asynccontextmanager
    async def system(self) -> AsyncIterator[SystemTransaction]:
        """One transaction over all hospitals."""
        async with _Begun(self._system) as connection:
            yield SystemTransaction(self._keys, connection)

    async def know_keys(self) -> None:
        """Look at the hospitals' data keys now. Raises Misconfigured when the ring lacks what opens one of them."""
        self._keys_read = float("-inf")
        await self._look_for_keys()
        for hospital, master in self._keys.lacking():
            message = (
                f"The key ring has no key {master}, which data keys of {hospital} are wrapped with: put it back, or "
                "what they sealed stays closed. phis keys status tells what still needs it."
            )
            raise Misconfigured(message)

    async def _look_for_keys(self) -> None:
        async with self._reading_keys:
            now = time.monotonic()
            if now - self._keys_read <= _LOOK.total_seconds():
                return
            async with self.system() as tx:
                found = await data_keys.every(tx)
            for hospital, keys in found.items():
                self._keys.learn(hospital, data_keys.known(self._keys, hospital, keys))
            self._keys_read = now

    async def ping(self) -> None:
        """Return when both roles are answered."""
        async with self.transaction("") as tx:
            await tx.one("select 1")
        async with self.system() as system:
            await system.one("select 1")


def _pool(url: str, size: int, wait: timedelta, name: str, *, ready: int = 2) -> Pool:
    return AsyncConnectionPool(
        url,
        connection_class=Line,
        kwargs={
            "autocommit": True,  # BEGIN and COMMIT are queued by `_begun`, with everything between them
            "row_factory": dict_row,
            "options": _SETTINGS,
            "application_name": f"phis-{name}",
            "connect_timeout": _CONNECT_SECONDS,
        },
        min_size=min(ready, size),
        max_size=size,
        max_waiting=_LINE * size,
        timeout=wait.total_seconds(),
        name=f"phis-{name}",
        check=_alive,
        open=False,
    )


async def _alive(connection: Line) -> None:
    """Refuse a connection that died in the pool, so that the first request after a restart does not meet it.

    An idle connection has nothing to read; one that has was ended or told something. No round trip otherwise.
    """
    poll = select.poll()
    poll.register(connection.pgconn.socket, select.POLLIN)
    if poll.poll(0):
        await AsyncConnectionPool.check_connection(connection)


async def _try(url: str) -> None:
    # A pool only says that it timed out; a connection of our own says why, and at once.
    try:
        connection = await AsyncConnection.connect(url, autocommit=True, connect_timeout=_CONNECT_SECONDS)
    except psycopg.OperationalError as down:
        if any(words in str(down) for words in _NEVER):
            raise Misconfigured(f"The database refuses us. Check its address and password: {down}") from down
        raise Unavailable(f"the database does not answer: {down}", part="database") from down
    await connection.close()


class _OfHospital:
    """What `Database.transaction` gives. A class, because each request goes through it."""

    __slots__ = ("_begun", "_database", "_hospital")

    def __init__(self, database: Database, hospital: str) -> None:
        self._database = database
        self._hospital = hospital

    async def __aenter__(self) -> Transaction:
        self._begun, tx = await self._database.begun(self._hospital)
        return tx

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._begun.__aexit__(kind, error, trace)


class _Begun:
    """A connection of the pool, within a transaction: committed at the end of the block, else rolled back."""

    __slots__ = ("_line", "_pipeline", "_pool")

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def __aenter__(self) -> Pipeline:
        try:
            self._line = await self._pool.getconn()
        except Exception as failed:
            _say_as_ours(failed)
            raise
        self._pipeline = Pipeline(self._line)
        await self._pipeline.execute(b"begin")
        return self._pipeline

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._end(error)
        except Exception as failed:
            _say_as_ours(failed)
            raise
        if error is not None:
            _say_as_ours(error)

    async def _end(self, error: BaseException | None) -> None:
        try:
            if error is not None:
                await self._pipeline.give_up()
                return
            try:
                await self._pipeline.commit()
            except BaseException:
                await self._pipeline.give_up()
                raise
        finally:
            await self._pool.putconn(self._line)


def _say_as_ours(error: BaseException) -> None:
    """Raise what PostgreSQL says at a transaction's edge as an error of ours; return for anything else."""
    match error:
        case psycopg.errors.PipelineAborted():
            raise RuntimeError("an error was caught inside its transaction, which was rolled back") from error
        case psycopg.OperationalError() | PoolTimeout() | PoolClosed():
            raise Unavailable(f"the database does not answer: {error}", part="database") from error
        case psycopg.InterfaceError():
            raise Unavailable("the connection to the database was lost", part="database") from error
        case psycopg.IntegrityError():
            if (said := _SAYS.get(error.diag.constraint_name or "")) is not None:
                kind, sentence = said
                raise kind(sentence) from error
