"""What every process does the same way: effects one at a time, a revision, the hospital's clock, an orderly end."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Generic, Protocol, Self, TypeVar

from temporalio import workflow
from temporalio.common import SearchAttributeKey
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.signatures.decisions import DecisionActivities
    from activities.signatures.effects import EFFECT
    from domain.clock import HospitalClock
    from domain.commands import CommandRef
    from domain.decisions import Decision, DecisionPoint, DecisionRequest
    from domain.errors import Unavailable
    from domain.ids import Reference, StepName, WorkflowId
    from domain.process import ProcessSnapshot, Step
    from workflows.refusals import as_failure

# Coded and readable: what operators may list processes by. Registered by `runtime.temporal`.
HOSPITAL = SearchAttributeKey.for_keyword("PhisHospital")
PROCESS = SearchAttributeKey.for_keyword("PhisProcess")
SUBJECT = SearchAttributeKey.for_keyword("PhisSubject")
PHASE = SearchAttributeKey.for_keyword("PhisPhase")

# Temporal takes 2,000 updates a run (engine room, 4).
_UPDATES_A_RUN = 1_000


class ProcessState(Protocol):
    """What the state model of every process has beside its own fields."""

    @property
    def workflow_id(self) -> str: ...
    @property
    def clock(self) -> HospitalClock: ...
    @property
    def revision(self) -> int: ...
    @property
    def phase(self) -> str: ...
    def model_copy(self, *, update: Mapping[str, Any] | None = None) -> Self: ...
    def model_dump(self, *, mode: str = ...) -> dict[str, Any]: ...
    @classmethod
    def model_validate(cls, obj: Any) -> Self: ...


State = TypeVar("State", bound=ProcessState)
Given = TypeVar("Given")
Answer = TypeVar("Answer")


def refused(error: ActivityError) -> ApplicationError:
    """What the sender of an Update hears when its effect was refused: the refusal itself, not the engine's wrapping."""
    cause = error.cause
    if isinstance(cause, ApplicationError):
        return ApplicationError(
            cause.message, *cause.details, type=cause.type, non_retryable=True, category=cause.category
        )
    return as_failure(Unavailable("the effect did not run to its end", part="engine"))


class Process(Generic[State]):
    """A process that can go on from its row at any phase.

    `_turn` is held around every effect and the look at the state that leads to it. A person's command and a timer then
    never prepare the same revision, and each sees what the other left.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._turn = asyncio.Lock()
        self._closed = False
        self._updates = 0

    @workflow.query
    def revision(self) -> int:
        """Effects so far. `phis reconcile` compares it with the process row."""
        return self._state.revision

    @abstractmethod
    def _deadline(self, state: State) -> datetime | None:
        """The next instant, in hospital time, at which the process acts if nobody does."""

    def _now(self) -> datetime:
        return self._state.clock.at(workflow.now())

    @property
    def _full(self) -> bool:
        """Whether this run's history should be followed by a new one."""
        return self._updates >= _UPDATES_A_RUN or workflow.info().is_continue_as_new_suggested()

    def _list(self) -> None:
        """Be found by operators under hospital, process and subject from the first task on."""
        named = WorkflowId.parse(self._state.workflow_id)
        workflow.upsert_search_attributes(
            [
                HOSPITAL.value_set(named.hospital),
                PROCESS.value_set(named.process),
                SUBJECT.value_set(named.subject),
                PHASE.value_set(self._state.phase),
            ]
        )

    async def _decide(
        self, step: str, point: DecisionPoint, subject: Reference, facts: dict[str, Any], department: str = ""
    ) -> Decision:
        """Ask a rule. department: id of the place within the hospital whose own rules may apply."""
        request = DecisionRequest(
            workflow_id=self._state.workflow_id,
            step=StepName(step),
            point=point,
            subject=subject,
            facts=facts,
            at=self._now(),
            department=department,
        )
        return await workflow.execute_local_activity_method(DecisionActivities.decide, request, **EFFECT)

    async def _effect(
        self,
        name: str,
        after: State,
        effect: Callable[[Any, Given], Awaitable[Answer]],
        given: Callable[[Step], Given],
        *,
        command: CommandRef | None = None,
        closes: bool = False,
    ) -> Answer:
        """Run one effect and become `after`; only within `_turn`.

        The snapshot in its step is the process as the effect leaves it, so a process that dies between the commit and
        the answer resumes behind the effect. A refused effect changes nothing and its revision is given again.
        """
        after = after.model_copy(update={"revision": self._state.revision + 1})
        step = self._step(name, after, command, closes=closes)
        answer = await workflow.execute_local_activity_method(effect, given(step), **EFFECT)
        moved = after.phase != self._state.phase
        self._state = after
        if moved:
            workflow.upsert_search_attributes([PHASE.value_set(after.phase)])
        return answer

    async def _first_answer(
        self,
        name: str,
        effect: Callable[[Any, Given], Awaitable[Answer]],
        given: Callable[[Step], Given],
        *,
        command: CommandRef,
    ) -> Answer:
        """What was answered when this step happened. Refuses another command, saying who was first, and when."""
        step = self._step(name, self._state, command, closes=self._closed)
        return await workflow.execute_local_activity_method(effect, given(step), **EFFECT)

    def _step(self, name: str, after: State, command: CommandRef | None, *, closes: bool) -> Step:
        snapshot = ProcessSnapshot(
            workflow_id=after.workflow_id,
            revision=after.revision,
            state=after.model_dump(mode="json"),
            deadline=None if closes else self._deadline(after),
            closed=closes,
        )
        return Step(name=StepName(name), at=self._now(), process=snapshot, command=command)

    @contextmanager
    def _closing(self) -> Iterator[None]:
        """Around the effect that ends the process: from here on validators refuse; open again if it was refused."""
        self._closed = True
        try:
            yield
        except ActivityError:
            self._closed = False
            raise

    async def _settle(self) -> None:
        """Wait until every command that was taken has had its answer."""
        await workflow.wait_condition(workflow.all_handlers_finished)
