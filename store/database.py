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
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Self, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.abc import QueryNoTemplate as Query
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from domain.errors import BedTaken, Conflict, Invalid, Misconfigured, Unavailable
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

    @asynccontextmanager
    async def transaction(self, hospital: str) -> AsyncIterator[Transaction]:
        """One transaction of a hospital: commits at the end of the block, rolls back when an exception leaves it."""
        if time.monotonic() - self._keys_read > _LOOK.total_seconds():
            await self._look_for_keys()
        async with _begun(self._kept_back if first_served.get() else self._app) as connection:
            await connection.execute("select set_config('phis.hospital', %s, true)", [hospital])
            yield Transaction(self._keys, connection, hospital)

    @asynccontextmanager
    async def system(self) -> AsyncIterator[SystemTransaction]:
        """One transaction over all hospitals."""
        async with _begun(self._system) as connection:
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


@asynccontextmanager
async def _begun(pool: Pool) -> AsyncIterator[Pipeline]:
    with _said_as_ours():
        line = await pool.getconn()
        try:
            pipeline = Pipeline(line)
            try:
                await pipeline.execute(b"begin")
                yield pipeline
                await pipeline.commit()
            except BaseException:
                await pipeline.give_up()
                raise
        finally:
            await pool.putconn(line)


@contextmanager
def _said_as_ours() -> Iterator[None]:
    """Turn what PostgreSQL says at a transaction's edge into errors of ours."""
    try:
        yield
    except psycopg.errors.PipelineAborted as swallowed:
        raise RuntimeError("an error was caught inside its transaction, which was rolled back") from swallowed
    except (psycopg.OperationalError, PoolTimeout, PoolClosed) as down:
        raise Unavailable(f"the database does not answer: {down}", part="database") from down
    except psycopg.DataError as unfit:
        if not _holds_nul(unfit):
            raise
        raise Invalid("a text holds a character (U+0000) that no text can hold", field="") from None
    except psycopg.InterfaceError as lost:
        raise Unavailable("the connection to the database was lost", part="database") from lost
    except psycopg.IntegrityError as refused:
        said = _SAYS.get(refused.diag.constraint_name or "")
        if said is None:
            raise
        kind, sentence = said
        raise kind(sentence) from refused


def _holds_nul(error: psycopg.DataError) -> bool:
    """PostgreSQL keeps every character but U+0000: psycopg says so of text, the server of JSON."""
    return isinstance(error, psycopg.errors.UntranslatableCharacter) or "NUL" in str(error)
