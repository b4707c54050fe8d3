"""Master data: versions of entries, what they will show, and how a hospital changes them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field

from store.tables.base import Code, HospitalTable, Instant, Json


class MasterEntry(HospitalTable, table=True):
    """One version of an entry. Added, approved or withdrawn, never changed. `content` None ends the entry."""

    kind: str = Field(primary_key=True, sa_type=Code)
    code: str = Field(primary_key=True, sa_type=Code)
    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    since: datetime = Field(sa_type=Instant)
    until: datetime | None = Field(default=None, sa_type=Instant)
    content: dict[str, Any] | None = Field(default=None, sa_type=Json)
    basis: str = Field(sa_type=Code)
    source: str
    state: str = Field(sa_type=Code)
    four_eyes: bool
    reason: str
    recorded_by: str = Field(sa_type=Code)
    recorded_at: datetime = Field(sa_type=Instant)
    decided_by: str | None = Field(default=None, sa_type=Code)
    decided_at: datetime | None = Field(default=None, sa_type=Instant)

    __table_args__ = (
        Index("master_entry_waiting", "hospital", "kind", "code", postgresql_where=text("state = 'proposed'")),
    )


class MasterTurn(HospitalTable, table=True):
    """What an entry shows over FHIR from an instant on. Goes away when it was shown."""

    kind: str = Field(primary_key=True, sa_type=Code)
    code: str = Field(primary_key=True, sa_type=Code)
    at: datetime = Field(primary_key=True, sa_type=Instant)
    resources: list[dict[str, Any]] = Field(sa_type=Json)

    __table_args__ = (Index("master_turn_at", "hospital", "at"),)


class MasterEdition(HospitalTable, table=True):
    """Rises with every change of a hospital's set-up; whoever changes it holds the row."""

    edition: int = Field(sa_type=BigInteger)


class MasterPolicy(HospitalTable, table=True):
    """A kind whose changes wait for a second pair of eyes."""

    kind: str = Field(primary_key=True, sa_type=Code)
    set_by: str = Field(sa_type=Code)
    set_at: datetime = Field(sa_type=Instant)


class MasterPack(HospitalTable, table=True):
    """A pack that a hospital began with."""

    name: str = Field(primary_key=True, sa_type=Code)
    version: str = Field(sa_type=Code)
    size: str = Field(sa_type=Code)
    publisher: str = Field(sa_type=Code)
    key: str = Field(sa_type=Code)
    entries: int
    taken_by: str = Field(sa_type=Code)
    taken_at: datetime = Field(sa_type=Instant)
