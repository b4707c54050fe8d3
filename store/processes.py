"""Process rows and effects: what makes a process resumable and each of its steps happen once (engine room, 2 and 3)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from domain.errors import AlreadyDone, NotFound
from domain.process import ProcessSnapshot, Step
from store.database import SystemTransaction, Transaction


@dataclass(frozen=True)
class ProcessRow:
    """A process as its last effect left it. Times are hospital time."""

    hospital: str
    process: str
    snapshot: ProcessSnapshot
    started_at: datetime
    updated_at: datetime
    closed_at: datetime | None


@dataclass
class Effect:
    """One step. `replayed`: it was done before and `result` is its first result; else the caller sets `result`."""

    replayed: bool
    result: dict[str, Any] | None = None


async def start(tx: Transaction, snapshot: ProcessSnapshot, process: str, at: datetime) -> None:
    """Write the row that a process starts from. Raises AlreadyDone when it has one, open or closed."""
    made = await tx.one(
        """
        insert into process
            (hospital, workflow_id, process, revision, state, deadline, started_at, updated_at, closed_at)
        values (%(hospital)s, %(workflow_id)s, %(process)s, %(revision)s, %(state)s, %(deadline)s, %(at)s, %(at)s,
                %(closed_at)s)
        on conflict do nothing returning revision
        """,
        {"hospital": tx.hospital, "process": process, **_written(snapshot, at)},
    )
    if made is None:
        row = await get(tx, snapshot.workflow_id)
        raise AlreadyDone(
            "the process exists", at=row.started_at.isoformat(), status="closed" if row.closed_at else "open"
        )


@asynccontextmanager
async def effect(tx: Transaction, step: Step) -> AsyncIterator[Effect]:
    """Do a step once, whoever runs it how often: `if effect.replayed: return effect.result`.

    The step's row is written first, so that a second run waits for the first one's end and then finds its result. At
    the end of the block it gets the result, and the process row moves forward to `step.process`, never back.
    Lock what the step changes in the order task, resources, beds: whoever keeps it cannot meet another in a deadlock.

    Raises AlreadyDone when another command did this step, NotFound for a process without a row.
    """
    effect = await _begin(tx, step)
    yield effect
    if effect.replayed:
        return
    await tx.execute(
        """
        update process_effect set result = %(result)s
        where hospital = %(hospital)s and workflow_id = %(workflow_id)s and step = %(step)s
        """,
        {
            "hospital": tx.hospital,
            "workflow_id": step.process.workflow_id,
            "step": step.name,
            "result": None if effect.result is None else Jsonb(effect.result),
        },
    )
    await tx.execute(
        """
        update process
        set revision = %(revision)s, state = %(state)s, deadline = %(deadline)s, updated_at = %(at)s,
            closed_at = %(closed_at)s
        where hospital = %(hospital)s and workflow_id = %(workflow_id)s and revision < %(revision)s
          and closed_at is null
        """,
        {"hospital": tx.hospital, **_written(step.process, step.at)},
    )


async def get(tx: Transaction, workflow_id: str) -> ProcessRow:
    """Raises NotFound."""
    row = await tx.one("select * from process where hospital = %s and workflow_id = %s", [tx.hospital, workflow_id])
    if row is None:
        raise NotFound("no such process", workflow_id=workflow_id)
    return _row(row)


async def open_all(tx: SystemTransaction) -> list[ProcessRow]:
    """Every process of every hospital that has not ended, oldest first."""
    rows = await tx.all("select * from process where closed_at is null order by hospital, started_at, workflow_id")
    return [_row(row) for row in rows]


async def first_effect_of(tx: Transaction, command_id: UUID) -> dict[str, Any] | None:
    """The result of the effect that a command had, `{}` for one without a result; None when it had none."""
    row = await tx.one(
        "select result from process_effect where hospital = %s and command_id = %s", [tx.hospital, command_id]
    )
    return None if row is None else row["result"] or {}


async def _begin(tx: Transaction, step: Step) -> Effect:
    command = step.command
    params = {
        "hospital": tx.hospital,
        "workflow_id": step.process.workflow_id,
        "step": step.name,
        "command_id": command.id if command else None,
        "actor": command.actor if command else None,
        "at": step.at,
    }
    begun = await tx.one(
        """
        insert into process_effect (hospital, workflow_id, step, command_id, actor, done_at)
        select hospital, workflow_id, %(step)s, %(command_id)s, %(actor)s, %(at)s from process
        where hospital = %(hospital)s and workflow_id = %(workflow_id)s
        on conflict do nothing returning step
        """,
        params,
    )
    if begun is not None:
        return Effect(replayed=False)
    # After continue-as-new the same Update may come again under another step's name: its command tells.
    first = await tx.one(
        """
        select workflow_id, step, command_id, actor, done_at, result from process_effect
        where hospital = %(hospital)s
          and ((workflow_id = %(workflow_id)s and step = %(step)s) or command_id = %(command_id)s)
        order by (workflow_id = %(workflow_id)s and step = %(step)s) desc limit 1
        """,
        params,
    )
    if first is None:
        raise NotFound("no such process", workflow_id=step.process.workflow_id)
    if first["workflow_id"] != step.process.workflow_id or first["command_id"] != params["command_id"]:
        by = {"by": first["actor"]} if first["actor"] else {}
        raise AlreadyDone("the step was done by another command", at=first["done_at"].isoformat(), **by)
    return Effect(replayed=True, result=first["result"])


def _written(snapshot: ProcessSnapshot, at: datetime) -> dict[str, Any]:
    return {
        "workflow_id": snapshot.workflow_id,
        "revision": snapshot.revision,
        "state": Jsonb(snapshot.state),
        "deadline": snapshot.deadline,
        "at": at,
        "closed_at": at if snapshot.closed else None,
    }


def _row(row: dict[str, Any]) -> ProcessRow:
    snapshot = ProcessSnapshot(
        workflow_id=row["workflow_id"],
        revision=row["revision"],
        state=row["state"],
        deadline=row["deadline"],
        closed=row["closed_at"] is not None,
    )
    return ProcessRow(row["hospital"], row["process"], snapshot, row["started_at"], row["updated_at"], row["closed_at"])
