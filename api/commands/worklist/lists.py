"""The caller's list, narrowed by the address, and its counts."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from api.accesses import Shown, accessed
from api.caller import Caller
from api.commands.worklist.shapes import as_json, person_of
from api.deps import allow
from api.present import Present, present
from api.state import State
from domain.ids import Reference
from domain.roles import Role
from domain.worklist import Owned, Priority, TaskFilter, TaskKind
from rules.access import Action
from store import worklist
from store.audit import AuditAction
from store.database import Transaction
from store.worklist import Task
from store.worklist.lists import EVERYTHING

router = APIRouter(prefix="/commands/worklist")

LIMIT = 200
"""A list longer than this is no list to work from; the most urgent stand in it."""


@router.get("")
async def list_tasks(
    state: State,
    caller: Annotated[Caller, allow(Action.SEE_WORKLIST)],
    *,
    kind: Annotated[list[TaskKind], Query()] = [],  # noqa: B006  (FastAPI copies it)
    ward: Annotated[list[Reference], Query()] = [],  # noqa: B006
    priority: Annotated[list[Priority], Query()] = [],  # noqa: B006
    role: Annotated[list[Role], Query()] = [],  # noqa: B006
    patient: Reference | None = None,
    owned: Owned = Owned.ANYBODY,
    late: bool = False,
    snoozed: bool = False,
) -> dict[str, Any]:
    """Open tasks that the caller may take or has, the most urgent first, and how many there are of each kind."""
    only = TaskFilter(
        kinds=tuple(kind),
        wards=tuple(ward),
        priorities=tuple(priority),
        roles=tuple(role),
        patient=patient,
        owned=owned,
        late=late,
        snoozed=snoozed,
    )
    async with state.database.transaction(caller.hospital) as tx:
        at = await present(tx, state)
        found = await read_list(tx, caller, at, only=only)
        counts = await worklist.counts(tx, await person_of(tx, caller, at.now), at.now)
    return {"at": at.now.isoformat(), "counts": counts.model_dump(), "tasks": [as_json(task) for task in found]}


async def read_list(
    tx: Transaction, caller: Caller, at: Present, *, only: TaskFilter = EVERYTHING, shown: Shown | None = None
) -> list[Task]:
    """The caller's list, written down as one access to all its patients; with `shown`, only if it shows a new one."""
    found = await worklist.for_person(tx, await person_of(tx, caller, at.now), limit=LIMIT, now=at.now, only=only)
    patients = [task.patient for task in found]
    if patients and (shown is None or shown.anew(caller.session, patients, at.real)):
        await accessed(tx, caller, AuditAction.QUERY, "worklist", at=at.real, patients=patients)
    return found
