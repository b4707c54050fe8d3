"""The ways an admission may take, each recorded once as `histories/<name>.json`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

from temporalio.client import WorkflowUpdateFailedError

from domain.admission import AdmissionState
from domain.duty import DutyPosition
from domain.roles import Role
from domain.worklist import Priority
from tests.workflows.desk import Desk, Stay


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


SCENARIOS: dict[str, Callable[[Desk], Awaitable[Stay]]] = {
    scenario.__name__.replace("_", "-"): scenario
    for scenario in (
        admission_assigned,
        admission_escalated_then_assigned,
        admission_duty_called_then_assigned,
        admission_cancelled,
        admission_refused_twice_then_assigned,
        admission_resumed_and_waiting,
    )
}
