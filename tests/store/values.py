"""Values that the store's tests need and that do not matter to them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID, uuid4

from domain.commands import CommandRef
from domain.ids import Reference, StepName
from domain.process import ProcessSnapshot, Step
from domain.roles import Role
from domain.worklist import Priority, TaskKind, TaskSpec
from store import outbox
from store.database import Database

BED_MANAGER = frozenset({Role.BED_MANAGER})


def ref(text: str) -> Reference:
    return Reference(text)


def task(
    due_at: datetime,
    id_: str = "t1",
    *,
    candidates: tuple[Role, ...] = (Role.BED_MANAGER,),
    priority: Priority = Priority.ROUTINE,
) -> TaskSpec:
    return TaskSpec(
        ref=Reference.to("Task", id_),
        kind=TaskKind.ASSIGN_BED,
        focus=ref("Encounter/e1"),
        patient=ref("Patient/p1"),
        ward=ref("Location/w7"),
        candidates=candidates,
        priority=priority,
        due_at=due_at,
    )


def admission(hospital: str, encounter: str = "e1") -> str:
    return f"{hospital}/admission/Encounter/{encounter}"


def snapshot(workflow_id: str, revision: int = 0, *, closed: bool = False, **state: object) -> ProcessSnapshot:
    return ProcessSnapshot(workflow_id=workflow_id, revision=revision, state=dict(state), closed=closed)


def step(
    name: str,
    workflow_id: str,
    at: datetime,
    *,
    revision: int = 1,
    closed: bool = False,
    command: UUID | None = None,
    actor: str = "bed-manager@hanbit",
    **state: object,
) -> Step:
    return Step(
        name=StepName(name),
        at=at,
        process=snapshot(workflow_id, revision, closed=closed, **state),
        command=CommandRef(id=command, actor=actor, received_at=at) if command else None,
    )


def minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


def command_id() -> UUID:
    return uuid4()


class Urls(Protocol):
    """Addresses of a test's database, by role."""

    superuser: str
    migrate: str
    app: str
    system: str


async def settled(database: Database, hospital: str) -> None:
    """Wait until nothing committed so far is held back: other tests' transactions share the server."""
    async with database.transaction(hospital) as tx:
        row = await tx.one("select pg_current_xact_id()::text::bigint as xid")
    assert row is not None
    while True:
        async with database.transaction(hospital) as tx:
            if await outbox.position(tx) >= row["xid"]:
                return


async def waiting_for_a_lock(database: Database, hospital: str) -> bool:
    """Does a statement in this database wait for another transaction?"""
    async with database.transaction(hospital) as tx:
        waiting = "select pid from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        return await tx.one(waiting) is not None
