"""Values of an admission, from the request until the patient lies in a bed."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, BaseModel

from domain.clock import HospitalClock
from domain.commands import CommandRef
from domain.duty import DutyPosition
from domain.ids import HospitalCode, Reference, StepName, WorkflowId
from domain.roles import Role
from domain.worklist import Priority

PROCESS = "admission"


class AdmissionPhase(StrEnum):
    """Where an admission stands."""

    REQUESTED = "requested"
    AWAITING_BED = "awaiting-bed"
    BED_ASSIGNED = "bed-assigned"
    ADMITTED = "admitted"
    CANCELLED = "cancelled"


class CancelReason(StrEnum):
    """Why an admission request was withdrawn; coded, because it stands in histories."""

    PATIENT_DECLINED = "patient-declined"
    NO_LONGER_NEEDED = "no-longer-needed"
    OTHER_HOSPITAL = "other-hospital"
    ENTERED_IN_ERROR = "entered-in-error"


class BedTask(BaseModel, frozen=True):
    """The open task "assign a bed".

    due_at, look_at: hospital time; the ladder looks at the task when it is due and then again each `every`, because a
    person who has taken a task may give it back or forget it.  then_ask: whom it adds, a duty position from which the
    ladder climbs, or by rules of the first release a role.  looks: how often it has looked.  rung, rung_step: the
    position that was called last, and the step that did.
    """

    ref: Reference
    due_at: AwareDatetime
    look_at: AwareDatetime
    every: timedelta
    then_ask: Role | DutyPosition
    looks: int = 0
    rung: DutyPosition | None = None
    rung_step: StepName | None = None


class AdmissionState(BaseModel, frozen=True):
    """All that an admission needs to go on: its input, its process row, what continue-as-new carries."""

    hospital: HospitalCode
    encounter: Reference
    patient: Reference
    request: Reference
    ward: Reference
    priority: Priority
    clock: HospitalClock
    revision: int = 0
    phase: AdmissionPhase = AdmissionPhase.REQUESTED
    bed_task: BedTask | None = None
    bed: Reference | None = None

    @property
    def workflow_id(self) -> str:
        return admission_id(self.hospital, self.encounter)


def admission_id(hospital: str, encounter: Reference) -> str:
    """The id of the one admission process of an encounter."""
    return str(WorkflowId(hospital=hospital, process=PROCESS, subject=encounter))


class AssignBed(BaseModel, frozen=True):
    """Update `assign_bed`: the bed manager's answer to the task. `revision` is the task's, as the person saw it."""

    command: CommandRef
    task: Reference
    revision: int
    bed: Reference


class CancelAdmission(BaseModel, frozen=True):
    """Update `cancel`."""

    command: CommandRef
    reason: CancelReason


class BedAssigned(BaseModel, frozen=True):
    """The answer to `assign_bed`."""

    bed: Reference
    at: AwareDatetime


class Cancelled(BaseModel, frozen=True):
    """The answer to `cancel`."""

    reason: CancelReason
    at: AwareDatetime


class AdmissionOutcome(BaseModel, frozen=True):
    """What the process returns."""

    phase: Literal[AdmissionPhase.ADMITTED, AdmissionPhase.CANCELLED]
    bed: Reference | None = None
