"""Exports: what was asked, how far it is, and the files it made, in sealed pieces."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index, Uuid, text
from sqlmodel import Field

from store.tables.base import Code, Codes, HospitalTable, Instant


class ExportJob(HospitalTable, table=True):
    """One export that somebody asked for; its row stays when its files are gone. Times are real, as for the ledger.

    state: running, complete, failed or cancelled.  kept: there may be files of it.  transaction_time: hospital time.
    snapshot: which transactions were done when it began, as PostgreSQL writes it.  asked: the request, sealed.
    at_type, after_id: everything before is in the files.  failures: attempts since it last went on.  turn: counts the
    leases; only the holder of the latest writes.
    """

    id: UUID = Field(primary_key=True, sa_type=Uuid)
    actor: str = Field(sa_type=Code)
    state: str = Field(sa_type=Code)
    kept: bool
    asked_at: datetime = Field(sa_type=Instant)
    transaction_time: datetime = Field(sa_type=Instant)
    snapshot: str = Field(sa_type=Code)
    key_id: str = Field(sa_type=Code)
    asked: bytes
    at_type: str = Field(sa_type=Code)
    after_id: str = Field(sa_type=Code)
    resources: int = Field(sa_type=BigInteger)
    failures: int
    turn: int
    leased_until: datetime | None = Field(default=None, sa_type=Instant)
    finished_at: datetime | None = Field(default=None, sa_type=Instant)
    expires_at: datetime | None = Field(default=None, sa_type=Instant)

    __table_args__ = (
        Index("export_job_kept", "hospital", "asked_at", postgresql_where=text("kept")),
        Index("export_job_time", "hospital", "transaction_time"),
    )


class ExportFile(HospitalTable, table=True):
    """A file of an export. kind: output, deleted or error.  bytes: of its text."""

    job: UUID = Field(primary_key=True, sa_type=Uuid)
    number: int = Field(primary_key=True)
    kind: str = Field(sa_type=Code)
    type: str = Field(sa_type=Code)
    resources: int
    bytes: int = Field(sa_type=BigInteger)
    pieces: int


class ExportPiece(HospitalTable, table=True):
    """A part of a file's text, compressed and sealed like bodies, and the patients that it tells of."""

    job: UUID = Field(primary_key=True, sa_type=Uuid)
    file: int = Field(primary_key=True)
    number: int = Field(primary_key=True)
    key_id: str = Field(sa_type=Code)
    body: bytes
    patients: list[str] = Field(sa_type=Codes)
