"""Human tasks: who may take one, who has it, who finished it (engine room, 5). Times are hospital time.

Each change locks the task's row, raises its revision and announces itself under the topic `worklist`.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from pydantic import BaseModel

from domain.errors import AlreadyClaimed, AlreadyDone, Forbidden, NotFound, NotOwner, StaleRevision
from domain.ids import Reference
from domain.roles import Role
from domain.worklist import Priority, TaskKind, TaskSpec, TaskStatus
from store import outbox
from store.database import Transaction

TOPIC = "worklist"


class Task(BaseModel, frozen=True):
    """A task as worklists show it. `escalated`: a role was added because nobody had taken it in time."""

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
    due_at: datetime
    escalated: bool
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    revision: int

    @property
    def ref(self) -> Reference:
        return Reference.to("Task", self.id)


class _Seen(Task, frozen=True):
    may: bool


class Counts(BaseModel, frozen=True):
    """Open tasks that a person sees: all of them, those they own, those whose due time has passed."""

    open: int
    mine: int
    late: int


async def open_task(
    tx: Transaction, spec: TaskSpec, *, workflow_id: str, now: datetime, owner: str | None = None
) -> Task:
    """Put a task on the worklists of its candidate roles, or on that of one person who owns it at once."""
    rows = await tx.rows(
        Task,
        """
        insert into worklist_task (hospital, id, workflow_id, kind, focus, patient, ward, priority, rank, status,
                                   owner, owner_since, due_at, escalated, opened_at, revision)
        values (%(hospital)s, %(id)s, %(workflow_id)s, %(kind)s, %(focus)s, %(patient)s, %(ward)s, %(priority)s,
                %(rank)s, %(status)s, %(owner)s, %(owner_since)s, %(due_at)s, false, %(now)s, 1)
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
            "status": TaskStatus.IN_PROGRESS if owner else TaskStatus.REQUESTED,
            "owner": owner,
            "owner_since": now if owner else None,
            "due_at": spec.due_at,
            "now": now,
        },
    )
    await _candidates(tx, spec.ref, spec.candidates)
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


async def claim(
    tx: Transaction, ref: Reference, *, actor: str, roles: Collection[Role], revision: int, now: datetime
) -> Task:
    """Make the task the actor's own; one that is already comes back unchanged.

    Raises NotFound, AlreadyDone, Forbidden without a candidate role, AlreadyClaimed (by whom, since when),
    StaleRevision.
    """
    seen = await tx.rows(
        _Seen,
        """
        select worklist_task.*, exists (
            select from worklist_candidate c
            where c.hospital = %(hospital)s and c.task_id = worklist_task.id and c.role = any(%(roles)s)
        ) as may
        from worklist_task where hospital = %(hospital)s and id = %(id)s
        for update
        """,
        {"hospital": tx.hospital, "id": ref.id, "roles": [*roles, actor]},
    )
    if not seen:
        raise NotFound("no such task", task=ref)
    task = Task.model_validate(seen[0].model_dump())
    _still_open(task)
    if task.owner == actor:
        return task
    if not seen[0].may:
        raise Forbidden("none of the roles may take this task", task=ref)
    if task.owner is not None and task.owner_since is not None:
        raise AlreadyClaimed("somebody else has the task", by=task.owner, at=task.owner_since.isoformat())
    _unchanged(task, revision)
    return await _change(tx, task, status=TaskStatus.IN_PROGRESS, owner=actor, owner_since=now)


async def release(tx: Transaction, ref: Reference, *, actor: str, revision: int, now: datetime) -> Task:
    """Give an owned task back to its candidates. Raises AlreadyDone, NotOwner, StaleRevision."""
    task = await _owned(tx, ref, actor, revision)
    return await _change(tx, task, status=TaskStatus.REQUESTED, owner=None, owner_since=None)


async def complete(tx: Transaction, ref: Reference, *, actor: str, revision: int, now: datetime) -> Task:
    """Finish an owned task. Raises AlreadyDone, NotOwner (who has it, if anybody), StaleRevision."""
    task = await _owned(tx, ref, actor, revision)
    return await _change(tx, task, status=TaskStatus.COMPLETED, closed_at=now, closed_by=actor)


async def cancel(tx: Transaction, ref: Reference, *, actor: str | None, now: datetime) -> Task:
    """Withdraw an open task, whoever has it. `actor` None: its process did. Raises AlreadyDone."""
    task = await get(tx, ref, lock=True)
    _still_open(task)
    return await _change(tx, task, status=TaskStatus.CANCELLED, closed_at=now, closed_by=actor)


async def add_candidate(
    tx: Transaction, ref: Reference, role: Role, now: datetime, *, due_at: datetime | None = None
) -> Task:
    """Escalate an open task: one more role may take it, and it is due at `due_at`, where given. Raises AlreadyDone."""
    task = await get(tx, ref, lock=True)
    _still_open(task)
    await _candidates(tx, ref, [role])
    return await _change(tx, task, escalated=True, due_at=due_at or task.due_at)


async def add_people(tx: Transaction, ref: Reference, accounts: Collection[str]) -> Task:
    """Escalate an open task to persons, who are on duty: they may take it whatever their roles. Raises AlreadyDone."""
    task = await get(tx, ref, lock=True)
    _still_open(task)
    await _candidates(tx, ref, accounts)
    return await _change(tx, task, escalated=True)


async def for_roles(
    tx: Transaction,
    roles: Collection[Role],
    *,
    actor: str,
    status_open: bool = True,
    limit: int = 200,
    now: datetime | None = None,
) -> list[Task]:
    """Tasks that the roles may take or that the actor owns: escalated or overdue first, then by priority and due time.

    status_open: False gives closed ones, the latest first.  now: without it, nothing counts as overdue.
    """
    # The lateral join looks candidates up task by task: an EXISTS beside the OR reads all that there ever were.
    params = {"hospital": tx.hospital, "roles": [*roles, actor], "actor": actor, "now": now, "limit": limit}
    if status_open:
        return await tx.rows(
            Task,
            """
            select t.*
            from worklist_task t left join lateral (
                select true as may from worklist_candidate c
                where c.hospital = t.hospital and c.task_id = t.id and c.role = any(%(roles)s) limit 1
            ) c on true
            where t.hospital = %(hospital)s and t.closed_at is null and (t.owner = %(actor)s or c.may)
            order by (t.escalated or coalesce(t.due_at < %(now)s, false)) desc, t.rank desc, t.due_at, t.id
            limit %(limit)s
            """,
            params,
        )
    return await tx.rows(
        Task,
        """
        select t.*
        from worklist_task t left join lateral (
            select true as may from worklist_candidate c
            where c.hospital = t.hospital and c.task_id = t.id and c.role = any(%(roles)s) limit 1
        ) c on true
        where t.hospital = %(hospital)s and t.closed_at is not null and (t.owner = %(actor)s or c.may)
        order by t.closed_at desc, t.id limit %(limit)s
        """,
        params,
    )


async def counts(tx: Transaction, roles: Collection[Role], actor: str, now: datetime) -> Counts:
    """What `for_roles` would list, counted."""
    rows = await tx.rows(
        Counts,
        """
        select count(*) as open, count(*) filter (where t.owner = %(actor)s) as mine,
               count(*) filter (where t.due_at < %(now)s) as late
        from worklist_task t left join lateral (
            select true as may from worklist_candidate c
            where c.hospital = t.hospital and c.task_id = t.id and c.role = any(%(roles)s) limit 1
        ) c on true
        where t.hospital = %(hospital)s and t.closed_at is null and (t.owner = %(actor)s or c.may)
        """,
        {"hospital": tx.hospital, "roles": [*roles, actor], "actor": actor, "now": now},
    )
    return rows[0]


async def candidates(tx: Transaction, ref: Reference) -> set[Role]:
    """The roles that may take a task. Persons who may, because they are on duty, are left out."""
    rows = await tx.all(
        "select role from worklist_candidate where hospital = %s and task_id = %s and role not like '%%@%%'",
        [tx.hospital, ref.id],
    )
    return {Role(row["role"]) for row in rows}


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


def _still_open(task: Task) -> None:
    if task.closed_at is not None:
        by = {"by": task.closed_by} if task.closed_by else {}
        raise AlreadyDone("the task is closed", at=task.closed_at.isoformat(), status=task.status, **by)


def _unchanged(task: Task, revision: int) -> None:
    if task.revision != revision:
        raise StaleRevision("the task has changed", expected=str(revision), actual=str(task.revision))


async def _owned(tx: Transaction, ref: Reference, actor: str, revision: int) -> Task:
    task = await get(tx, ref, lock=True)
    _still_open(task)
    if task.owner != actor:
        by = {"by": task.owner} if task.owner else {}
        raise NotOwner("the task must be claimed first", **by)
    _unchanged(task, revision)
    return task


async def _candidates(tx: Transaction, ref: Reference, roles: Collection[str]) -> None:
    """Roles, or accounts of persons: only accounts have an '@'."""
    await tx.execute(
        """
        insert into worklist_candidate (hospital, task_id, role)
        select %s, %s, role from unnest(%s::text[]) as role
        on conflict do nothing
        """,
        [tx.hospital, ref.id, list(roles)],
    )


async def _change(tx: Transaction, task: Task, **changes: object) -> Task:
    """Write a locked task's changes. What stands there is known, so nothing has to be read back."""
    changed = task.model_copy(update={**changes, "revision": task.revision + 1})
    await tx.execute(
        """
        update worklist_task
        set status = %(status)s, owner = %(owner)s, owner_since = %(owner_since)s, due_at = %(due_at)s,
            escalated = %(escalated)s, closed_at = %(closed_at)s, closed_by = %(closed_by)s, revision = %(revision)s
        where hospital = %(hospital)s and id = %(id)s
        """,
        {"hospital": tx.hospital, **changed.model_dump()},
    )
    await outbox.put(tx, TOPIC, task.ref)
    return changed
