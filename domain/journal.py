"""What may happen to a stay, as keys: the sentences in Korean and English stand with the screens."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, Field


class JournalKey(StrEnum):
    """One kind of line. The comment names the parameters that its sentence needs."""

    PATIENT_REGISTERED = "patient-registered"
    ADMISSION_REQUESTED = "admission-requested"  # ward, priority
    DUE_TIME_DECIDED = "due-time-decided"  # minutes, rule, version, trace
    DUE_TIME_FALLBACK = "due-time-fallback"  # minutes, missing, trace
    BED_TASK_OPENED = "bed-task-opened"  # role, due
    TASK_CLAIMED = "task-claimed"  # task
    TASK_STARTED = "task-started"  # task
    TASK_RELEASED = "task-released"  # task
    TASK_DELEGATED = "task-delegated"  # task, to
    TASK_RETURNED = "task-returned"  # task, to
    TASK_REASSIGNED = "task-reassigned"  # task, from, to, why
    TASK_FORWARDED = "task-forwarded"  # task, role, ward
    TASK_COMMENTED = "task-commented"  # task
    BED_TASK_ESCALATED = "bed-task-escalated"  # role, due
    DUTY_CALLED = "duty-called"  # position, people, due
    DUTY_VACANT = "duty-vacant"  # position, role, due
    BED_ASSIGNED = "bed-assigned"  # bed
    ADMITTED = "admitted"  # bed
    ADMISSION_CANCELLED = "admission-cancelled"  # reason
    PATIENTS_MERGED = "patients-merged"  # source, target
    COMMAND_REFUSED = "command-refused"  # command, code


class JournalEntry(BaseModel, frozen=True):
    """A line to be written. `params` hold references, codes and instants, never names or free text."""

    key: JournalKey
    params: dict[str, str] = Field(default_factory=dict)
