"""Who cares for whom, who opened a record without it, who acts for whom. Hospital time, but real in delegations."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field

from store.tables.base import Code, Codes, HospitalTable, Instant


class CareRelation(HospitalTable, table=True):
    """A person or place that a record names for a patient. holder, patient, source: keys of resources."""

    holder: UUID = Field(primary_key=True)
    patient: UUID = Field(primary_key=True)
    source: UUID = Field(primary_key=True)
    until: datetime = Field(sa_type=Instant)

    __table_args__ = (Index("care_relation_source", "hospital", "source"),)


class Standing(HospitalTable, table=True):
    """What an account is in the records: its Practitioner, and the places where it works."""

    account: str = Field(primary_key=True, sa_type=Code)
    practitioner: str | None = Field(default=None, sa_type=Code)
    places: list[str] = Field(sa_type=Codes)


class BrokenGlass(HospitalTable, table=True):
    """A record opened without a relation of care. `words`, `remark`: sealed."""

    id: UUID = Field(primary_key=True)
    actor: str = Field(sa_type=Code)
    patient: str = Field(sa_type=Code)
    reason: str = Field(sa_type=Code)
    key_id: str = Field(sa_type=Code)
    words: bytes
    broken_at: datetime = Field(sa_type=Instant)
    until: datetime = Field(sa_type=Instant)
    reviewed_at: datetime | None = Field(default=None, sa_type=Instant)
    reviewed_by: str | None = Field(default=None, sa_type=Code)
    verdict: str | None = Field(default=None, sa_type=Code)
    remark_key_id: str | None = Field(default=None, sa_type=Code)
    remark: bytes | None = None

    __table_args__ = (
        Index("broken_glass_actor", "hospital", "actor", "until"),
        Index("broken_glass_time", "hospital", "broken_at"),
    )


class StatedPurpose(HospitalTable, table=True):
    """Why somebody opens the sensitive records of a patient."""

    actor: str = Field(primary_key=True, sa_type=Code)
    patient: str = Field(primary_key=True, sa_type=Code)
    purpose: str = Field(sa_type=Code)
    stated_at: datetime = Field(sa_type=Instant)
    until: datetime = Field(sa_type=Instant)


class Delegation(HospitalTable, table=True):
    """`taker` may act on behalf of `giver`, with these of the giver's roles. Times are real."""

    id: UUID = Field(primary_key=True)
    giver: str = Field(sa_type=Code)
    taker: str = Field(sa_type=Code)
    roles: list[str] = Field(sa_type=Codes)
    since: datetime = Field(sa_type=Instant)
    until: datetime = Field(sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)

    __table_args__ = (Index("delegation_taker", "hospital", "taker", "until"),)
