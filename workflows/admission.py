"""An admission: from the request until the patient lies in a bed."""

from __future__ import annotations

from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.signatures.admission import (
        AdmissionActivities,
        AdmitPatient,
        AssignBedEffect,
        CallDuty,
        CancelRequest,
        EscalateBedTask,
        OpenBedTask,
    )
    from activities.signatures.duty import DutyActivities, NextRung
    from activities.signatures.effects import EFFECT
    from domain.admission import (
        AdmissionOutcome,
        AdmissionPhase,
        AdmissionState,
        AssignBed,
        BedAssigned,
        BedTask,
        CancelAdmission,
        Cancelled,
    )
    from domain.decisions import DecisionPoint
    from domain.duty import DutyPosition, role_or_position
    from domain.errors import AlreadyDone, NotFound
    from domain.ids import Reference, StepName, made_id
    from domain.process import Step
    from domain.roles import Role
    from domain.worklist import TaskKind, TaskSpec
    from workflows.process import Process, refused
    from workflows.refusals import as_failure

# Steps are named by what they are about, never by a run: see `domain.ids.StepName`.
ASSIGN_BED = "assign-bed/1"
ADMIT = "admit"
CANCEL = "cancel"


@workflow.defn
class Admission(Process[AdmissionState]):
    """Ask the bed manager for a bed, remind when it takes too long, admit the patient.

    Update `assign_bed` answers the task, Update `cancel` withdraws the request until the patient is admitted.
    """

    @workflow.init
    def __init__(self, _state: AdmissionState) -> None:
        super().__init__(_state)

    @workflow.run
    async def run(self, _state: AdmissionState) -> AdmissionOutcome:
        self._list()
        await self._ask_for_a_bed()
        await self._wait_for_a_bed()
        await self._admit()
        await self._settle()
        return self._outcome()

    @workflow.query
    def state(self) -> AdmissionState:
        return self._state

    async def _ask_for_a_bed(self) -> None:
        if not self._at(AdmissionPhase.REQUESTED):
            return
        priority = self._state.priority
        # Before the decision: within one task the engine's time after a local activity differs by milliseconds in a
        # replay, and the row, the task and the workflow must hold one due time.
        asked_at = self._now()
        decision = await self._decide(
            f"{ASSIGN_BED}/due",
            DecisionPoint.BED_ASSIGNMENT_DUE,
            self._state.encounter,
            {"priority": priority.value},
            department=self._state.ward.id,
        )
        async with self._turn:
            if not self._at(AdmissionPhase.REQUESTED):  # cancelled meanwhile
                return
            step = f"{ASSIGN_BED}/open"
            allowed = timedelta(minutes=decision.values["minutes"])
            due_at = asked_at + allowed
            spec = TaskSpec(
                ref=Reference.to("Task", made_id(self._state.workflow_id, step)),
                kind=TaskKind.ASSIGN_BED,
                focus=self._state.request,
                patient=self._state.patient,
                ward=self._state.ward,
                candidates=(Role(decision.values["ask"]),),
                priority=priority,
                due_at=due_at,
            )
            await self._effect(
                step,
                self._state.model_copy(
                    update={
                        "phase": AdmissionPhase.AWAITING_BED,
                        "bed_task": BedTask(
                            ref=spec.ref,
                            due_at=due_at,
                            look_at=due_at,
                            every=allowed,
                            then_ask=role_or_position(decision.values["then_ask"]),
                        ),
                    }
                ),
                AdmissionActivities.open_bed_task,
                lambda step: OpenBedTask(step=step, task=spec, decision=decision),
            )

    async def _wait_for_a_bed(self) -> None:
        while (task := self._state.bed_task) and self._at(AdmissionPhase.AWAITING_BED):
            patience = self._state.clock.wait(task.look_at, self._now())
            try:
                await workflow.wait_condition(
                    lambda: not self._at(AdmissionPhase.AWAITING_BED) or self._full, timeout=patience
                )
            except TimeoutError:
                await self._escalate(task)
                continue
            await self._settle()
            if self._at(AdmissionPhase.AWAITING_BED):
                workflow.continue_as_new(self._state)

    async def _escalate(self, task: BedTask) -> None:
        async with self._turn:
            if not self._at(AdmissionPhase.AWAITING_BED):  # assigned or cancelled while the timer fired
                return
            if isinstance(task.then_ask, DutyPosition):
                await self._climb(task, task.then_ask)
                return
            to = task.then_ask
            looks = task.looks + 1
            again = task.model_copy(update={"looks": looks, "look_at": task.look_at + task.every})
            await self._effect(
                f"{ASSIGN_BED}/escalate/{looks}",
                self._state.model_copy(update={"bed_task": again}),
                AdmissionActivities.escalate_bed_task,
                lambda step: EscalateBedTask(step=step, task=task.ref, to=to, due_at=task.due_at),
            )

    async def _climb(self, task: BedTask, ladder: DutyPosition) -> None:
        """One look of the ladder, within the turn. Whom it calls is decided by the roster of this moment."""
        looks = task.looks + 1
        step = StepName(f"{ASSIGN_BED}/call/{looks}")
        question = NextRung(
            workflow_id=self._state.workflow_id,
            task=task.ref,
            ladder=ladder,
            last=task.rung,
            last_step=task.rung_step,
            place=self._state.ward,
            patience=task.every,
            moment=self._now(),
        )
        rung = await workflow.execute_local_activity_method(DutyActivities.next_rung, question, **EFFECT)
        moved = {"rung": rung.position, "rung_step": step} if rung.climbs else {}
        again = task.model_copy(update={"looks": looks, "look_at": task.look_at + task.every, **moved})
        await self._effect(
            step,
            self._state.model_copy(update={"bed_task": again}),
            AdmissionActivities.call_duty,
            lambda step: CallDuty(step=step, task=task.ref, rung=rung, due_at=task.due_at),
        )

    @workflow.update
    async def assign_bed(self, order: AssignBed) -> BedAssigned:
        self._updates += 1
        async with self._turn:
            state = self._state

            def given(step: Step) -> AssignBedEffect:
                return AssignBedEffect(
                    step=step,
                    encounter=state.encounter,
                    patient=state.patient,
                    task=order.task,
                    revision=order.revision,
                    bed=order.bed,
                )

            done, assign, command = f"{ASSIGN_BED}/complete", AdmissionActivities.assign_bed, order.command
            try:
                if self._at(AdmissionPhase.AWAITING_BED):
                    after = state.model_copy(update={"phase": AdmissionPhase.BED_ASSIGNED, "bed": order.bed})
                    return await self._effect(done, after, assign, given, command=command)
                if state.bed:
                    return await self._first_answer(done, assign, given, command=command)
            except ActivityError as error:
                raise refused(error) from None
            raise as_failure(AlreadyDone("the admission has ended", status=state.phase))

    @assign_bed.validator
    def _may_assign(self, order: AssignBed) -> None:
        task = self._state.bed_task
        if task is None or task.ref != order.task:
            raise as_failure(NotFound("this admission has no such task", task=order.task))
        if self._closed and self._state.bed is None:
            raise as_failure(AlreadyDone("the admission has ended", status=self._state.phase))

    async def _admit(self) -> None:
        async with self._turn:
            state = self._state
            if state.phase is not AdmissionPhase.BED_ASSIGNED or state.bed is None:
                return
            bed = state.bed
            with self._closing():
                await self._effect(
                    ADMIT,
                    state.model_copy(update={"phase": AdmissionPhase.ADMITTED}),
                    AdmissionActivities.admit,
                    lambda step: AdmitPatient(
                        step=step, encounter=state.encounter, request=state.request, patient=state.patient, bed=bed
                    ),
                    closes=True,
                )

    @workflow.update
    async def cancel(self, wish: CancelAdmission) -> Cancelled:
        self._updates += 1
        async with self._turn:
            if self._closed:  # it ended while this command waited for its turn
                raise as_failure(AlreadyDone("the admission has ended", status=self._state.phase))
            state, task = self._state, self._state.bed_task
            try:
                with self._closing():
                    return await self._effect(
                        CANCEL,
                        state.model_copy(update={"phase": AdmissionPhase.CANCELLED}),
                        AdmissionActivities.cancel_request,
                        lambda step: CancelRequest(
                            step=step,
                            encounter=state.encounter,
                            request=state.request,
                            patient=state.patient,
                            task=task.ref if task else None,
                            reason=wish.reason,
                        ),
                        command=wish.command,
                        closes=True,
                    )
            except ActivityError as error:
                raise refused(error) from None

    @cancel.validator
    def _may_cancel(self, wish: CancelAdmission) -> None:
        if self._closed:
            raise as_failure(AlreadyDone("the admission has ended", status=self._state.phase))

    def _at(self, phase: AdmissionPhase) -> bool:
        return self._state.phase is phase

    def _deadline(self, state: AdmissionState) -> datetime | None:
        task = state.bed_task
        return task.look_at if task and state.phase is AdmissionPhase.AWAITING_BED else None

    def _outcome(self) -> AdmissionOutcome:
        if self._state.phase is AdmissionPhase.CANCELLED:
            return AdmissionOutcome(phase=AdmissionPhase.CANCELLED)
        return AdmissionOutcome(phase=AdmissionPhase.ADMITTED, bed=self._state.bed)
