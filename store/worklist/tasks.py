"""Human tasks as rows: opened, read, changed, moved to another patient (engine room, 5). Times are hospital time.

Each change locks the task's row, raises its revision and announces itself under the topic `worklist`.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from pydantic import BaseModel

from domain.errors import AlreadyDone, NotFound
from domain.ids import Reference
from domain.roles import Role
from domain.worklist import Priority, TaskKind, TaskSpec, TaskStatus
from store import outbox
from store.database import Transaction

TOPIC = "worklist"


class Task(BaseModel, frozen=True):
    """A task as worklists show it.

    escalated: a role was added because nobody had taken it in time.  place: who works elsewhere may not take it; empty
    for the whole house.  not_by: accounts that may not do it.  delegated_by: whose it was before it was delegated.
    comments: how many stand in the FHIR Task.
    """

    id: str
    workflow_id: str
    kind: TaskKind
    focus: Reference
    patient: Reference
    ward: Reference
    priority: Priority
    status: TaskStatus
    owner: str | None
    owner_since: datetime | None
    started_at: datetime | None
    delegated_by: str | None
    due_at: datetime
    escalated: bool
    place: str
    not_by: tuple[str, ...]
    comments: int
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    revision: int

    @property
    def waits(self) -> bool:
        """Nobody has begun it, though somebody may have taken it: its ladder climbs on (engine room, 5)."""
        return self.status.open and self.started_at is None

    @property
    def ref(self) -> Reference:
        return Reference.to("Task", self.id)


async def open_task(
    tx: Transaction, spec: TaskSpec, *, workflow_id: str, now: datetime, owner: str | None = None
) -> Task:
    """Put a task on the worklists of its candidate roles, or on that of one person who owns it at once."""
    rows = await tx.rows(
        Task,
        """
        insert into worklist_task (hospital, id, workflow_id, kind, focus, patient, ward, priority, rank, status,
                                   owner, owner_since, due_at, escalated, place, not_by, comments, opened_at, revision)
        values (%(hospital)s, %(id)s, %(workflow_id)s, %(kind)s, %(focus)s, %(patient)s, %(ward)s, %(priority)s,
                %(rank)s, %(status)s, %(owner)s, %(owner_since)s, %(due_at)s, false, %(place)s, %(not_by)s, 0,
                %(now)s, 1)
        returning *
        """,
        {
            "hospital": tx.hospital,
            "id": spec.ref.id,
            "workflow_id": workflow_id,
            "kind": spec.kind,
            "focus": spec.focus,
            "patient": spec.patient,
            "ward": spec.ward,
            "priority": spec.priority,
            "rank": spec.priority.rank,
            "status": TaskStatus.RECEIVED if owner else TaskStatus.REQUESTED,
            "owner": owner,
            "owner_since": now if owner else None,
            "due_at": spec.due_at,
            "place": spec.place or "",
            "not_by": list(spec.not_by),
            "now": now,
        },
    )
    await add_candidates(tx, spec.ref, spec.candidates)
    await outbox.put(tx, TOPIC, spec.ref)
    return rows[0]


async def get(tx: Transaction, ref: Reference, *, lock: bool = False) -> Task:
    """The task; with `lock`, nobody else changes it before the transaction ends. Raises NotFound."""
    statement = (
        "select * from worklist_task where hospital = %s and id = %s for update"
        if lock
        else "select * from worklist_task where hospital = %s and id = %s"
    )
    rows = await tx.rows(Task, statement, [tx.hospital, ref.id])
    if not rows:
        raise NotFound("no such task", task=ref)
    return rows[0]


async def candidates(tx: Transaction, ref: Reference) -> set[Role]:
    """The roles that may take a task. Persons who may, because they are on duty, are left out."""
    rows = await tx.all(
        "select role from worklist_candidate where hospital = %s and task_id = %s and role not like '%%@%%'",
        [tx.hospital, ref.id],
    )
    return {Role(row["role"]) for row in rows}


async def add_candidates(tx: Transaction, ref: Reference, asked: Collection[str]) -> None:
    """One more way to the task: whoever has one of the roles, or is one of the accounts, may take it.

    Only accounts have an '@'.
    """
    await tx.execute(
        """
        insert into worklist_candidate (hospital, task_id, role)
        select %s, %s, role from unnest(%s::text[]) as role
        on conflict do nothing
        """,
        [tx.hospital, ref.id, list(asked)],
    )


async def of_patient(tx: Transaction, patient: Reference) -> list[Reference]:
    """Every task about a patient, closed ones too; nobody else changes them before the transaction ends."""
    rows = await tx.all(
        "select id from worklist_task where hospital = %s and patient = %s order by id for update",
        [tx.hospital, patient],
    )
    return [Reference.to("Task", row["id"]) for row in rows]


async def move(tx: Transaction, source: Reference, target: Reference) -> list[Reference]:
    """The tasks about one patient become tasks about another; whoever looks at an open one has to look again."""
    rows = await tx.all(
        """
        update worklist_task set patient = %s, revision = revision + 1 where hospital = %s and patient = %s
        returning id
        """,
        [target, tx.hospital, source],
    )
    moved = sorted(Reference.to("Task", row["id"]) for row in rows)
    await outbox.put_all(tx, TOPIC, moved)
    return moved


def still_open(task: Task) -> None:
    """Raises AlreadyDone, saying by whom and when."""
    if task.closed_at is not None:
        by = {"by": task.closed_by} if task.closed_by else {}
        raise AlreadyDone("the task is closed", at=task.closed_at.isoformat(), status=task.status, **by)


async def change(tx: Transaction, task: Task, **changes: object) -> Task:
    """Write a locked task's changes. What stands there is known, so nothing has to be read back."""
    changed = task.model_copy(update={**changes, "revision": task.revision + 1})
    await tx.execute(
        """
        update worklist_task
        set status = %(status)s, owner = %(owner)s, owner_since = %(owner_since)s, started_at = %(started_at)s,
            delegated_by = %(delegated_by)s, due_at = %(due_at)s, escalated = %(escalated)s, place = %(place)s,
            comments = %(comments)s, closed_at = %(closed_at)s, closed_by = %(closed_by)s, revision = %(revision)s
        where hospital = %(hospital)s and id = %(id)s
        """,
        {"hospital": tx.hospital, **changed.model_dump()},
    )
    await outbox.put(tx, TOPIC, task.ref)
    return changed
