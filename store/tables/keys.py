"""Hospitals' data keys, and how far sealing anew has come. Real time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Field

from store.tables.base import Code, HospitalTable, Instant, Json


class DataKey(HospitalTable, table=True):
    """`wrapped`: encrypted by the master key `master`; None for a key of the ring itself, empty once destroyed."""

    id: str = Field(primary_key=True, sa_type=Code)
    master: str = Field(sa_type=Code)
    wrapped: bytes | None = None
    made_at: datetime = Field(sa_type=Instant)
    current_from: datetime = Field(sa_type=Instant)
    retired_at: datetime | None = Field(default=None, sa_type=Instant)


class Resealing(HospitalTable, table=True):
    """One place of sealed bytes. `goal`: the key that seals; `after`: the last row looked at, None before the first."""

    place: str = Field(primary_key=True, sa_type=Code)
    goal: str = Field(sa_type=Code)
    after: list[Any] | None = Field(default=None, sa_type=Json)
    done: int
    finished: bool
