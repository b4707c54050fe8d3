"""Duty as workflows see it: whom a position comes to, and the next rung of a ladder. Runs as `effects.EFFECT`."""

from abc import ABC, abstractmethod
from datetime import timedelta

from pydantic import AwareDatetime, BaseModel
from temporalio import activity

from domain.duty import DutyPosition
from domain.ids import Reference, StepName
from domain.roles import Role


class Reach(BaseModel, frozen=True):
    """Whom `position` comes to at a place and a moment. but: accounts that do not count, called already."""

    workflow_id: str
    position: DutyPosition
    place: Reference | None
    moment: AwareDatetime
    but: tuple[str, ...] = ()


class OnCall(BaseModel, frozen=True):
    """instead_of: whose duty it is by the roster, where somebody stands in."""

    account: str
    until: AwareDatetime
    instead_of: str | None = None


class Reached(BaseModel, frozen=True):
    """position: the one that answers, above the asked one where that is vacant; None where nobody is."""

    position: DutyPosition | None
    people: tuple[OnCall, ...]
    vacant: tuple[DutyPosition, ...]


class NextRung(BaseModel, frozen=True):
    """A ladder looks at its task once more.

    ladder: its lowest position.  last, last_step: the rung that was called before, and the step that called it.
    patience: how long an acknowledgement holds the ladder.
    """

    workflow_id: str
    task: Reference
    ladder: DutyPosition
    last: DutyPosition | None
    last_step: StepName | None
    place: Reference | None
    patience: timedelta
    moment: AwareDatetime


class Rung(BaseModel, frozen=True):
    """What the look came to.

    climbs: False while somebody has the task, or has just acknowledged, and at the top.  position: the rung that is
    called.  people: accounts on it.  role: whose worklist shows the task where nobody is on duty all the way up.
    """

    climbs: bool
    position: DutyPosition | None = None
    people: tuple[str, ...] = ()
    role: Role | None = None


class DutyActivities(ABC):
    """Each reads what is entered at that moment; a vacant position raises a set-up alarm."""

    @activity.defn(name="duty_reach")
    @abstractmethod
    async def reach(self, request: Reach) -> Reached:
        """Whom a position comes to: by roster, substitution, place, and upwards where it is vacant."""

    @activity.defn(name="duty_next_rung")
    @abstractmethod
    async def next_rung(self, request: NextRung) -> Rung:
        """Whether a ladder climbs, and to whom. Nobody who was called for this process is called twice."""
