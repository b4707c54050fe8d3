"""Values of an impact report's process: past decisions counted anew, until the last one, or until somebody stops it."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel

from domain.clock import HospitalClock
from domain.ids import HospitalCode, Reference, WorkflowId

PROCESS = "rule-impact"


class ImpactPhase(StrEnum):
    """Where the process stands. How far it has counted stands in the report's row, and only there."""

    COUNTING = "counting"
    ENDED = "ended"


class ReportState(StrEnum):
    """Where a report stands. Only one that is done can be signed."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"  # this release cannot read the text
    CANCELLED = "cancelled"


class ImpactState(BaseModel, frozen=True):
    """All that the process needs to go on."""

    hospital: HospitalCode
    report: UUID
    clock: HospitalClock
    revision: int = 0
    phase: ImpactPhase = ImpactPhase.COUNTING

    @property
    def workflow_id(self) -> str:
        return impact_id(self.hospital, self.report)


def impact_id(hospital: str, report: UUID) -> str:
    """The id of the one process of a report."""
    return str(WorkflowId(hospital=hospital, process=PROCESS, subject=Reference.to("RuleReport", str(report))))


class Counted(BaseModel, frozen=True):
    """How a report stands after a stretch of counting, and what its process returns at the end."""

    state: ReportState
    cases: int
