"""FHIR resources, sealed: the newest version of each in `resource`, all earlier ones in `resource_history`."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Column, Computed, Identity, Index, Uuid, text
from sqlmodel import Field

from store.tables.base import Code, HospitalTable, Instant

# Spelled as PostgreSQL gives it back, so that the schema's test can compare the two.
_KEY = "(encode(substr(sha256((((type || '/'::text) || id))::bytea), 1, 16), 'hex'::text))::uuid"


class Resource(HospitalTable, table=True):
    """`body` is the sealed client text, `key_id` the key that opens it, `owner` the id of the process it belongs to.

    number: names the resource in the search tables, in the order of creation.  key: the hash of its reference, which
    references to it carry.  deleted: the newest version is a deletion, its body empty.  marks: of its search rows
    (`store.fhir.marks`), None where they are not known.
    """

    type: str = Field(primary_key=True, sa_type=Code)
    id: str = Field(primary_key=True, sa_type=Code)
    version: int
    last_updated: datetime = Field(sa_type=Instant)
    owner: str | None = Field(default=None, sa_type=Code)
    key_id: str = Field(sa_type=Code)
    body: bytes
    deleted: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=text("false")))
    number: int | None = Field(default=None, sa_column=Column(BigInteger, Identity(), nullable=False))
    key: UUID | None = Field(default=None, sa_column=Column(Uuid, Computed(_KEY, persisted=True), nullable=True))
    marks: bytes | None = Field(default=None)

    __table_args__ = (
        Index("resource_number", "hospital", "number", unique=True),
        Index("resource_key", "hospital", "key", unique=True),
        Index("resource_changed", "hospital", "type", "last_updated", "number"),
    )


class ResourceHistory(HospitalTable, table=True):
    type: str = Field(primary_key=True, sa_type=Code)
    id: str = Field(primary_key=True, sa_type=Code)
    version: int = Field(primary_key=True)
    last_updated: datetime = Field(sa_type=Instant)
    owner: str | None = Field(default=None, sa_type=Code)
    key_id: str = Field(sa_type=Code)
    body: bytes
    deleted: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=text("false")))

    __table_args__ = (Index("resource_history_changed", "hospital", "type", "last_updated"),)
