"""Human tasks: what waits for a person, and who may take it."""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime, BaseModel

from domain.ids import Reference
from domain.roles import Role


class TaskKind(StrEnum):
    """What a person is asked to do; each kind has its form and its sentence on the screens."""

    ASSIGN_BED = "assign-bed"
    COMMAND_REFUSED = "command-refused"  # what its author asked for was kept, and could not be done later


class TaskStatus(StrEnum):
    """FHIR R4 TaskStatus, the codes that a worklist uses (hl7.org/fhir/R4/valueset-task-status.html)."""

    REQUESTED = "requested"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"

    @property
    def open(self) -> bool:
        return self in {TaskStatus.REQUESTED, TaskStatus.IN_PROGRESS}


class Priority(StrEnum):
    """FHIR R4 RequestPriority (hl7.org/fhir/R4/valueset-request-priority.html), in rising urgency."""

    ROUTINE = "routine"
    URGENT = "urgent"
    ASAP = "asap"
    STAT = "stat"

    @property
    def rank(self) -> int:
        """0 for routine to 3 for stat: lists sort by it, most urgent first."""
        return list(Priority).index(self)


class TaskSpec(BaseModel, frozen=True):
    """A task that a process opens.

    ref: the FHIR Task.  focus: what it is about.  patient: for whom.  ward: where, and whose list shows it.
    candidates: roles, any of which may claim it; none for a task that has its owner from the start.
    due_at: hospital time.
    """

    ref: Reference
    kind: TaskKind
    focus: Reference
    patient: Reference
    ward: Reference
    candidates: tuple[Role, ...]
    priority: Priority
    due_at: AwareDatetime
