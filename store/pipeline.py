"""Statements on their way to PostgreSQL: several travel together, and those that repeat stay prepared.

libpq's pipeline, driven directly over psycopg's connection and adapters. psycopg's own cursors write to the socket with
each statement and wait through machinery for every case: that was a third of what a FHIR read cost. Here is what a
transaction of ours needs, and no more.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import psycopg
from psycopg import AsyncConnection, pq
from psycopg.abc import Buffer
from psycopg.abc import QueryNoTemplate as Query
from psycopg.adapt import Transformer
from psycopg.errors import error_from_result
from psycopg.pq.abc import PGresult
from psycopg.rows import DictRow

from store.prepared import Key, Params, Prepared, spelled

Make = Callable[..., Any]
"""Makes a row of its columns, given by name."""

_CANCEL_SECONDS = 1.0
_NO_SOCKET = -1
_FATAL = pq.ExecStatus.FATAL_ERROR
_ABORTED = pq.ExecStatus.PIPELINE_ABORTED
_SYNC = pq.ExecStatus.PIPELINE_SYNC
_ROWS = pq.ExecStatus.TUPLES_OK


class Line(AsyncConnection[DictRow]):
    """A connection that remembers what it has prepared, and how values are written and read on it.

    The loop keeps watching its socket between transactions: to begin and end that with each wait cost as much as the
    wait. Before psycopg itself waits on the socket, or closes it, the watching ends.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.prepared = Prepared()
        self.adapting = Transformer(self)
        self._watched = _NO_SOCKET
        self._awaited: asyncio.Future[None] | None = None

    async def heard(self, *, writing: bool = False) -> None:
        """Wait until the socket has something for us, or takes more."""
        loop, socket = asyncio.get_running_loop(), self.pgconn.socket
        self._awaited = awaited = loop.create_future()
        if self._watched != socket:
            loop.add_reader(socket, self._hear)
            self._watched = socket
        if writing:
            loop.add_writer(socket, self._hear)
        try:
            await awaited
        finally:
            self._awaited = None
            if writing:
                loop.remove_writer(socket)

    def _hear(self) -> None:
        if self._awaited is None:  # nobody has asked: the server ends the connection, or tells something
            self.unwatch()
        elif not self._awaited.done():
            self._awaited.set_result(None)

    @property
    def watched(self) -> bool:
        """Whether the loop tells what comes on the socket."""
        return self._watched != _NO_SOCKET

    def unwatch(self) -> None:
        """Let the loop forget the socket, which may be closed already."""
        if self.watched:
            asyncio.get_running_loop().remove_reader(self._watched)
            self._watched = _NO_SOCKET

    async def wait(self, *arguments: Any, **named: Any) -> Any:
        self.unwatch()
        return await super().wait(*arguments, **named)

    async def close(self) -> None:
        self.unwatch()
        await super().close()


class Pending:
    """What a statement will answer."""

    __slots__ = ("_pipeline", "_result")

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._result: PGresult | None = None

    def arrived(self, result: PGresult) -> None:
        self._result = result

    @property
    def refused(self) -> bool:
        """Whether PostgreSQL answered this very statement with an error."""
        return self._result is not None and self._result.status == _FATAL

    async def fetchall(self, make: Make | None = None) -> list[Any]:
        """Its rows, dictionaries unless `make` makes something else. Raises the first error since the last answer."""
        if self._result is None:
            await self._pipeline.travel()
        assert self._result is not None  # noqa: S101  # travelling brings every answer, or raises
        return self._pipeline.rows(self._result, make)

    async def fetchone(self) -> DictRow | None:
        """Its first row, or None."""
        found = await self.fetchall()
        return found[0] if found else None

    @property
    def statusmessage(self) -> str | None:
        """PostgreSQL's word for what it did, such as `COMMIT`; None before it has."""
        said = self._result.command_status if self._result is not None else None
        return said.decode() if said is not None else None


class _Queued(NamedTuple):
    key: Key
    values: Sequence[Buffer | None]
    formats: Sequence[pq.Format] | None
    answer: pq.Format
    pending: Pending


class Pipeline:
    """The statements of one transaction, one after the other. After an error it takes no more of them."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._pgconn = line.pgconn
        self._queue: list[_Queued] = []
        self._turn = asyncio.Lock()
        self._sent = False  # something has reached PostgreSQL
        self._travelling = False  # answers are on their way: left so, the connection cannot be used again
        self._failed = False

    async def execute(self, statement: Query, params: Params = None, *, binary: bool = False) -> Pending:
        """Queue a statement. It travels with the next one whose answer is asked for.

        binary: its rows come as PostgreSQL holds them: half the bytes where there are bodies, and no digits to read.
        """
        answer = pq.Format.BINARY if binary else pq.Format.TEXT
        text = self._bytes(statement)
        pending = Pending(self)
        if params is None:  # then nothing in it is a placeholder
            self._queue.append(_Queued((text, ()), (), None, answer, pending))
            return pending
        known, adapting = spelled(text), self._line.adapting
        values = adapting.dump_sequence(known.ordered(params), known.formats)
        key = (known.text, adapting.types or ())
        self._queue.append(_Queued(key, values, adapting.formats, answer, pending))
        return pending

    def _bytes(self, statement: Query) -> bytes:
        if isinstance(statement, bytes):
            return statement
        return statement.encode() if isinstance(statement, str) else statement.as_bytes(self._line)

    async def travel(self) -> None:
        """Send what is queued and take in what it answers. Raises the first error, and ever after PipelineAborted."""
        async with self._turn:
            if self._failed:
                raise psycopg.errors.PipelineAborted("the transaction has failed before")
            queue, self._queue = self._queue, []
            if queue:
                await self._travel(queue)

    async def _travel(self, queue: list[_Queued]) -> None:
        self._sent = self._travelling = True
        try:
            self._pgconn.enter_pipeline_mode()
            waiting: deque[tuple[Key | None, Pending]] = deque()
            for each in queue:
                self._send(each, waiting)
            self._pgconn.pipeline_sync()
            refused = await self._answers(waiting)
            self._pgconn.exit_pipeline_mode()
        except BaseException:
            self._line.unwatch()  # libpq may have closed the socket, whose number the next one may get
            raise
        self._travelling = False
        if refused is not None:
            self._failed = True
            raise error_from_result(refused)

    def _send(self, each: _Queued, waiting: deque[tuple[Key | None, Pending]]) -> None:
        prepared, (text, types) = self._line.prepared, each.key
        name, new = prepared.name_of(each.key)
        if new and name is not None:
            self._pgconn.send_prepare(name, text, types)
            waiting.append((each.key, Pending(self)))
            if (surplus := prepared.surplus()) is not None:
                self._pgconn.send_query_params(b"deallocate " + surplus, None)
                waiting.append((None, Pending(self)))
        if name is not None:
            self._pgconn.send_query_prepared(name, each.values, each.formats, each.answer)
        else:
            self._pgconn.send_query_params(text, each.values, types, each.formats, each.answer)
        waiting.append((each.key, each.pending))

    async def _answers(self, waiting: deque[tuple[Key | None, Pending]]) -> PGresult | None:
        """Take in one answer for each that is waited for, and return the first that is an error."""
        pgconn, refused = self._pgconn, None
        while pgconn.flush():
            await self._line.heard(writing=True)
            pgconn.consume_input()
        while True:
            while pgconn.is_busy():
                await self._line.heard()
                pgconn.consume_input()
            result = pgconn.get_result()
            if result is None:  # the end of one answer
                if pgconn.status == pq.ConnStatus.BAD:
                    raise psycopg.OperationalError("the connection is lost")
                continue
            status = result.status
            if status == _SYNC:
                return refused
            key, pending = waiting.popleft()
            pending.arrived(result)
            if status in {_FATAL, _ABORTED}:
                if key is not None:  # a plan may have grown old with its tables, or was never made
                    self._line.prepared.forget(key)
                refused = refused or result

    def rows(self, result: PGresult, make: Make | None) -> list[Any]:
        """The rows of an answer. Raises psycopg.ProgrammingError for a statement that gives none."""
        if result.status != _ROWS:
            raise psycopg.ProgrammingError("the statement gives no rows")
        if not result.ntuples:
            return []
        names = [(result.fname(column) or b"").decode() for column in range(result.nfields)]
        adapting = self._line.adapting
        adapting.set_pgresult(result)
        if make is None:
            return adapting.load_rows(0, result.ntuples, lambda values: dict(zip(names, values, strict=True)))
        return adapting.load_rows(0, result.ntuples, lambda values: make(**dict(zip(names, values, strict=True))))

    async def commit(self) -> None:
        """Make it so. Raises PipelineAborted where nothing was, because a statement had failed."""
        ended = await self.execute(b"commit")
        await self.travel()
        if ended.statusmessage != "COMMIT":  # PostgreSQL says ROLLBACK instead, without an error
            raise psycopg.errors.PipelineAborted("the transaction was rolled back")

    async def give_up(self) -> None:
        """Roll back. A connection whose answers nobody waited for is ended, and what it was doing with it."""
        self._queue.clear()
        if self._travelling:
            try:
                await self._line.cancel_safe(timeout=_CANCEL_SECONDS)
            finally:
                await self._line.close()
        elif self._sent and self._pgconn.transaction_status != pq.TransactionStatus.IDLE:
            self._failed = False
            await self.execute(b"rollback")
            await self.travel()
