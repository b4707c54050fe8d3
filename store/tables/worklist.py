"""Human tasks as worklists show them, and the roles that may take them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field

from store.tables.base import Code, Codes, HospitalTable, Instant, Json


class WorklistTask(HospitalTable, table=True):
    """The projection of a FHIR Task. Times are hospital time; `rank` is its priority's, for sorting."""

    id: str = Field(primary_key=True, sa_type=Code)
    workflow_id: str = Field(sa_type=Code)
    kind: str = Field(sa_type=Code)
    focus: str = Field(sa_type=Code)
    patient: str = Field(sa_type=Code)
    ward: str = Field(sa_type=Code)
    priority: str = Field(sa_type=Code)
    rank: int
    status: str = Field(sa_type=Code)
    owner: str | None = Field(default=None, sa_type=Code)
    owner_since: datetime | None = Field(default=None, sa_type=Instant)
    due_at: datetime = Field(sa_type=Instant)
    escalated: bool
    opened_at: datetime = Field(sa_type=Instant)
    closed_at: datetime | None = Field(default=None, sa_type=Instant)
    closed_by: str | None = Field(default=None, sa_type=Code)
    revision: int
    started_at: datetime | None = Field(default=None, sa_type=Instant)
    delegated_by: str | None = Field(default=None, sa_type=Code)
    place: str = Field(sa_type=Code)
    not_by: list[str] = Field(sa_type=Codes)
    comments: int

    __table_args__ = (
        # Lists show open tasks; closed ones, many years of them, must not slow them down.
        Index("worklist_task_open", "hospital", "due_at", postgresql_where=text("closed_at is null")),
        Index("worklist_task_closed", "hospital", "closed_at", postgresql_where=text("closed_at is not null")),
        Index("worklist_task_patient", "hospital", "patient"),
    )


class WorklistCandidate(HospitalTable, table=True):
    """A role whose holders may claim the task."""

    task_id: str = Field(primary_key=True, sa_type=Code)
    role: str = Field(primary_key=True, sa_type=Code)


class WorklistSnooze(HospitalTable, table=True):
    """A task that one person has put off until an instant of hospital time."""

    account: str = Field(primary_key=True, sa_type=Code)
    task_id: str = Field(primary_key=True, sa_type=Code)
    until: datetime = Field(sa_type=Instant)


class WorklistFilter(HospitalTable, table=True):
    """A narrowed list that a person keeps under a name."""

    account: str = Field(primary_key=True, sa_type=Code)
    name: str = Field(primary_key=True, sa_type=Code)
    filter: dict[str, Any] = Field(sa_type=Json)
