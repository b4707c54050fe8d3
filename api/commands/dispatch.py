"""From a person's action to a kept command and its answer (engine room, 4).

A command is written down before anything else happens. What it changes in the store alone is done in the same
transaction. What a process has to do goes to the process after the commit; with no answer within two seconds the
person hears that it is kept, and the re-sender carries on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Literal, Protocol, Self
from urllib.parse import quote
from uuid import UUID

import structlog
from pydantic import BaseModel

from api.commands.late import tell_author
from api.commands.processes import Processes, refusal
from domain.commands import CommandState, body_digest
from domain.errors import AlreadyDone, NotFound, PhisError, Unavailable
from domain.process import ProcessSnapshot
from store import ledger, processes
from store.database import Database, Transaction

log = structlog.get_logger(__name__)

PATIENCE = timedelta(seconds=2)
"""How long a person waits for a process before the command is answered with "kept, goes on by itself"."""

RESEND_AFTER = timedelta(seconds=5)
"""A command without an answer for this long is sent again by whichever server sees it first."""


def _real_now() -> datetime:
    return datetime.now(UTC)


class Asker(Protocol):
    """Who gives a command."""

    @property
    def hospital(self) -> str: ...
    @property
    def actor(self) -> str: ...


class Message(BaseModel, frozen=True):
    """What the ledger keeps to be able to send again: references and codes, no patient data."""

    kind: Literal["start", "update"]
    name: str = ""
    arg: dict[str, Any] = {}


@dataclass(frozen=True)
class Planned:
    """What a command comes to, once its own writes are done."""

    status: int
    answer: dict[str, Any]
    target: str | None = None
    message: Message | None = None

    @classmethod
    def answered(cls, status: int, answer: dict[str, Any]) -> Self:
        """The store alone did it."""
        return cls(status, answer)

    @classmethod
    def start(cls, workflow_id: str, answer: dict[str, Any]) -> Self:
        """A process row was written; its workflow starts after the commit."""
        return cls(HTTPStatus.CREATED, answer, workflow_id, Message(kind="start"))

    @classmethod
    def update(cls, workflow_id: str, name: str, arg: dict[str, Any]) -> Self:
        """A running process has to answer."""
        return cls(HTTPStatus.OK, {}, workflow_id, Message(kind="update", name=name, arg=arg))


@dataclass(frozen=True)
class Outcome:
    """What the person hears. 202 while the process has not answered: `answer` then has the status address."""

    status: int
    answer: dict[str, Any]
    state: CommandState
    command_id: UUID
    key: str


Plan = Callable[[Transaction, UUID], Awaitable[Planned]]
"""Does a command's own writes in the transaction that keeps it. The id is the ledger's: what is made is named by it."""


@dataclass
class Dispatcher:
    """Takes commands, keeps them, brings them to their process, and sends again what got no answer."""

    database: Database
    processes: Processes
    now: Callable[[], datetime] = _real_now

    async def submit(self, caller: Asker, *, key: str, command: str, body: dict[str, Any], plan: Plan) -> Outcome:
        """Keep a command and answer it. The same key again gets the first answer, also a refusal.

        Raises KeyReused for the same key with another body, and whatever `plan` or the process refuses with: a refusal
        by `plan` leaves nothing behind, one by the process is kept.
        """
        digest = body_digest(command, body)
        async with self.database.transaction(caller.hospital) as tx:
            entry, new = await ledger.receive(
                tx, actor=caller.actor, key=key, command=command, digest=digest, now=self.now()
            )
            if new:
                planned = await plan(tx, entry.id)
                if planned.message is None:
                    entry = await ledger.answer(tx, entry.id, planned.status, planned.answer)
                else:
                    entry = await ledger.address(
                        tx,
                        entry.id,
                        target=planned.target,
                        message=planned.message.model_dump(),
                        status=planned.status,
                        answer=planned.answer,
                    )
        if new and entry.state is CommandState.RECEIVED:
            entry = await self.deliver(entry)
        return outcome_of(entry)

    async def deliver(self, entry: ledger.Entry, *, late: bool = False) -> ledger.Entry:
        """Bring a kept command to its process and keep the answer. Without one, the entry comes back as it was.

        late: its author has been told that it is kept and has gone on, so a refusal becomes a task for them.
        """
        try:
            answer = await self._send(entry)
        except Unavailable as later:
            log.warning("command kept", command_id=str(entry.id), reason=str(later))
            if later.params.get("part") == "database":
                return entry
            async with self.database.transaction(entry.hospital) as tx:
                return await ledger.sent(tx, entry.id)
        except PhisError as refused:
            async with self.database.transaction(entry.hospital) as tx:
                kept = await ledger.refuse(tx, entry.id, refused.code, refused.params)
                if late and kept.state is CommandState.REFUSED:
                    await tell_author(tx, entry, refused, self.now())
                return kept
        async with self.database.transaction(entry.hospital) as tx:
            return await ledger.answer(tx, entry.id, entry.status or HTTPStatus.OK, answer)

    async def _send(self, entry: ledger.Entry) -> dict[str, Any]:
        message = Message.model_validate(entry.message)
        target = entry.target or ""
        if message.kind == "start":
            row = await self._row(entry.hospital, target)
            if not row.closed:
                await self.processes.start(row, patience=PATIENCE)
            return entry.answer or {}
        try:
            return await self.processes.update(target, message.name, message.arg, id_=entry.id, patience=PATIENCE)
        except NotFound:
            return await self._send_to_the_missing(entry, message, target)

    async def _send_to_the_missing(self, entry: ledger.Entry, message: Message, target: str) -> dict[str, Any]:
        """No such workflow runs: it has ended, perhaps by this very command, or Temporal has lost it."""
        async with self.database.transaction(entry.hospital) as tx:
            first = await processes.first_effect_of(tx, entry.id)
            row = await processes.get(tx, target)
        if first is not None:
            return first
        if row.closed_at is not None:
            raise AlreadyDone("the process has ended", at=row.closed_at.isoformat())
        log.warning("workflow missing, resumed from its row", workflow_id=target)
        await self.processes.start(row.snapshot, resume=True, patience=PATIENCE)
        return await self.processes.update(target, message.name, message.arg, id_=entry.id, patience=PATIENCE)

    async def _row(self, hospital: str, workflow_id: str) -> ProcessSnapshot:
        async with self.database.transaction(hospital) as tx:
            return (await processes.get(tx, workflow_id)).snapshot

    async def resend_once(self, *, older_than: timedelta = RESEND_AFTER, limit: int = 20) -> int:
        """Lease commands that got no answer and send them again. Returns how many were taken."""
        async with self.database.system() as tx:
            entries = await ledger.lease(tx, older_than=older_than, limit=limit, now=self.now())
        if entries:
            await asyncio.gather(*(self.deliver(entry, late=True) for entry in entries))
        return len(entries)

    async def keep_resending(self, *, every: timedelta = timedelta(seconds=1)) -> None:
        """Run until cancelled. An outage of the database is waited out: the commands stand in it."""
        while True:
            try:
                while await self.resend_once() > 0:
                    pass
            except PhisError as later:
                log.warning("re-sending waits", reason=later.code)
            await asyncio.sleep(every.total_seconds())


def outcome_of(entry: ledger.Entry) -> Outcome:
    """Render a ledger entry. Raises the refusal that it holds."""
    if entry.state is CommandState.REFUSED:
        kept = entry.answer or {}
        raise refusal(str(kept.get("code", "refused")), kept.get("params", {}))
    if entry.state is CommandState.ANSWERED:
        return Outcome(entry.status or HTTPStatus.OK, entry.answer or {}, entry.state, entry.id, entry.key)
    kept = {"state": entry.state.value, "status": f"/commands/{quote(entry.key, safe='')}"}
    return Outcome(HTTPStatus.ACCEPTED, kept, entry.state, entry.id, entry.key)
