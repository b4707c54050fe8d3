"""Process rows, the effects that were done, and the decisions that were taken."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Double, Index, Uuid, text
from sqlmodel import Field

from store.tables.base import Code, Codes, HospitalTable, Instant, Json


class Process(HospitalTable, table=True):
    """What a process needs to go on without its history (engine room, 3). Times are hospital time."""

    workflow_id: str = Field(primary_key=True, sa_type=Code)
    process: str = Field(sa_type=Code)
    revision: int
    state: dict[str, Any] = Field(sa_type=Json)
    deadline: datetime | None = Field(default=None, sa_type=Instant)
    started_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)
    closed_at: datetime | None = Field(default=None, sa_type=Instant)

    __table_args__ = (Index("process_open", "hospital", "workflow_id", postgresql_where=text("closed_at is null")),)


class ProcessEffect(HospitalTable, table=True):
    """A step that was done, and its first result."""

    workflow_id: str = Field(primary_key=True, sa_type=Code)
    step: str = Field(primary_key=True, sa_type=Code)
    command_id: UUID | None = Field(default=None, sa_type=Uuid)
    actor: str | None = Field(default=None, sa_type=Code)
    done_at: datetime = Field(sa_type=Instant)
    result: dict[str, Any] | None = Field(default=None, sa_type=Json)

    __table_args__ = (
        Index(
            "process_effect_of_command",
            "hospital",
            "command_id",
            unique=True,
            postgresql_where=text("command_id is not null"),
        ),
    )


class DecisionLog(HospitalTable, table=True):
    """A rule asked and its answer. `facts` are sealed: they are the patient's.

    The columns after them are empty in rows of the first release. trace: the decision's own number.  dictionary,
    derivation: what the facts meant.  rows: the values of each of `outcomes`.
    """

    workflow_id: str = Field(primary_key=True, sa_type=Code)
    step: str = Field(primary_key=True, sa_type=Code)
    point: str = Field(sa_type=Code)
    subject: str = Field(sa_type=Code)
    decided_at: datetime = Field(sa_type=Instant)
    outcome: str = Field(sa_type=Code)
    values: dict[str, Any] = Field(sa_type=Json)
    rule: str = Field(sa_type=Code)
    version: str = Field(sa_type=Code)
    digest: str = Field(sa_type=Code)
    indeterminate: bool
    reason: str = Field(sa_type=Code)
    missing: list[str] = Field(sa_type=Codes)
    key_id: str = Field(sa_type=Code)
    facts: bytes
    trace: UUID | None = None
    dictionary: str | None = Field(default=None, sa_type=Code)
    derivation: str | None = Field(default=None, sa_type=Code)
    department: str | None = Field(default=None, sa_type=Code)
    outcomes: list[str] | None = Field(default=None, sa_type=Codes)
    rows: list[Any] | None = Field(default=None, sa_type=Json)
    number: float | None = Field(default=None, sa_type=Double)
    wrong: list[str] | None = Field(default=None, sa_type=Codes)

    __table_args__ = (
        Index("decision_log_point", "hospital", "point", "decided_at", "workflow_id", "step"),
        Index("decision_log_trace", "hospital", "trace"),
    )
