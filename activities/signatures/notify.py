"""Messages to people as workflows see them. Runs as `effects.EFFECT`: they are written, and a server sends them."""

from abc import ABC, abstractmethod

from pydantic import AwareDatetime, BaseModel
from temporalio import activity

from domain.ids import StepName
from domain.notices import NoticeKind
from domain.worklist import Priority


class SendNotice(BaseModel, frozen=True):
    """to: accounts.  params: references, codes and instants; never a name or a number."""

    workflow_id: str
    step: StepName
    to: tuple[str, ...]
    kind: NoticeKind
    params: dict[str, str]
    urgency: Priority
    at: AwareDatetime


class AskNotices(BaseModel, frozen=True):
    workflow_id: str
    step: StepName


class Heard(BaseModel, frozen=True):
    """Accounts by how far their message came. Reached is who acknowledged; a delivery alone is not enough."""

    acknowledged: tuple[str, ...] = ()
    delivered: tuple[str, ...] = ()
    unreached: tuple[str, ...] = ()
    under_way: tuple[str, ...] = ()


class Acknowledge(BaseModel, frozen=True):
    """Somebody told the process in another way that the message of a step arrived, such as by calling back."""

    workflow_id: str
    step: StepName
    account: str
    how: str
    at: AwareDatetime


class NotifyActivities(ABC):
    """Each is idempotent on (hospital, workflow id, step, account)."""

    @activity.defn(name="notify_send")
    @abstractmethod
    async def send(self, request: SendNotice) -> None:
        """One message to each person, kept before it is sent; again sends nothing twice."""

    @activity.defn(name="notify_heard")
    @abstractmethod
    async def heard(self, request: AskNotices) -> Heard:
        """How far the messages of a step came."""

    @activity.defn(name="notify_acknowledge")
    @abstractmethod
    async def acknowledge(self, request: Acknowledge) -> None:
        """Refuses with `not-found` where the step sent this person nothing."""
