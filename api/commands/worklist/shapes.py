"""What all commands on tasks share: the person, the body with a revision, the record, the journal, the answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from adapters.fhir import tasks
from api.accesses import accessed
from api.caller import Caller
from api.commands.shapes import Body
from api.present import Present
from domain.errors import Invalid, NotFound
from domain.ids import WorkflowId
from domain.journal import JournalEntry, JournalKey
from domain.roles import Role
from store import accounts, journal, records
from store.audit import AuditAction
from store.care.standing import standing
from store.database import Transaction
from store.worklist import Person, Task


class AtRevision(Body):
    """The task's revision as the person saw it: what changed since is not overwritten."""

    revision: int


async def person_of(tx: Transaction, caller: Caller, now: datetime) -> Person:
    """The caller as one who works on tasks."""
    places = (await standing(tx, caller.actor, now)).places
    return Person(caller.actor, caller.roles, also=caller.on_behalf_of, places=places)


async def colleague(tx: Transaction, account: str, now: datetime) -> Person:
    """Raises Invalid for an account that is not there or is closed."""
    try:
        found = await accounts.account(tx, account)
    except NotFound:
        raise Invalid("no such account in this hospital", field="/to") from None
    if found.disabled:
        raise Invalid("this account is closed", field="/to")
    return Person(found.name, found.roles, places=(await standing(tx, account, now)).places)


async def reflect(
    tx: Transaction,
    task: Task,
    at: Present,
    *,
    roles: Collection[Role] | None = None,
    remark: tasks.Remark | None = None,
) -> None:
    """Write into the FHIR Task what its row says now. roles: who may take it, where that changed."""
    stored = await records.read(tx, task.ref)
    body = tasks.as_it_stands(
        stored.body, task.status, owner=task.owner, started_at=task.started_at, at=at.now, roles=roles
    )
    if remark:
        body = tasks.remarked(body, remark, at.now)
    await records.update(tx, body, if_match=stored.version, now=at.now)


async def tell(
    tx: Transaction,
    caller: Caller,
    task: Task,
    *,
    key: JournalKey,
    detail: str,
    at: Present,
    params: Mapping[str, str] | None = None,
) -> None:
    """The journal's line and the audit's row of a change of who has the task."""
    await journal.write(
        tx,
        workflow_id=task.workflow_id,
        step=f"{detail}/{task.ref}#{task.revision}",
        subject=WorkflowId.parse(task.workflow_id).subject,
        patient=task.patient,
        entries=[JournalEntry(key=key, params={"task": task.ref, **(params or {})})],
        actor=caller.actor,
        occurred_at=at.now,
        recorded_at=at.real,
    )
    await noted(tx, caller, task, detail=detail, at=at)


async def noted(tx: Transaction, caller: Caller, task: Task, *, detail: str, at: Present) -> None:
    """The audit's row alone, for what is no part of the patient's story."""
    await accessed(tx, caller, AuditAction.EXECUTE, detail, at=at.real, entities=[task.ref], patients=[task.patient])


def as_json(task: Task) -> dict[str, Any]:
    """A task for clients: references and codes; names are read from the records with the client's own rights."""
    return {
        "task": task.ref,
        "kind": task.kind,
        "status": task.status,
        "priority": task.priority,
        "patient": task.patient,
        "focus": task.focus,
        "encounter": WorkflowId.parse(task.workflow_id).subject,
        "ward": task.ward,
        "place": task.place or None,
        "owner": task.owner,
        "owner_since": _text(task.owner_since),
        "started_at": _text(task.started_at),
        "delegated_by": task.delegated_by,
        "due_at": task.due_at.isoformat(),
        "escalated": task.escalated,
        "comments": task.comments,
        "opened_at": task.opened_at.isoformat(),
        "revision": task.revision,
    }


def _text(at: Any) -> str | None:
    return at.isoformat() if at else None
