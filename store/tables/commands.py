"""Commands as people gave them, and what is to be told to others."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, SmallInteger, UniqueConstraint, Uuid, text
from sqlmodel import Field

from store.tables.base import Code, HospitalTable, Instant, Json, counter


class CommandLedger(HospitalTable, table=True):
    """received, sent, answered or refused (engine room, 4). Times are real: they steer the re-sender."""

    id: UUID = Field(primary_key=True, sa_type=Uuid)
    actor: str = Field(sa_type=Code)
    key: str = Field(sa_type=Code)
    command: str = Field(sa_type=Code)
    digest: bytes
    state: str = Field(sa_type=Code)
    target: str | None = Field(default=None, sa_type=Code)
    message: dict[str, Any] | None = Field(default=None, sa_type=Json)
    status: int | None = Field(default=None, sa_type=SmallInteger)
    answer: dict[str, Any] | None = Field(default=None, sa_type=Json)
    received_at: datetime = Field(sa_type=Instant)
    leased_until: datetime | None = Field(default=None, sa_type=Instant)
    attempts: int

    __table_args__ = (
        UniqueConstraint("hospital", "actor", "key", name="command_ledger_key"),
        Index(
            "command_ledger_pending",
            "hospital",
            "received_at",
            postgresql_where=text("state in ('received', 'sent')"),
        ),
    )


class Outbox(HospitalTable, table=True):
    """Something changed. `xid` is the writing transaction's number: readers stay below the oldest still running."""

    xid: int = Field(sa_type=BigInteger, primary_key=True)
    id: int | None = counter()
    topic: str = Field(sa_type=Code)
    subject: str = Field(sa_type=Code)
    delivered_at: datetime | None = Field(default=None, sa_type=Instant)

    __table_args__ = (Index("outbox_undelivered", "hospital", "xid", postgresql_where=text("delivered_at is null")),)
