"""Exports as rows: any server goes on with one where another stopped, and any server gives its files out.

A job is leased like a command (engine room, 4). What a batch found and how far it came commit together, so that a
crash repeats nothing and leaves nothing out. The request may hold values of a search, so it is sealed. The files stand
in `store.export_files`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid4

from pydantic import BaseModel

from domain.errors import NotFound
from store import export_files
from store.database import SystemTransaction, Transaction
from store.fhir import walking
from store.sealing import Sealed, SealedColumn, open_, place, seal

LEASE = timedelta(seconds=30)
"""A dead server's jobs go on elsewhere after this time; a living one renews with every batch."""

_PAUSE = timedelta(seconds=1)
_PURPOSE = "export"

SEALED = SealedColumn(
    table="export_job",
    order={"id": "uuid"},
    key="key_id",
    data="asked",
    purpose=_PURPOSE,
    place=lambda hospital, row: place(hospital, "export", str(row["id"])),
)


class ExportState(StrEnum):
    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Job(BaseModel, frozen=True):
    """See `store.tables.exports`; `key_id` and `asked` are opened by `request`."""

    id: UUID
    actor: str
    state: ExportState
    asked_at: datetime
    transaction_time: datetime
    key_id: str
    asked: bytes
    at_type: str
    after_id: str
    resources: int
    failures: int
    turn: int
    finished_at: datetime | None
    expires_at: datetime | None


class Leased(BaseModel, frozen=True):
    """Work for one server: a job of a hospital, and the lease's number."""

    hospital: str
    id: UUID
    turn: int


async def ask(
    tx: Transaction,
    *,
    actor: str,
    asked: bytes,
    transaction_time: datetime,
    now: datetime,
    first_type: str,
    kept: bool = True,
) -> UUID:
    """Keep a request; a server takes it up. `asked`: the request's text.  now: real time.

    kept: False for one that whoever asks does alone, without files here.
    """
    id_ = uuid4()
    sealed = seal(tx.keys, asked, _place(tx, id_), purpose=_PURPOSE, hospital=tx.hospital)
    await tx.execute(
        """
        insert into export_job (hospital, id, actor, state, kept, asked_at, transaction_time, snapshot, key_id, asked,
                                at_type, after_id, resources, failures, turn)
        values (%(hospital)s, %(id)s, %(actor)s, 'running', %(kept)s, %(now)s, %(time)s, %(snapshot)s, %(key_id)s,
                %(asked)s, %(type)s, '', 0, 0, 0)
        """,
        {
            "hospital": tx.hospital,
            "id": id_,
            "actor": actor,
            "kept": kept,
            "now": now,
            "time": transaction_time,
            "snapshot": await walking.snapshot(tx),
            "key_id": sealed.key_id,
            "asked": sealed.data,
            "type": first_type,
        },
    )
    return id_


async def running(tx: Transaction, actor: str) -> int:
    """How many exports of a caller are not finished. Two requests at once take turns from here to their commit."""
    await tx.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"export/{tx.hospital}/{actor}"])
    row = await tx.one(
        """
        select count(*) as n from export_job
        where hospital = %s and kept and actor = %s and state = 'running'
        """,
        [tx.hospital, actor],
    )
    return int(row["n"]) if row else 0


async def snapshot_at(tx: Transaction, transaction_time: datetime) -> str | None:
    """What an earlier export of the hospital at this very instant had seen; None for an instant of somebody else's."""
    row = await tx.one(
        """
        select snapshot from export_job where hospital = %s and transaction_time = %s
        order by asked_at limit 1
        """,
        [tx.hospital, transaction_time],
    )
    return str(row["snapshot"]) if row else None


async def get(tx: Transaction, id_: UUID, *, actor: str, now: datetime) -> Job:
    """The job of whoever asked. Raises NotFound for others, once it was cancelled, and when its time has run out."""
    found = await tx.rows(
        Job,
        """
        select * from export_job
        where hospital = %s and id = %s and actor = %s and state <> 'cancelled' and kept
          and (expires_at is null or expires_at > %s)
        """,
        [tx.hospital, id_, actor, now],
    )
    if not found:
        raise NotFound("no such export")
    return found[0]


def request(tx: Transaction, job: Job) -> bytes:
    """The request's text. Raises SealBroken."""
    sealed = Sealed(job.key_id, job.asked)
    return open_(tx.keys, sealed, _place(tx, job.id), purpose=_PURPOSE, hospital=tx.hospital)


async def lease(tx: SystemTransaction, now: datetime) -> Leased | None:
    """Take a job of any hospital: one to go on with, or one whose files are to be removed. They take turns."""
    found = await tx.rows(
        Leased,
        """
        with due as (
            select hospital, id from export_job
            where kept and (state in ('running', 'cancelled') or expires_at <= %(now)s)
              and (leased_until is null or leased_until <= %(now)s)
            order by leased_until nulls first, asked_at limit 1
            for update skip locked
        )
        update export_job set turn = export_job.turn + 1, leased_until = %(until)s
        from due where export_job.hospital = due.hospital and export_job.id = due.id
        returning export_job.hospital, export_job.id, export_job.turn
        """,
        {"now": now, "until": now + LEASE},
    )
    return found[0] if found else None


async def hold(tx: Transaction, leased: Leased, now: datetime) -> Job | None:
    """The job, its lease renewed and its row locked to the commit; None when another server has it or it has ended."""
    found = await tx.rows(
        Job,
        """
        update export_job set leased_until = %s
        where hospital = %s and id = %s and turn = %s and kept and state = 'running' returning *
        """,
        [now + LEASE, tx.hospital, leased.id, leased.turn],
    )
    return found[0] if found else None


async def release(tx: SystemTransaction, leased: Leased, now: datetime) -> None:
    """Let others have a turn; whoever is next goes on with it."""
    await tx.execute(
        "update export_job set leased_until = %s where hospital = %s and id = %s and turn = %s",
        [now, leased.hospital, leased.id, leased.turn],
    )


async def advance(tx: Transaction, job: UUID, *, at_type: str, after_id: str, resources: int) -> None:
    """How far it is, and how many resources more are in its files."""
    await tx.execute(
        """
        update export_job set at_type = %s, after_id = %s, resources = resources + %s, failures = 0
        where hospital = %s and id = %s
        """,
        [at_type, after_id, resources, tx.hospital, job],
    )


async def failed(tx: Transaction, leased: Leased, *, most: int, now: datetime, lasts: timedelta) -> bool:
    """Note that a batch failed, and let some time pass; True when that was so often that the export is given up."""
    row = await tx.one(
        """
        update export_job
        set failures = failures + 1, turn = turn + 1, leased_until = %(now)s + pow(2, failures) * %(pause)s,
            state = case when failures + 1 >= %(most)s then 'failed' else state end,
            finished_at = case when failures + 1 >= %(most)s then %(now)s::timestamptz end,
            expires_at = case when failures + 1 >= %(most)s then %(expires)s::timestamptz end
        where hospital = %(hospital)s and id = %(id)s and turn = %(turn)s and state = 'running'
        returning state
        """,
        {
            "most": most,
            "pause": _PAUSE,
            "now": now,
            "expires": now + lasts,
            "hospital": tx.hospital,
            "id": leased.id,
            "turn": leased.turn,
        },
    )
    return row is not None and row["state"] == ExportState.FAILED


async def finish(tx: Transaction, job: UUID, now: datetime, lasts: timedelta) -> None:
    """Everything is in the files, which stay for `lasts`; with no time at all there were none to keep."""
    await tx.execute(
        """
        update export_job
        set state = 'complete', finished_at = %s, expires_at = %s, leased_until = null, kept = kept and %s
        where hospital = %s and id = %s
        """,
        [now, now + lasts, bool(lasts), tx.hospital, job],
    )


async def cancel(tx: Transaction, job: UUID) -> None:
    """Nobody wants it any more: it stops at its next batch, and its files are removed."""
    await tx.execute(
        "update export_job set state = 'cancelled', leased_until = null where hospital = %s and id = %s",
        [tx.hospital, job],
    )


async def remove_some(tx: Transaction, leased: Leased, now: datetime) -> bool:
    """Remove a part of the files of a job that nobody may have any more; False when nothing is left but its row.

    Does nothing with another job, or when another server has taken this one.
    """
    over = await tx.one(
        """
        update export_job set leased_until = %s
        where hospital = %s and id = %s and turn = %s and kept and (state = 'cancelled' or expires_at <= %s)
        returning id
        """,
        [now + LEASE, tx.hospital, leased.id, leased.turn, now],
    )
    if over is None:
        return False
    if await export_files.remove(tx, leased.id):
        return True
    await tx.execute("update export_job set kept = false where hospital = %s and id = %s", [tx.hospital, leased.id])
    return False


def _place(tx: Transaction, job: UUID) -> bytes:
    return place(tx.hospital, "export", str(job))
