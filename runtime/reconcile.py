"""PostgreSQL is the truth: after Temporal lost something, or everything, each open process resumes from its row.

A process row that is open must have a running workflow of the same revision. Where it is missing, it is started from
the row; where it stays behind or ahead, it is terminated and resumed. A closed row never starts anything (engine
room, 3).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle, WorkflowQueryFailedError
from temporalio.service import RPCError, RPCStatusCode

from adapters.temporal.calls import engine_calls
from api.commands.processes import Processes
from domain.errors import Unavailable
from store import processes
from store.database import Database
from store.processes import ProcessRow

log = structlog.get_logger(__name__)

_LOOK = timedelta(seconds=5)
# An effect commits a moment before its workflow hears of it, so one difference proves nothing.
_SECOND_LOOKS = 4
_BETWEEN_LOOKS = timedelta(milliseconds=500)
_AT_ONCE = 20


@dataclass
class Report:
    """What was found: open rows, and the ids of workflows that were started or replaced, or could not be asked."""

    open: int = 0
    resumed: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)


async def reconcile(database: Database, client: Client, task_queue: str) -> Report:
    """Compare every open process row with its workflow and mend what differs. Raises Unavailable."""
    async with database.system() as tx:
        rows = await processes.open_all(tx)
    report = Report(open=len(rows))
    engine = Processes(client, task_queue)
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(row: ProcessRow) -> None:
        async with gate:
            await _mend(database, client, engine, row, report)

    await asyncio.gather(*(one(row) for row in rows))
    found = {"open": report.open, "resumed": len(report.resumed), "replaced": len(report.replaced)}
    (log.warning if report.silent else log.info)("reconciled", **found, silent=len(report.silent))
    return report


async def _mend(database: Database, client: Client, engine: Processes, row: ProcessRow, report: Report) -> None:
    workflow_id = row.snapshot.workflow_id
    handle = client.get_workflow_handle(workflow_id)
    if not await _runs(handle):
        fresh = await _read(database, row)
        if fresh.closed_at is None:
            await engine.start(fresh.snapshot, resume=True, patience=_LOOK)
            report.resumed.append(workflow_id)
        return
    for _ in range(_SECOND_LOOKS):
        revision = await _revision(handle)
        if revision is None:
            report.silent.append(workflow_id)
            return
        fresh = await _read(database, row)
        if fresh.closed_at is not None or revision == fresh.snapshot.revision:
            return
        await asyncio.sleep(_BETWEEN_LOOKS.total_seconds())
    try:
        with engine_calls():
            await handle.terminate(reason="reconcile: its revision differs from the process row")
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:  # it has ended by itself meanwhile
            raise
    await engine.start(fresh.snapshot, resume=True, patience=_LOOK)
    report.replaced.append(workflow_id)


async def _runs(handle: WorkflowHandle[object, object]) -> bool:
    try:
        with engine_calls():
            described = await handle.describe(rpc_timeout=_LOOK)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return described.status is WorkflowExecutionStatus.RUNNING


async def _revision(handle: WorkflowHandle[object, object]) -> int | None:
    """The workflow's revision; None when no worker answers for it."""
    try:
        with engine_calls():
            revision: int = await handle.query("revision", result_type=int, rpc_timeout=_LOOK)
    except (Unavailable, RPCError, WorkflowQueryFailedError):
        return None
    return revision


async def _read(database: Database, row: ProcessRow) -> ProcessRow:
    async with database.transaction(row.hospital) as tx:
        return await processes.get(tx, row.snapshot.workflow_id)
