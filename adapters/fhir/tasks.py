"""Task: a human step, shared by everybody who works on it.

hl7.org/fhir/R4/task.html; statuses and ownership after HL7 Clinical Order Workflows (R4): the Task is the shared thing,
it fulfils a request that only its placer edits.
"""

from __future__ import annotations

from datetime import datetime

from fhir.resources.R4B.task import Task

from adapters.fhir.elements import (
    CANCEL_REASON,
    ROLE,
    TASK_CODE,
    TASK_KIND,
    Json,
    checked,
    coded,
    instant,
    person,
    reference,
)
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


def claimed(task: Json, owner: str, at: datetime) -> Json:
    return checked(Task, task | _changed(TaskStatus.IN_PROGRESS, at) | {"owner": person(owner)})


def released(task: Json, at: datetime) -> Json:
    rest = {name: value for name, value in task.items() if name != "owner"}
    return checked(Task, rest | _changed(TaskStatus.REQUESTED, at))


def escalated(task: Json, to: Role, at: datetime) -> Json:
    """One more role may take it."""
    performers = [*task.get("performerType", []), coded(ROLE, to.value)]
    return checked(Task, task | {"performerType": performers, "lastModified": instant(at)})


def completed(task: Json, owner: str, at: datetime) -> Json:
    return checked(Task, task | _changed(TaskStatus.COMPLETED, at) | {"owner": person(owner)})


def cancelled(task: Json, reason: str, at: datetime) -> Json:
    return checked(Task, task | _changed(TaskStatus.CANCELLED, at) | {"statusReason": coded(CANCEL_REASON, reason)})


def _changed(status: TaskStatus, at: datetime) -> Json:
    return {"status": status.value, "lastModified": instant(at)}
