"""Who saw or changed what, and its seals. Append-only: the application may insert and read, nobody may change."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Column, LargeBinary, Sequence, SmallInteger, text
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
    """One access, one row; rendered as a FHIR AuditEvent when read. `xid` lets the sealer read behind late commits.

    found: how many records a list or search showed.  sealed: a search's text and a person's reason, encrypted under
    `key_id`: both may hold names.  purpose: a code of HL7's PurposeOfUse.  request: X-Request-Id or a command's id.
    """

    xid: int = Field(primary_key=True, sa_type=BigInteger)
    id: int | None = _number()
    recorded_at: datetime = Field(primary_key=True, sa_type=Instant)
    action: str = Field(sa_type=Code)
    actor: str = Field(sa_type=Code)
    outcome: str = Field(sa_type=Code)
    entities: list[str] = Field(sa_type=Codes)
    patients: list[str] = Field(sa_type=Codes)
    detail: str = Field(sa_type=Code)
    address: str | None = Field(default=None, sa_type=Code)
    roles: list[str] | None = Field(default=None, sa_type=Codes)
    purpose: str | None = Field(default=None, sa_type=Code)
    on_behalf_of: str | None = Field(default=None, sa_type=Code)
    request: str | None = Field(default=None, sa_type=Code)
    found: int | None = Field(default=None)
    key_id: str | None = Field(default=None, sa_type=Code)
    sealed: bytes | None = Field(default=None, sa_type=LargeBinary)

    __table_args__ = {"postgresql_partition_by": "RANGE (recorded_at)"}  # noqa: RUF012  # SQLAlchemy's own shape


class AuditSeal(HospitalTable, table=True):
    """A second of accesses, chained to the second before and signed; `store/seals/` says what each column holds."""

    number: int = Field(primary_key=True, sa_type=BigInteger)
    layout: int = Field(sa_type=SmallInteger)
    previous: bytes = Field(sa_type=LargeBinary)
    first: int = Field(sa_type=BigInteger)
    from_xid: int = Field(sa_type=BigInteger)
    until_xid: int = Field(sa_type=BigInteger)
    floor: int = Field(sa_type=BigInteger)
    top: int = Field(sa_type=BigInteger)
    ids: list[int] = Field(sa_column=Column(ARRAY(BigInteger), nullable=False))
    digests: bytes = Field(sa_type=LargeBinary)
    sealed_at: datetime = Field(sa_type=Instant)
    key_id: str = Field(sa_type=Code)
    hash: bytes = Field(sa_type=LargeBinary)
    signature: bytes = Field(sa_type=LargeBinary)
