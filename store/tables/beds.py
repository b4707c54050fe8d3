"""Who lies where, and which stay of a patient is the active one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlmodel import Field

from store.constraints import ONE_OCCUPANT
from store.tables.base import Code, HospitalTable, Instant, counter


class BedOccupancy(HospitalTable, table=True):
    """An encounter in a bed over actual hospital time, `[started_at, ended_at)`; without an end it lasts."""

    id: int | None = counter()
    bed: str = Field(sa_type=Code)
    encounter: str = Field(sa_type=Code)
    started_at: datetime = Field(sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)

    __table_args__ = (
        # Deferred, so that two patients change places within one transaction (engine room, 7).
        ExcludeConstraint(
            ("hospital", "="),
            ("bed", "="),
            (text("tstzrange(started_at, ended_at, '[)')"), "&&"),
            name=ONE_OCCUPANT,
            using="gist",
            deferrable=True,
            initially="DEFERRED",
        ),
        Index(
            "bed_occupancy_present",
            "hospital",
            "encounter",
            unique=True,
            postgresql_where=text("ended_at is null"),
        ),
    )


class InpatientStay(HospitalTable, table=True):
    """An inpatient encounter. At most one of a patient is active."""

    encounter: str = Field(primary_key=True, sa_type=Code)
    patient: str = Field(sa_type=Code)
    active: bool

    __table_args__ = (
        Index("inpatient_stay_active", "hospital", "patient", unique=True, postgresql_where=text("active")),
        Index("inpatient_stay_patient", "hospital", "patient"),
    )
