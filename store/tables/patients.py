"""Numbers that a hospital gives its patients, and requests to merge two of their records."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field

from store.tables.base import Code, HospitalTable, Instant


class PatientNumber(HospitalTable, table=True):
    """The last number that was given out."""

    last: int = Field(sa_type=BigInteger)


class PatientMerge(HospitalTable, table=True):
    """One person says that two records are one person's; another decides. Times are the hospital's.

    source: the record that would end.  state: asked, merged or refused.
    """

    id: UUID = Field(primary_key=True)
    source: str = Field(sa_type=Code)
    target: str = Field(sa_type=Code)
    reason: str = Field(sa_type=Code)
    state: str = Field(sa_type=Code)
    asked_by: str = Field(sa_type=Code)
    asked_at: datetime = Field(sa_type=Instant)
    decided_by: str | None = Field(default=None, sa_type=Code)
    decided_at: datetime | None = Field(default=None, sa_type=Instant)

    __table_args__ = (
        Index("patient_merge_open", "hospital", "source", unique=True, postgresql_where=text("state = 'asked'")),
        Index("patient_merge_latest", "hospital", "state", "asked_at"),
    )
