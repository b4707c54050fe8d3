"""FHIR resources, sealed: the newest version of each in `resource`, all earlier ones in `resource_history`."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field

from store.tables.base import Code, HospitalTable, Instant


class Resource(HospitalTable, table=True):
    """`body` is the sealed client text, `key_id` the key that opens it, `owner` the id of the process it belongs to."""

    type: str = Field(primary_key=True, sa_type=Code)
    id: str = Field(primary_key=True, sa_type=Code)
    version: int
    last_updated: datetime = Field(sa_type=Instant)
    owner: str | None = Field(default=None, sa_type=Code)
    key_id: str = Field(sa_type=Code)
    body: bytes


class ResourceHistory(HospitalTable, table=True):
    type: str = Field(primary_key=True, sa_type=Code)
    id: str = Field(primary_key=True, sa_type=Code)
    version: int = Field(primary_key=True)
    last_updated: datetime = Field(sa_type=Instant)
    owner: str | None = Field(default=None, sa_type=Code)
    key_id: str = Field(sa_type=Code)
    body: bytes
