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
    """FHIR R4 TaskStatus, the codes that a worklist uses (hl7.org/fhir/R4/valueset-task-status.html).

    Beside each the state of WS-HumanTask 1.1 (OASIS, section 4.7) that it stands for.
    """

    REQUESTED = "requested"  # Ready: any candidate may take it
    RECEIVED = "received"  # Reserved: somebody has it and has not begun
    IN_PROGRESS = "in-progress"  # InProgress
    COMPLETED = "completed"  # Completed
    CANCELLED = "cancelled"  # Exited

    @property
    def open(self) -> bool:
        return self in {TaskStatus.REQUESTED, TaskStatus.RECEIVED, TaskStatus.IN_PROGRESS}


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
    place: only those who work there may claim it (and those of whom no place is known); None for the whole house.
    not_by: accounts that may not do it, because a second pair of eyes is asked for.
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
    place: Reference | None = None
    not_by: tuple[str, ...] = ()


class ReassignReason(StrEnum):
    """Why a task was taken from one and given to another; coded, because it stands in the journal."""

    ABSENT = "absent"
    OVERLOADED = "overloaded"
    SHIFT_END = "shift-end"
    WRONG_PERSON = "wrong-person"
    OTHER = "other"


class Owned(StrEnum):
    """Whose tasks a list shows."""

    ANYBODY = "anybody"
    ME = "me"
    NOBODY = "nobody"


class TaskFilter(BaseModel, frozen=True, extra="forbid"):
    """What a list is narrowed to; an empty one shows everything that waits and is not snoozed.

    late: only what is past its due time.  snoozed: only what the person has put off, instead of the rest.
    """

    kinds: tuple[TaskKind, ...] = ()
    wards: tuple[Reference, ...] = ()
    priorities: tuple[Priority, ...] = ()
    roles: tuple[Role, ...] = ()
    patient: Reference | None = None
    owned: Owned = Owned.ANYBODY
    late: bool = False
    snoozed: bool = False
