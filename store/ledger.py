"""The command ledger (engine room, 4): what people asked for, kept before anything else happens, and its answer.

Messages and answers hold references and codes only: the re-sender reads them for all hospitals.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from psycopg.types.json import Jsonb
from pydantic import BaseModel

from domain.commands import CommandState
from domain.errors import KeyReused, NotFound
from store.database import SystemTransaction, Transaction

_LONGEST_LEASE = timedelta(seconds=30)


class Entry(BaseModel, frozen=True):
    """A command. `status` is the HTTP status of its answer; `answer` of a refusal holds its `code` and `params`.

    While the command is pending, `status` and `answer` are what its process need not say, such as the id of what was
    made; times are real.
    """

    hospital: str
    id: UUID
    actor: str
    key: str
    command: str
    digest: bytes
    state: CommandState
    target: str | None
    message: dict[str, Any] | None
    status: int | None
    answer: dict[str, Any] | None
    received_at: datetime
    attempts: int


async def receive(
    tx: Transaction,
    *,
    actor: str,
    key: str,
    command: str,
    digest: bytes,
    target: str | None = None,
    message: dict[str, Any] | None = None,
    answer: dict[str, Any] | None = None,
    now: datetime,
) -> tuple[Entry, bool]:
    """Keep a command; True when it is new. The same key again gives what stands there, also while it is pending.

    Two at once: the second waits for the first's commit.  answer: the command is answered already, with status 200.
    Raises KeyReused when the key came with another command or body.
    """
    made = await tx.rows(
        Entry,
        """
        insert into command_ledger
            (hospital, id, actor, key, command, digest, state, target, message, status, answer, received_at, attempts)
        values (%(hospital)s, %(id)s, %(actor)s, %(key)s, %(command)s, %(digest)s, %(state)s, %(target)s,
                %(message)s, %(status)s, %(answer)s, %(now)s, 0)
        on conflict (hospital, actor, key) do nothing
        returning *
        """,
        {
            "hospital": tx.hospital,
            "id": uuid4(),
            "actor": actor,
            "key": key,
            "command": command,
            "digest": digest,
            "state": CommandState.RECEIVED if answer is None else CommandState.ANSWERED,
            "target": target,
            "message": _json(message),
            "status": None if answer is None else 200,
            "answer": _json(answer),
            "now": now,
        },
    )
    if made:
        return made[0], True
    entry = await get(tx, actor, key)
    if entry.digest != digest:
        raise KeyReused("the idempotency key was used for something else", key=key)
    return entry, False


async def address(
    tx: Transaction,
    command_id: UUID,
    *,
    target: str | None,
    message: dict[str, Any],
    status: int | None = None,
    answer: dict[str, Any] | None = None,
) -> Entry:
    """Say where a received command goes: from now on it is sent, and sent again, until it is answered or refused."""
    return await _pending(
        tx,
        command_id,
        """
        update command_ledger set target = %(target)s, message = %(message)s, status = %(status)s, answer = %(answer)s
        where hospital = %(hospital)s and id = %(id)s and state = 'received'
        returning *
        """,
        target=target,
        message=_json(message),
        status=status,
        answer=_json(answer),
    )


async def sent(tx: Transaction, command_id: UUID) -> Entry:
    """The process has the command; its answer is still to come."""
    return await _pending(
        tx,
        command_id,
        """
        update command_ledger set state = 'sent'
        where hospital = %(hospital)s and id = %(id)s and state = 'received'
        returning *
        """,
    )


async def answer(tx: Transaction, command_id: UUID, status: int, body: dict[str, Any]) -> Entry:
    """Keep the answer. Only the first one counts: the entry comes back with the answer that stands."""
    return await _pending(
        tx,
        command_id,
        """
        update command_ledger set state = 'answered', status = %(status)s, answer = %(answer)s, leased_until = null
        where hospital = %(hospital)s and id = %(id)s and state in ('received', 'sent')
        returning *
        """,
        status=status,
        answer=_json(body),
    )


async def refuse(tx: Transaction, command_id: UUID, code: str, params: dict[str, str]) -> Entry:
    """Keep a refusal. An answer or refusal that came first stands."""
    return await _pending(
        tx,
        command_id,
        """
        update command_ledger set state = 'refused', status = null, answer = %(answer)s, leased_until = null
        where hospital = %(hospital)s and id = %(id)s and state in ('received', 'sent')
        returning *
        """,
        answer=_json({"code": code, "params": params}),
    )


async def get(tx: Transaction, actor: str, key: str) -> Entry:
    """The command that `actor` gave under `key`. Raises NotFound."""
    found = await tx.rows(
        Entry,
        "select * from command_ledger where hospital = %s and actor = %s and key = %s",
        [tx.hospital, actor, key],
    )
    if not found:
        raise NotFound("no such command", key=key)
    return found[0]


async def by_id(tx: Transaction, command_id: UUID) -> Entry:
    """The command of this id, whoever gave it. Raises NotFound."""
    found = await tx.rows(
        Entry, "select * from command_ledger where hospital = %s and id = %s", [tx.hospital, command_id]
    )
    if not found:
        raise NotFound("no such command", id=str(command_id))
    return found[0]


class Pending(BaseModel, frozen=True):
    """Commands of all hospitals without an answer; `oldest` is real time, None without any."""

    count: int
    oldest: datetime | None


async def pending(tx: SystemTransaction) -> Pending:
    """What waits to be answered, for the measures of this installation."""
    rows = await tx.rows(
        Pending,
        "select count(*) as count, min(received_at) as oldest from command_ledger where state in ('received', 'sent')",
    )
    return rows[0]


async def lease(tx: SystemTransaction, older_than: timedelta, limit: int, now: datetime) -> list[Entry]:
    """Take pending commands of any hospital for sending again, oldest first, each for one server at a time.

    A lease lasts `older_than`, twice as long with each attempt, at most 30 s, so that a dead server's ends.
    """
    return await tx.rows(
        Entry,
        """
        with due as (
            select hospital, id from command_ledger
            where state in ('received', 'sent') and message is not null
              and received_at <= %(now)s - %(older_than)s and (leased_until is null or leased_until <= %(now)s)
            order by received_at limit %(limit)s
            for update skip locked
        )
        update command_ledger
        set attempts = attempts + 1,
            leased_until = %(now)s + least(%(older_than)s * pow(2, least(attempts, 10)), %(longest)s)
        from due
        where command_ledger.hospital = due.hospital and command_ledger.id = due.id
        returning command_ledger.*
        """,
        {"now": now, "older_than": older_than, "limit": limit, "longest": _LONGEST_LEASE},
    )


async def _pending(tx: Transaction, command_id: UUID, sql: str, **params: object) -> Entry:
    changed = await tx.rows(Entry, sql, {"hospital": tx.hospital, "id": command_id, **params})
    if changed:
        return changed[0]
    return await by_id(tx, command_id)


def _json(value: dict[str, Any] | None) -> Jsonb | None:
    return None if value is None else Jsonb(value)
