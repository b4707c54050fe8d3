"""Who saw or changed what. Append-only: the application may insert and read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Sequence, text
from sqlmodel import Field

from store.tables.base import Code, Codes, HospitalTable, Instant

# A sequence of its own: PostgreSQL 16 has no identity columns on partitioned tables.
_NUMBERS: Sequence = Sequence("audit_event_id_seq", metadata=HospitalTable.metadata)


def _number() -> Any:
    return Field(
        default=None,
        sa_column=Column(BigInteger, _NUMBERS, server_default=text("nextval('audit_event_id_seq')"), primary_key=True),
    )


class AuditEvent(HospitalTable, table=True):
    """One access, one row; rendered as a FHIR AuditEvent when read. `xid` lets the sealer read behind late commits."""

    xid: int = Field(sa_type=BigInteger)
    id: int | None = _number()
    recorded_at: datetime = Field(primary_key=True, sa_type=Instant)
    action: str = Field(sa_type=Code)
    actor: str = Field(sa_type=Code)
    outcome: str = Field(sa_type=Code)
    entities: list[str] = Field(sa_type=Codes)
    patients: list[str] = Field(sa_type=Codes)
    detail: str = Field(sa_type=Code)
    address: str | None = Field(default=None, sa_type=Code)

    __table_args__ = {"postgresql_partition_by": "RANGE (recorded_at)"}  # noqa: RUF012  # SQLAlchemy's own shape
