"""A command that was kept, and refused when nobody waited for its answer any more: its author is told by a task."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from adapters.fhir import tasks
from domain.errors import NotFound, PhisError
from domain.ids import Reference, WorkflowId
from domain.journal import JournalEntry, JournalKey
from domain.worklist import Priority, TaskKind, TaskSpec, TaskStatus
from store import clocks, journal, processes, records, worklist
from store.database import Transaction
from store.ledger import Entry


def _given(task: dict[str, Any], author: str, now: datetime) -> dict[str, Any]:
    return tasks.as_it_stands(task, TaskStatus.RECEIVED, owner=author, started_at=None, at=now)


async def tell_author(tx: Transaction, entry: Entry, refused: PhisError, real: datetime) -> None:
    """Open a task that its author owns, due when the process would act by itself. Doing it twice opens one."""
    task = Reference.to("Task", str(entry.id))
    target = entry.target or ""
    try:
        await worklist.get(tx, task)
    except NotFound:
        row = await processes.get(tx, target)
    else:
        return
    now = (await clocks.clock_of(tx)).at(real)
    spec = TaskSpec(
        ref=task,
        kind=TaskKind.COMMAND_REFUSED,
        focus=WorkflowId.parse(target).subject,
        patient=Reference(row.snapshot.state["patient"]),
        ward=Reference(row.snapshot.state["ward"]),
        candidates=(),
        priority=Priority(row.snapshot.state["priority"]),
        due_at=row.snapshot.deadline or now,
    )
    await worklist.open_task(tx, spec, workflow_id=target, now=now, owner=entry.actor)
    await records.create(tx, _given(tasks.requested(spec, now), entry.actor, now), id=task.id, now=now)
    await journal.write(
        tx,
        workflow_id=target,
        step=f"refused/{entry.id}",
        subject=spec.focus,
        patient=spec.patient,
        entries=[JournalEntry(key=JournalKey.COMMAND_REFUSED, params={"command": entry.command, "code": refused.code})],
        actor=entry.actor,
        occurred_at=now,
        recorded_at=real,
    )
