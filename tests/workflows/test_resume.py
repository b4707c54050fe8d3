"""An admission survives its workers, its engine and its own history: it goes on from its row."""

from __future__ import annotations

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

import runtime.worker
from domain.admission import AdmissionPhase, AdmissionState
from domain.journal import JournalKey
from domain.roles import Role
from tests.workflows import effects
from tests.workflows.desk import BED_MANAGER, Desk, Stay
from workflows import process
from workflows.admission import Admission


async def lose(desk: Desk, stay: Stay) -> Stay:
    """The engine loses the workflow; it is started again from its row, as `phis reconcile` does."""
    await stay.terminate("lost, for a test")
    return await desk.start(AdmissionState.model_validate((await desk.row(stay)).snapshot.state))


async def test_another_worker_goes_on_where_one_has_stopped(closed_desk: Desk) -> None:
    desk = closed_desk
    bed = await desk.bed()
    async with desk.working():
        stay = await desk.admission()
    async with desk.working():
        await desk.assign(stay, bed)
        assert (await stay.result()).bed == bed


async def test_a_lost_request_asks_for_its_bed(closed_desk: Desk) -> None:
    desk = closed_desk
    lost = await desk.start(await desk.requested())  # nobody works yet, so nothing has happened
    stay = await lose(desk, lost)
    async with desk.working():
        state = await desk.until(stay, lambda state: state.bed_task is not None)
        assert state.revision == 1


async def test_a_lost_process_waits_on_with_the_task_and_the_due_time_it_had(desk: Desk) -> None:
    bed = await desk.bed()
    first = await desk.admission()
    task = await desk.task(first)
    stay = await lose(desk, first)
    assert await stay.query("revision") == (await desk.row(stay)).snapshot.revision == 1
    assert (await desk.state(stay)).bed_task == (await desk.state(first)).bed_task
    await desk.minutes(stay, 31)
    await desk.until(stay, lambda state: state.bed_task is not None and state.bed_task.looks > 0)
    assert await desk.tasks_of(Role.WARD_MANAGER) == [task.ref]
    await desk.assign(stay, bed)
    assert (await stay.result()).bed == bed


async def test_a_lost_process_does_not_remind_a_second_time(desk: Desk) -> None:
    first = await desk.admission()
    await desk.minutes(first, 31)
    await desk.until(first, lambda state: state.bed_task is not None and state.bed_task.looks > 0)
    stay = await lose(desk, first)
    await desk.minutes(stay, 60)
    await desk.until(stay, lambda state: state.bed_task is not None and state.bed_task.looks > 1)
    keys = [line.key for line in await desk.story(await desk.state(stay))]
    assert keys.count(JournalKey.DUTY_VACANT) == 1


async def test_a_process_lost_between_bed_and_admission_admits(desk: Desk) -> None:
    bed = await desk.bed()
    first = await desk.admission()
    done = await effects.bed_assigned(desk, first, bed)
    stay = await lose(desk, first)
    assert (await stay.result()).bed == bed
    keys = [line.key for line in await desk.story(await desk.state(stay))]
    assert (keys.count(JournalKey.BED_ASSIGNED), keys.count(JournalKey.ADMITTED)) == (1, 1)
    assert (await desk.row(stay)).snapshot.revision == 3
    assert done.step.process.revision == 2


@pytest.mark.parametrize("phase", [AdmissionPhase.ADMITTED, AdmissionPhase.CANCELLED])
async def test_an_ended_process_that_is_started_again_does_nothing(desk: Desk, phase: AdmissionPhase) -> None:
    state = await desk.requested()
    stay = await desk.start(state.model_copy(update={"phase": phase, "revision": 3}))
    assert (await stay.result()).phase is phase
    assert await desk.story(state) == []
    assert (await desk.row(stay)).snapshot.revision == 0


async def test_a_bed_whose_answer_was_lost_is_not_assigned_twice(desk: Desk) -> None:
    """The worker died after the commit and before the engine heard: the same command comes again."""
    bed = await desk.bed()
    stay = await desk.admission()
    done = await effects.bed_assigned(desk, stay, bed)
    assert done.step.command is not None
    task = await desk.task(stay)
    answer = await desk.assign(stay, bed, task=task, command=done.step.command.id)
    assert (answer.bed, answer.at) == (bed, done.step.at)
    await stay.result()
    keys = [line.key for line in await desk.story(await desk.state(stay))]
    assert keys.count(JournalKey.BED_ASSIGNED) == 1


async def test_another_command_hears_who_was_first_and_when(desk: Desk) -> None:
    bed, other_bed = await desk.bed(), await desk.bed()
    stay = await desk.admission()
    done = await effects.bed_assigned(desk, stay, bed)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.assign(stay, other_bed, task=await desk.task(stay))
    assert isinstance(refused.value.cause, ApplicationError)
    assert refused.value.cause.type == "already-done"
    assert refused.value.cause.details[0] == {"by": BED_MANAGER, "at": done.step.at.isoformat()}


async def test_a_full_history_is_followed_by_a_new_one(closed_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = closed_desk
    restrictions = SandboxRestrictions.default.with_passthrough_modules("domain", "activities", "workflows")
    monkeypatch.setattr(process, "_UPDATES_A_RUN", 3)
    monkeypatch.setattr(runtime.worker, "sandbox", lambda: SandboxedWorkflowRunner(restrictions=restrictions))
    async with desk.working():
        bed = await desk.bed()
        stay = await desk.admission()
        unclaimed = await desk.task(stay)
        for _ in range(3):
            with pytest.raises(WorkflowUpdateFailedError):
                await desk.assign(stay, bed, task=unclaimed)
        newest = desk.client.get_workflow_handle_for(Admission.run, stay.id)
        assert (await newest.describe()).run_id != stay.result_run_id
        assert await newest.query("revision") == 1
        await desk.assign(newest, bed)
        assert (await newest.result()).bed == bed
