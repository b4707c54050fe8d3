"""The ways a process may take, each recorded once as `histories/<name>.json`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError

from domain.admission import AdmissionState
from domain.duty import DutyPosition
from domain.roles import Role
from domain.rule_impact import ImpactState
from domain.worklist import Priority
from store.rules import reports
from tests.rule_past import BEGAN, asked, fill
from tests.workflows.desk import Desk, Stay
from workflows.rule_impact import RuleImpact

AnyProcess = WorkflowHandle[Any, Any]


async def admission_assigned(desk: Desk) -> Stay:
    stay = await desk.admission(Priority.STAT)
    await desk.assign(stay, await desk.bed())
    await stay.result()
    return stay


async def admission_escalated_then_assigned(desk: Desk) -> Stay:
    stay = await desk.admission()
    await desk.minutes(stay, 31)
    await desk.until(stay, lambda state: state.bed_task is not None and state.bed_task.looks > 0)
    await desk.assign(stay, await desk.bed())
    await stay.result()
    return stay


async def admission_duty_called_then_assigned(desk: Desk) -> Stay:
    """Two rungs: the ward supervisor is silent, the director is called."""
    await desk.on_duty(DutyPosition.WARD_SUPERVISOR, "supervisor@x", Role.CHARGE_NURSE)
    await desk.on_duty(DutyPosition.DUTY_DIRECTOR, "director@x", Role.PHYSICIAN)
    stay = await desk.admission()
    await desk.minutes(stay, 61)
    await desk.until(stay, lambda state: state.bed_task is not None and state.bed_task.looks > 1)
    await desk.assign(stay, await desk.bed())
    await stay.result()
    return stay


async def admission_cancelled(desk: Desk) -> Stay:
    stay = await desk.admission()
    await desk.cancel(stay)
    await stay.result()
    return stay


async def admission_refused_twice_then_assigned(desk: Desk) -> Stay:
    bed = await desk.bed()
    await desk.assign(await desk.admission(), bed)
    stay = await desk.admission()
    task = await desk.claim(stay)
    for _ in range(2):
        with suppress(WorkflowUpdateFailedError):
            await desk.assign(stay, bed, task=task)
    await desk.assign(stay, await desk.bed(), task=task)
    await stay.result()
    return stay


async def admission_resumed_and_waiting(desk: Desk) -> Stay:
    first = await desk.admission()
    await first.terminate("lost, for a recording")
    stay = await desk.start(AdmissionState.model_validate((await desk.row(first)).snapshot.state))
    await desk.state(stay)
    return stay


async def impact_counted(desk: Desk) -> AnyProcess:
    await fill(desk.database, desk.hospital, 4)
    counting = await _counting(desk)
    await counting.result()
    return counting


async def impact_stopped_while_it_was_counted(desk: Desk) -> AnyProcess:
    state = await asked(desk.database, desk.hospital)
    async with desk.database.transaction(desk.hospital) as tx:
        await reports.cancel(tx, state.report, by="analyst", reason="the wrong draft", now=BEGAN)
    counting = await _counting(desk, state)
    await counting.result()
    return counting


async def _counting(desk: Desk, state: ImpactState | None = None) -> AnyProcess:
    state = state or await asked(desk.database, desk.hospital)
    return await desk.client.start_workflow(RuleImpact.run, state, id=state.workflow_id, task_queue=desk.task_queue)


SCENARIOS: dict[str, Callable[[Desk], Awaitable[AnyProcess]]] = {
    scenario.__name__.replace("_", "-"): scenario
    for scenario in (
        admission_assigned,
        admission_escalated_then_assigned,
        admission_duty_called_then_assigned,
        admission_cancelled,
        admission_refused_twice_then_assigned,
        admission_resumed_and_waiting,
        impact_counted,
        impact_stopped_while_it_was_counted,
    )
}
