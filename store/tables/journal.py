"""The readable history of stays."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, SmallInteger, UniqueConstraint
from sqlmodel import Field

from store.tables.base import Code, HospitalTable, Instant, Json, counter


class Journal(HospitalTable, table=True):
    """One line. `workflow_id` and `step` lead to the technical history; `ordinal` orders the lines of a step."""

    id: int | None = counter()
    workflow_id: str = Field(sa_type=Code)
    step: str = Field(sa_type=Code)
    ordinal: int = Field(sa_type=SmallInteger)
    subject: str = Field(sa_type=Code)
    patient: str = Field(sa_type=Code)
    key: str = Field(sa_type=Code)
    params: dict[str, Any] = Field(sa_type=Json)
    actor: str | None = Field(default=None, sa_type=Code)
    occurred_at: datetime = Field(sa_type=Instant)
    recorded_at: datetime = Field(sa_type=Instant)

    __table_args__ = (
        UniqueConstraint("hospital", "workflow_id", "step", "ordinal", name="journal_once"),
        Index("journal_of_subject", "hospital", "subject", "occurred_at", "id"),
    )
