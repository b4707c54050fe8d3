"""What a person sees: the list, its counts, the next task by urgency, tasks put off, filters kept by name."""

from __future__ import annotations

from datetime import datetime
from typing import LiteralString

from pydantic import BaseModel

from domain.errors import Invalid, NotFound
from domain.ids import Reference
from domain.worklist import Owned, TaskFilter
from store.database import Transaction
from store.worklist.owning import Person, claim
from store.worklist.tasks import Task

EVERYTHING = TaskFilter()
MOST_FILTERS = 50
"""Kept by one person."""

# The lateral join looks candidates up task by task: an EXISTS beside the OR reads all that there ever were.
_TASKS: LiteralString = """
    worklist_task t left join lateral (
        select true as may from worklist_candidate c
        where c.hospital = t.hospital and c.task_id = t.id and c.role = any(%(roles)s) limit 1
    ) c on true
"""
_OPEN_TO: LiteralString = """
    c.may and (t.place = '' or cardinality(%(places)s::text[]) = 0 or t.place = any(%(places)s))
    and not t.not_by && %(acting)s::text[]
"""
_SEEN: LiteralString = f"(t.owner = any(%(acting)s) or ({_OPEN_TO}))"
_PUT_OFF: LiteralString = """
    exists (select from worklist_snooze s
            where s.hospital = t.hospital and s.account = %(actor)s and s.task_id = t.id and s.until > %(now)s)
"""
_URGENT_FIRST: LiteralString = "(t.escalated or coalesce(t.due_at < %(now)s, false)) desc, t.rank desc, t.due_at, t.id"


class Counts(BaseModel, frozen=True):
    """Open tasks that a person sees: all of them, those they own, those past their due time, those put off."""

    open: int
    mine: int
    late: int
    snoozed: int


class SavedFilter(BaseModel, frozen=True):
    """A narrowed list that a person keeps under a name."""

    name: str
    filter: TaskFilter


async def for_person(
    tx: Transaction, person: Person, *, now: datetime, only: TaskFilter = EVERYTHING, limit: int = 200
) -> list[Task]:
    """Open tasks that the person may take or has: escalated or overdue first, then by priority and due time."""
    conditions, params = _narrowed(only)
    return await tx.rows(
        Task,
        f"""
        select t.* from {_TASKS}
        where t.hospital = %(hospital)s and t.closed_at is null and {_SEEN} and {conditions}
        order by {_URGENT_FIRST} limit %(limit)s
        """,  # noqa: S608  (our own constants)
        {"hospital": tx.hospital, "now": now, "limit": limit, **person.params, **params},
    )


async def closed(tx: Transaction, person: Person, *, limit: int = 200) -> list[Task]:
    """Tasks that have ended and were the person's or open to them, the latest first."""
    return await tx.rows(
        Task,
        f"""
        select t.* from {_TASKS}
        where t.hospital = %(hospital)s and t.closed_at is not null and {_SEEN}
        order by t.closed_at desc, t.id limit %(limit)s
        """,  # noqa: S608  (our own constants)
        {"hospital": tx.hospital, "limit": limit, **person.params},
    )


async def counts(tx: Transaction, person: Person, now: datetime) -> Counts:
    """What `for_person` would list, counted."""
    rows = await tx.rows(
        Counts,
        f"""
        select count(*) filter (where not off) as open,
               count(*) filter (where not off and owner = any(%(acting)s)) as mine,
               count(*) filter (where not off and due_at < %(now)s) as late,
               count(*) filter (where off) as snoozed
        from (select t.owner, t.due_at, {_PUT_OFF} as off from {_TASKS}
              where t.hospital = %(hospital)s and t.closed_at is null and {_SEEN}) seen
        """,  # noqa: S608  (our own constants)
        {"hospital": tx.hospital, "now": now, **person.params},
    )
    return rows[0]


async def take_next(tx: Transaction, person: Person, *, now: datetime, only: TaskFilter = EVERYTHING) -> Task | None:
    """Claim the most urgent task that nobody has; two who ask at once get two different ones. None: nothing waits."""
    conditions, params = _narrowed(only)
    row = await tx.one(
        f"""
        select t.id, t.revision from {_TASKS}
        where t.hospital = %(hospital)s and t.closed_at is null and t.owner is null and ({_OPEN_TO}) and {conditions}
        order by {_URGENT_FIRST} limit 1
        for update of t skip locked
        """,  # noqa: S608  (our own constants)
        {"hospital": tx.hospital, "now": now, **person.params, **params},
    )
    if row is None:
        return None
    return await claim(tx, Reference.to("Task", row["id"]), by=person, revision=row["revision"], now=now, start=True)


async def snooze(tx: Transaction, task: Task, account: str, until: datetime | None) -> None:
    """Hide a task from one person's list until an instant, or show it again. It stops no clock: ladders climb on."""
    if until is None:
        await tx.execute(
            "delete from worklist_snooze where hospital = %s and account = %s and task_id = %s",
            [tx.hospital, account, task.id],
        )
        return
    await tx.execute(
        """
        insert into worklist_snooze (hospital, account, task_id, until) values (%s, %s, %s, %s)
        on conflict (hospital, account, task_id) do update set until = excluded.until
        """,
        [tx.hospital, account, task.id, until],
    )


async def save_filter(tx: Transaction, account: str, name: str, only: TaskFilter) -> None:
    """Keep a filter, replacing the one of that name. Raises Invalid beyond `MOST_FILTERS`."""
    kept = await saved_filters(tx, account)
    if len(kept) >= MOST_FILTERS and name not in {each.name for each in kept}:
        raise Invalid(f"no more than {MOST_FILTERS} filters are kept", field="/name")
    await tx.execute(
        """
        insert into worklist_filter (hospital, account, name, filter) values (%s, %s, %s, %s)
        on conflict (hospital, account, name) do update set filter = excluded.filter
        """,
        [tx.hospital, account, name, only.model_dump_json(exclude_defaults=True)],
    )


async def forget_filter(tx: Transaction, account: str, name: str) -> None:
    """Raises NotFound."""
    gone = await tx.one(
        "delete from worklist_filter where hospital = %s and account = %s and name = %s returning name",
        [tx.hospital, account, name],
    )
    if gone is None:
        raise NotFound("no such filter")


async def saved_filters(tx: Transaction, account: str) -> list[SavedFilter]:
    """A person's own, by name."""
    rows = await tx.all(
        "select name, filter::text as filter from worklist_filter where hospital = %s and account = %s order by name",
        [tx.hospital, account],
    )
    return [SavedFilter(name=row["name"], filter=TaskFilter.model_validate_json(row["filter"])) for row in rows]


def _narrowed(only: TaskFilter) -> tuple[LiteralString, dict[str, object]]:
    conditions: list[LiteralString] = [_PUT_OFF if only.snoozed else f"not {_PUT_OFF}"]
    params: dict[str, object] = {}
    if only.kinds:
        conditions.append("t.kind = any(%(kinds)s)")
        params["kinds"] = [kind.value for kind in only.kinds]
    if only.wards:
        conditions.append("t.ward = any(%(wards)s)")
        params["wards"] = list(only.wards)
    if only.priorities:
        conditions.append("t.priority = any(%(priorities)s)")
        params["priorities"] = [priority.value for priority in only.priorities]
    if only.roles:
        conditions.append(
            "exists (select from worklist_candidate c"
            " where c.hospital = t.hospital and c.task_id = t.id and c.role = any(%(only_roles)s))"
        )
        params["only_roles"] = [role.value for role in only.roles]
    if only.patient:
        conditions.append("t.patient = %(patient)s")
        params["patient"] = only.patient
    if only.owned is Owned.ME:
        conditions.append("t.owner = any(%(acting)s)")
    elif only.owned is Owned.NOBODY:
        conditions.append("t.owner is null")
    if only.late:
        conditions.append("t.due_at < %(now)s")
    return " and ".join(conditions), params
