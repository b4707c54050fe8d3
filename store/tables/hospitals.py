"""The hospitals of the installation and their clocks."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field

from store.tables.base import Code, HospitalTable, Instant, Table


class SharedHospital(Table, table=True):
    """A hospital. Shared: everybody may read it, only set-up writes it."""

    code: str = Field(primary_key=True, sa_type=Code)
    name_ko: str
    name_en: str
    kind: str = Field(sa_type=Code)
    network: str | None = Field(default=None, sa_type=Code)


class HospitalClock(HospitalTable, table=True):
    """Hospital time = epoch + (real - base) x rate. Without a row the clock is the real one."""

    epoch: datetime = Field(sa_type=Instant)
    base: datetime = Field(sa_type=Instant)
    rate: int
