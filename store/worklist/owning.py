"""Who has a task: taken, begun, given back, handed on, finished. Each is one short transaction (engine room, 5).

The words are those of WS-HumanTask 1.1 (OASIS, section 7.1.1): claim, start, release, delegate, forward, complete.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import LiteralString

from domain.errors import AlreadyClaimed, Forbidden, Invalid, NotFound, NotOwner, StaleRevision
from domain.ids import Reference
from domain.roles import Role
from domain.worklist import TaskStatus
from store.database import Transaction
from store.worklist.tasks import Task, add_candidates, change, get, still_open

OPEN_TO: LiteralString = """
    exists (select from worklist_candidate c
            where c.hospital = t.hospital and c.task_id = t.id and c.role = any(%(roles)s))
    and (t.place = '' or cardinality(%(places)s::text[]) = 0 or t.place = any(%(places)s))
    and not t.not_by && %(acting)s::text[]
"""
"""Whether a person may take task `t`: a role, the place, and not one of those whose work it is to check."""


@dataclass(frozen=True)
class Person:
    """Somebody who works on tasks.

    account: who acts.  also: the colleague for whom they act, whose tasks they may then do.  places: where the person
    works; of a person without a place nothing is hidden, because a task that nobody sees is worse.
    """

    account: str
    roles: Collection[Role]
    also: str | None = None
    places: Collection[Reference] = field(default=())

    @property
    def acting(self) -> list[str]:
        return [self.account, self.also] if self.also else [self.account]

    def has(self, task: Task) -> bool:
        return task.owner is not None and task.owner in self.acting

    @property
    def params(self) -> dict[str, object]:
        # Who is on duty may be asked by name, whatever their roles.
        candidates = [*(role.value for role in self.roles), self.account]
        return {"roles": candidates, "places": list(self.places), "acting": self.acting, "actor": self.account}


class _Seen(Task, frozen=True):
    may: bool


async def claim(
    tx: Transaction, ref: Reference, *, by: Person, revision: int, now: datetime, start: bool = False
) -> Task:
    """Make the task the person's own, and begin it with `start`; one that is theirs already comes back unchanged.

    Raises NotFound, AlreadyDone, Forbidden without a candidate role, at another place or as one who may not check
    their own work, AlreadyClaimed (by whom, since when), StaleRevision.
    """
    seen = await tx.rows(
        _Seen,
        f"select t.*, {OPEN_TO} as may from worklist_task t"  # noqa: S608  (our own constant)
        " where t.hospital = %(hospital)s and t.id = %(id)s for update",
        {"hospital": tx.hospital, "id": ref.id, **by.params},
    )
    if not seen:
        raise NotFound("no such task", task=ref)
    task = Task.model_validate(seen[0].model_dump(exclude={"may"}))
    still_open(task)
    if by.has(task):
        return await _begun(tx, task, revision, now) if start else task
    if not seen[0].may:
        _refuse_second_eyes(task, by)
        raise Forbidden("none of the roles may take this task", task=ref)
    if task.owner is not None and task.owner_since is not None:
        raise AlreadyClaimed("somebody else has the task", by=task.owner, at=task.owner_since.isoformat())
    _unchanged(task, revision)
    begun = {"status": TaskStatus.IN_PROGRESS, "started_at": now} if start else {"status": TaskStatus.RECEIVED}
    return await change(tx, task, owner=by.account, owner_since=now, **begun)


async def release(tx: Transaction, ref: Reference, *, by: Person, revision: int, now: datetime) -> Task:
    """Give a task back to its candidates. Raises AlreadyDone, NotOwner, StaleRevision; Invalid where there are none."""
    task = await owned(tx, ref, by, revision)
    if not await _has_candidates(tx, ref):
        raise Invalid("this task is for one person; delegate it instead", field="task")
    return await change(tx, task, **_NOBODYS)


async def delegate(tx: Transaction, ref: Reference, to: Person, *, by: Person, revision: int, now: datetime) -> Task:
    """Give an owned task to a colleague, who may return it. Raises AlreadyDone, NotOwner, StaleRevision, Invalid for
    oneself or one who may not do it."""
    task = await owned(tx, ref, by, revision)
    if to.account in by.acting:
        raise Invalid("name a colleague", field="/to")
    await _refuse_unfit_colleague(tx, task, to)
    return await change(tx, task, **_of(to, now), delegated_by=task.owner)


async def give_back(tx: Transaction, ref: Reference, *, by: Person, revision: int, now: datetime) -> Task:
    """Return a delegated task to whom it came from. Raises AlreadyDone, NotOwner, StaleRevision, Invalid."""
    task = await owned(tx, ref, by, revision)
    if task.delegated_by is None:
        raise Invalid("nobody delegated this task", field="task")
    before = {"owner": task.delegated_by, "owner_since": now, "status": TaskStatus.RECEIVED, "started_at": None}
    return await change(tx, task, **before, delegated_by=None)


async def reassign(tx: Transaction, ref: Reference, to: Person | None, *, revision: int, now: datetime) -> Task:
    """Take a task from whoever has it and give it to another, or to nobody. The caller's right is checked before.

    Raises AlreadyDone, StaleRevision, Invalid when the other may not do it.
    """
    task = await get(tx, ref, lock=True)
    still_open(task)
    _unchanged(task, revision)
    if to is None:
        return await change(tx, task, **_NOBODYS)
    await _refuse_unfit_colleague(tx, task, to)
    return await change(tx, task, **_of(to, now), delegated_by=None)


async def forward(
    tx: Transaction,
    ref: Reference,
    roles: Collection[Role],
    *,
    place: Reference | None,
    by: Person,
    revision: int,
) -> Task:
    """Send a task on to other roles or another place: it leaves the lists where it stood.

    A candidate may forward what nobody has, the owner what they have. Raises AlreadyDone, AlreadyClaimed, Forbidden,
    StaleRevision, Invalid without a role.
    """
    task = await get(tx, ref, lock=True)
    still_open(task)
    if not by.has(task):
        if task.owner is not None and task.owner_since is not None:
            raise AlreadyClaimed("somebody else has the task", by=task.owner, at=task.owner_since.isoformat())
        await _refuse_unfit(tx, task, by)
    _unchanged(task, revision)
    if not roles:
        raise Invalid("say which role is to take it", field="/roles")
    await tx.execute(
        "delete from worklist_candidate where hospital = %s and task_id = %s and role <> all(%s)",
        [tx.hospital, ref.id, [role.value for role in roles]],
    )
    await add_candidates(tx, ref, roles)
    return await change(tx, task, **_NOBODYS, place=place or "")


async def complete(tx: Transaction, ref: Reference, *, by: Person, revision: int, now: datetime) -> Task:
    """Finish an owned task. Raises AlreadyDone, NotOwner (who has it, if anybody), StaleRevision."""
    task = await owned(tx, ref, by, revision)
    _refuse_second_eyes(task, by)
    return await change(
        tx,
        task,
        status=TaskStatus.COMPLETED,
        started_at=task.started_at or now,
        closed_at=now,
        closed_by=by.account,
    )


async def cancel(tx: Transaction, ref: Reference, *, actor: str | None, now: datetime) -> Task:
    """Withdraw an open task, whoever has it. `actor` None: its process did. Raises AlreadyDone."""
    task = await get(tx, ref, lock=True)
    still_open(task)
    return await change(tx, task, status=TaskStatus.CANCELLED, closed_at=now, closed_by=actor)


async def add_candidate(
    tx: Transaction, ref: Reference, role: Role, now: datetime, *, due_at: datetime | None = None
) -> Task:
    """Escalate an open task: one more role may take it, wherever its people work, and nobody's snooze hides it longer.

    It is due at `due_at`, where given. Raises AlreadyDone.
    """
    task = await get(tx, ref, lock=True)
    still_open(task)
    await add_candidates(tx, ref, [role])
    await tx.execute("delete from worklist_snooze where hospital = %s and task_id = %s", [tx.hospital, ref.id])
    return await change(tx, task, escalated=True, place="", due_at=due_at or task.due_at)


async def add_people(tx: Transaction, ref: Reference, accounts: Collection[str]) -> Task:
    """Escalate an open task to persons, who are on duty: they may take it whatever their roles. Raises AlreadyDone."""
    task = await get(tx, ref, lock=True)
    still_open(task)
    await add_candidates(tx, ref, accounts)
    await tx.execute("delete from worklist_snooze where hospital = %s and task_id = %s", [tx.hospital, ref.id])
    return await change(tx, task, escalated=True, place="")


async def is_for(tx: Transaction, task: Task, person: Person) -> bool:
    """Whether a task stands on the person's list."""
    return person.has(task) or await _may(tx, task, person)


async def owned(tx: Transaction, ref: Reference, by: Person, revision: int) -> Task:
    """The task, locked. Raises AlreadyDone, NotOwner (who has it, if anybody), StaleRevision."""
    task = await get(tx, ref, lock=True)
    still_open(task)
    _refuse_others(task, by)
    _unchanged(task, revision)
    return task


_NOBODYS: dict[str, object] = {
    "status": TaskStatus.REQUESTED,
    "owner": None,
    "owner_since": None,
    "started_at": None,
    "delegated_by": None,
}


def _of(to: Person, now: datetime) -> dict[str, object]:
    return {"status": TaskStatus.RECEIVED, "owner": to.account, "owner_since": now, "started_at": None}


async def _begun(tx: Transaction, task: Task, revision: int, now: datetime) -> Task:
    if task.status is TaskStatus.IN_PROGRESS:
        return task
    _unchanged(task, revision)
    return await change(tx, task, status=TaskStatus.IN_PROGRESS, started_at=now)


async def _has_candidates(tx: Transaction, ref: Reference) -> bool:
    found = "select from worklist_candidate where hospital = %s and task_id = %s limit 1"
    return await tx.one(found, [tx.hospital, ref.id]) is not None


async def _refuse_unfit(tx: Transaction, task: Task, person: Person) -> None:
    """Raises Forbidden when the person could not take the task themselves. One without candidates is for anybody."""
    _refuse_second_eyes(task, person)
    if not await _may(tx, task, person) and await _has_candidates(tx, task.ref):
        raise Forbidden("none of the roles may take this task", task=task.ref, who=person.account)


async def _refuse_unfit_colleague(tx: Transaction, task: Task, to: Person) -> None:
    """Raises Invalid: what is wrong is the choice, and not what the person who chooses may do."""
    try:
        await _refuse_unfit(tx, task, to)
    except Forbidden:
        raise Invalid("this colleague may not do the task", field="/to") from None


async def _may(tx: Transaction, task: Task, person: Person) -> bool:
    row = await tx.one(
        f"select {OPEN_TO} as may from worklist_task t"  # noqa: S608  (our own constant)
        " where t.hospital = %(hospital)s and t.id = %(id)s",
        {"hospital": tx.hospital, "id": task.id, **person.params},
    )
    return bool(row and row["may"])


def _refuse_second_eyes(task: Task, person: Person) -> None:
    if not set(task.not_by).isdisjoint(person.acting):
        raise Forbidden("a second person has to do this", task=task.ref, who=person.account)


def _refuse_others(task: Task, by: Person) -> None:
    if not by.has(task):
        raise NotOwner("the task must be claimed first", **({"by": task.owner} if task.owner else {}))


def _unchanged(task: Task, revision: int) -> None:
    if task.revision != revision:
        raise StaleRevision("the task has changed", expected=str(revision), actual=str(task.revision))
