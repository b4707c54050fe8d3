"""Task: a human step, shared by everybody who works on it.

hl7.org/fhir/R4/task.html; statuses and ownership after HL7 Clinical Order Workflows (R4): the Task is the shared thing,
it fulfils a request that only its placer edits.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from fhir.resources.R4B.task import Task

from adapters.fhir.elements import (
    CANCEL_REASON,
    ROLE,
    TASK_CODE,
    TASK_INPUT,
    TASK_KIND,
    Json,
    checked,
    coded,
    instant,
    person,
    reference,
)
from domain.ids import Reference
from domain.roles import Role
from domain.worklist import TaskSpec, TaskStatus


def requested(spec: TaskSpec, at: datetime) -> Json:
    """An open task that nobody owns yet, due by the end of `restriction.period`."""
    kind = coded(TASK_KIND, spec.kind.value)
    kind["coding"].insert(0, {"system": TASK_CODE, "code": "fulfill"})
    performers = [coded(ROLE, role.value) for role in spec.candidates]
    return checked(
        Task,
        {
            "resourceType": "Task",
            "status": TaskStatus.REQUESTED.value,
            "intent": "order",
            "priority": spec.priority.value,
            "code": kind,
            "basedOn": [reference(spec.focus)],
            "focus": reference(spec.focus),
            "for": reference(spec.patient),
            "location": reference(spec.ward),
            "authoredOn": instant(at),
            "lastModified": instant(at),
            "restriction": {"period": {"end": instant(spec.due_at)}},
            **({"performerType": performers} if performers else {}),
        },
    )


@dataclass(frozen=True)
class Remark:
    """Something said about a task. author: an account."""

    author: str
    text: str


def as_it_stands(
    task: Json,
    status: TaskStatus,
    *,
    owner: str | None,
    started_at: datetime | None,
    at: datetime,
    roles: Collection[Role] | None = None,
) -> Json:
    """Whose the task is and how far it is. roles: who may take it from now on; None where that stays."""
    gone = {"owner", "executionPeriod"} | ({"performerType"} if roles is not None else set())
    changed = {name: value for name, value in task.items() if name not in gone} | _changed(status, at)
    if owner:
        changed["owner"] = person(owner)
    if started_at:
        changed["executionPeriod"] = {"start": instant(started_at)}
    if roles:
        changed["performerType"] = [coded(ROLE, role.value) for role in roles]
    return checked(Task, changed)


def remarked(task: Json, remark: Remark, at: datetime) -> Json:
    """A note more: Annotation with its author and time."""
    note = {"authorReference": person(remark.author), "time": instant(at), "text": remark.text}
    return checked(Task, task | {"note": [*task.get("note", []), note], "lastModified": instant(at)})


def comments(task: Json) -> int:
    return len(task.get("note", []))


def attached(task: Json, record: Reference, at: datetime) -> Json:
    """One more record that belongs to the task; the same one twice stands there once."""
    given = task.get("input", [])
    if any(each.get("valueReference", {}).get("reference") == record for each in given):
        return task
    one = {"type": coded(TASK_INPUT, "attachment"), "valueReference": reference(record)}
    return checked(Task, task | {"input": [*given, one], "lastModified": instant(at)})


def escalated(task: Json, to: Role, at: datetime) -> Json:
    """One more role may take it."""
    performers = [*task.get("performerType", []), coded(ROLE, to.value)]
    return checked(Task, task | {"performerType": performers, "lastModified": instant(at)})


def completed(task: Json, owner: str, at: datetime) -> Json:
    period = {"executionPeriod": {"start": instant(at)} | task.get("executionPeriod", {}) | {"end": instant(at)}}
    return checked(Task, task | _changed(TaskStatus.COMPLETED, at) | {"owner": person(owner)} | period)


def cancelled(task: Json, reason: str, at: datetime) -> Json:
    return checked(Task, task | _changed(TaskStatus.CANCELLED, at) | {"statusReason": coded(CANCEL_REASON, reason)})


def _changed(status: TaskStatus, at: datetime) -> Json:
    return {"status": status.value, "lastModified": instant(at)}
