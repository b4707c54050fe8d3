"""Effects of an admission as the workflow sees them. Each is one transaction and runs as `effects.EFFECT`."""

from abc import ABC, abstractmethod

from pydantic import AwareDatetime, BaseModel
from temporalio import activity

from activities.signatures.duty import Rung
from domain.admission import BedAssigned, Cancelled, CancelReason
from domain.decisions import Decision
from domain.ids import Reference
from domain.process import Step
from domain.roles import Role
from domain.worklist import TaskSpec


class OpenBedTask(BaseModel, frozen=True):
    """`decision` says how the due time came about, for the journal."""

    step: Step
    task: TaskSpec
    decision: Decision


class EscalateBedTask(BaseModel, frozen=True):
    step: Step
    task: Reference
    to: Role
    due_at: AwareDatetime


class CallDuty(BaseModel, frozen=True):
    """An overdue task is brought to whoever is on duty: `rung` says to whom."""

    step: Step
    task: Reference
    rung: Rung
    due_at: AwareDatetime


class AssignBedEffect(BaseModel, frozen=True):
    """`step.command` is set: a person assigned the bed. `revision` is the task's as that person saw it."""

    step: Step
    encounter: Reference
    patient: Reference
    task: Reference
    revision: int
    bed: Reference


class AdmitPatient(BaseModel, frozen=True):
    step: Step
    encounter: Reference
    request: Reference
    patient: Reference
    bed: Reference


class CancelRequest(BaseModel, frozen=True):
    step: Step
    encounter: Reference
    request: Reference
    patient: Reference
    task: Reference | None
    reason: CancelReason


class AdmissionActivities(ABC):
    """Each is idempotent on (hospital, workflow id, step) and returns its first answer again."""

    @activity.defn
    @abstractmethod
    async def open_bed_task(self, effect: OpenBedTask) -> None:
        """The FHIR Task `requested`, its worklist row, journal, process row."""

    @activity.defn
    @abstractmethod
    async def escalate_bed_task(self, effect: EscalateBedTask) -> bool:
        """Add a candidate role to an overdue task. False: it was begun, has ended or has climbed already."""

    @activity.defn
    @abstractmethod
    async def call_duty(self, effect: CallDuty) -> bool:
        """Let the people of a rung take an overdue task, and send them a message. False: it stands down."""

    @activity.defn
    @abstractmethod
    async def assign_bed(self, effect: AssignBedEffect) -> BedAssigned:
        """Complete the task and occupy the bed.

        Refuses with `stale-revision`, `not-owner`, `already-done`, `bed-taken`, `not-found`, `invalid`.
        """

    @activity.defn
    @abstractmethod
    async def admit(self, effect: AdmitPatient) -> None:
        """Encounter `in-progress` in its bed, the request completed; closes the process."""

    @activity.defn
    @abstractmethod
    async def cancel_request(self, effect: CancelRequest) -> Cancelled:
        """Task and Encounter `cancelled`, the request revoked, an assigned bed given back; closes the process."""
