"""An admission from request to bed, against the real store and the real engine."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from domain.admission import AdmissionOutcome, AdmissionPhase, AdmissionState, BedAssigned, CancelReason
from domain.ids import made_id
from domain.journal import JournalKey
from domain.roles import Role
from domain.worklist import Priority, TaskStatus
from store import audit, processes
from tests.workflows.desk import BED_MANAGER, PHYSICIAN, Desk, code_of


async def test_a_bed_is_assigned_and_the_patient_lies_in_it(desk: Desk) -> None:
    bed = await desk.bed()
    stay = await desk.admission()
    task = await desk.task(stay)
    # It counts from the request; the decision and the opening take a moment of it.
    assert task.status is TaskStatus.REQUESTED
    assert timedelta(minutes=29, seconds=50) < task.due_at - task.opened_at <= timedelta(minutes=30)
    assigned = await desk.assign(stay, bed)
    assert assigned.bed == bed
    assert await stay.result() == AdmissionOutcome(phase=AdmissionPhase.ADMITTED, bed=bed)

    row = await desk.row(stay)
    state = await desk.state(stay)
    assert (row.snapshot.revision, row.snapshot.closed, row.snapshot.deadline) == (3, True, None)
    assert row.snapshot.state == state.model_dump(mode="json")
    assert await stay.query("revision") == 3
    encounter = await desk.body(state.encounter)
    assert encounter["status"] == "in-progress"
    assert (await desk.body(state.request))["status"] == "completed"
    assert (await desk.body(task.ref))["status"] == "completed"
    assert (await desk.lying()) == {bed: state.encounter}


async def test_the_journal_and_the_audit_tell_who_did_what_once(desk: Desk) -> None:
    bed = await desk.bed()
    stay = await desk.admission()
    await desk.assign(stay, bed)
    await stay.result()
    state = await desk.state(stay)
    told = [(line.key, line.actor, line.params) for line in await desk.story(state)]
    assert state.bed_task is not None
    decided = {"version": "1.3.0", "trace": made_id(state.workflow_id, "assign-bed/1/due", "decision")}
    assert told == [
        (JournalKey.DUE_TIME_DECIDED, None, {"minutes": "30", "rule": "bed-assignment-due"} | decided),
        (JournalKey.BED_TASK_OPENED, None, {"role": "bed-manager", "due": state.bed_task.due_at.isoformat()}),
        (JournalKey.BED_ASSIGNED, BED_MANAGER, {"bed": bed}),
        (JournalKey.ADMITTED, None, {"bed": bed}),
    ]
    async with desk.database.transaction(desk.hospital) as tx:
        accesses = [(line.detail, line.actor) for line in reversed(await audit.read(tx))]
    assert accesses == [
        ("assign-bed/1/open", "system"),
        ("assign-bed/1/complete", BED_MANAGER),
        ("admit", "system"),
    ]


@pytest.mark.parametrize(("priority", "minutes"), [(Priority.ROUTINE, 29), (Priority.STAT, 14)])
async def test_nobody_is_reminded_before_the_time_is_over(desk: Desk, priority: Priority, minutes: int) -> None:
    stay = await desk.admission(priority)
    await desk.minutes(stay, minutes)
    assert await desk.timers_fired(stay) == 0
    assert await desk.tasks_of(Role.WARD_MANAGER) == []


@pytest.mark.parametrize(("priority", "minutes"), [(Priority.ROUTINE, 31), (Priority.STAT, 16)])
async def test_a_task_that_waits_too_long_with_nobody_on_duty_reaches_the_ward_managers_list(
    desk: Desk, priority: Priority, minutes: int
) -> None:
    stay = await desk.admission(priority)
    await desk.minutes(stay, minutes)
    state = await desk.until(stay, escalated)
    assert state.bed_task is not None
    assert await desk.tasks_of(Role.WARD_MANAGER) == [state.bed_task.ref]
    last = (await desk.story(state))[-1]
    assert (last.key, last.params) == (
        JournalKey.DUTY_VACANT,
        {"position": "duty-director", "role": "ward-manager", "due": state.bed_task.due_at.isoformat()},
    )
    assert last.occurred_at >= state.bed_task.due_at


async def test_an_escalated_task_can_still_be_done(desk: Desk) -> None:
    bed = await desk.bed()
    stay = await desk.admission()
    await desk.minutes(stay, 31)
    await desk.until(stay, escalated)
    await desk.assign(stay, bed)
    assert (await stay.result()).bed == bed
    assert (await desk.row(stay)).snapshot.revision == 4


async def test_a_task_that_was_taken_and_not_begun_still_climbs(desk: Desk) -> None:
    stay = await desk.admission()
    await desk.claim(stay)
    await desk.minutes(stay, 31)
    state = await desk.until(stay, escalated)
    assert JournalKey.DUTY_VACANT in [line.key for line in await desk.story(state)]


async def test_the_reminder_stands_down_when_somebody_has_begun_the_task(desk: Desk) -> None:
    stay = await desk.admission()
    await desk.claim(stay, start=True)
    await desk.minutes(stay, 31)
    state = await desk.until(stay, escalated)
    assert await desk.tasks_of(Role.WARD_MANAGER) == []
    assert JournalKey.DUTY_VACANT not in [line.key for line in await desk.story(state)]


async def test_a_task_that_was_taken_and_given_back_is_looked_at_again(desk: Desk) -> None:
    """Begun within 31 minutes, back on the list after that: the look at 60 minutes finds nobody and asks the next."""
    stay = await desk.admission()
    await desk.claim(stay, start=True)
    await desk.minutes(stay, 31)
    await desk.until(stay, escalated)
    await desk.release(stay)
    await desk.minutes(stay, 30)
    state = await desk.until(stay, lambda state: state.bed_task is not None and state.bed_task.looks > 1)
    assert state.bed_task is not None
    assert await desk.tasks_of(Role.WARD_MANAGER) == [state.bed_task.ref]


async def test_who_was_asked_once_is_not_told_again_at_the_next_look(desk: Desk) -> None:
    stay = await desk.admission()
    await desk.minutes(stay, 61)
    state = await desk.until(stay, lambda state: state.bed_task is not None and state.bed_task.looks > 1)
    keys = [line.key for line in await desk.story(state)]
    assert keys.count(JournalKey.DUTY_VACANT) == 1


async def test_the_row_names_the_next_instant_at_which_the_process_acts(desk: Desk) -> None:
    stay = await desk.admission()
    task = await desk.task(stay)
    assert (await desk.row(stay)).snapshot.deadline == task.due_at
    await desk.minutes(stay, 31)
    await desk.until(stay, escalated)
    assert (await desk.row(stay)).snapshot.deadline == task.due_at + timedelta(minutes=30)


async def test_a_request_is_withdrawn_while_it_waits(desk: Desk) -> None:
    stay = await desk.admission()
    task = await desk.task(stay)
    answer = await desk.cancel(stay, CancelReason.NO_LONGER_NEEDED)
    assert answer.reason is CancelReason.NO_LONGER_NEEDED
    assert await stay.result() == AdmissionOutcome(phase=AdmissionPhase.CANCELLED)
    state = await desk.state(stay)
    assert (await desk.body(state.encounter))["status"] == "cancelled"
    assert (await desk.body(state.request))["status"] == "revoked"
    assert (await desk.body(task.ref))["status"] == "cancelled"
    assert (await desk.task(stay)).status is TaskStatus.CANCELLED
    last = (await desk.story(state))[-1]
    assert (last.key, last.actor, last.params) == (
        JournalKey.ADMISSION_CANCELLED,
        PHYSICIAN,
        {"reason": "no-longer-needed"},
    )
    assert (await desk.row(stay)).snapshot.closed


async def test_a_bed_comes_too_late_after_the_request_was_withdrawn(desk: Desk) -> None:
    bed = await desk.bed()
    stay = await desk.admission()
    task = await desk.claim(stay)
    await desk.cancel(stay)
    await stay.result()
    with pytest.raises(RPCError) as refused:
        await desk.assign(stay, bed, task=task)
    assert refused.value.status is RPCStatusCode.NOT_FOUND
    assert await desk.lying() == {}


async def test_a_bed_and_a_withdrawal_at_the_same_moment_leave_one_clear_end(desk: Desk) -> None:
    bed = await desk.bed()
    stay = await desk.admission()
    task = await desk.claim(stay)
    await asyncio.gather(desk.assign(stay, bed, task=task), desk.cancel(stay), return_exceptions=True)
    outcome = await stay.result()
    state = await desk.state(stay)
    admitted = outcome.phase is AdmissionPhase.ADMITTED
    assert (await desk.body(state.encounter))["status"] == ("in-progress" if admitted else "cancelled")
    assert await desk.lying() == ({bed: state.encounter} if admitted else {})
    assert await stay.query("revision") == (await desk.row(stay)).snapshot.revision


async def test_a_second_answer_hears_that_the_task_is_done(desk: Desk) -> None:
    first_bed, second_bed = await desk.bed(), await desk.bed()
    stay = await desk.admission()
    task = await desk.claim(stay)
    answers = await asyncio.gather(
        desk.assign(stay, first_bed, task=task), desk.assign(stay, second_bed, task=task), return_exceptions=True
    )
    done = [answer for answer in answers if isinstance(answer, BedAssigned)]
    [late] = [answer for answer in answers if not isinstance(answer, BedAssigned)]
    assert [answer.bed for answer in done] == [(await stay.result()).bed]
    if isinstance(late, WorkflowUpdateFailedError):
        assert code_of(late) == "already-done"
    else:  # the process had ended before the engine took it
        assert isinstance(late, RPCError)
        assert late.status is RPCStatusCode.NOT_FOUND
    assert len(await desk.lying()) == 1


async def test_a_taken_bed_leaves_the_task_open_and_the_revision_unused(desk: Desk) -> None:
    bed, other_bed = await desk.bed(), await desk.bed()
    first = await desk.admission()
    await desk.assign(first, bed)
    second = await desk.admission()
    task = await desk.claim(second)
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.assign(second, bed, task=task)
    assert code_of(refused.value) == "bed-taken"
    assert (await desk.state(second)).phase is AdmissionPhase.AWAITING_BED
    assert (await desk.task(second)).status is TaskStatus.RECEIVED
    assert await second.query("revision") == (await desk.row(second)).snapshot.revision == 1
    await desk.assign(second, other_bed, task=task)
    assert (await second.result()).bed == other_bed
    assert (await desk.row(second)).snapshot.revision == 3


@pytest.mark.parametrize("wrong", ["nobody has claimed it", "somebody else has", "it changed since"])
async def test_an_answer_to_a_task_in_another_state_is_refused_with_the_reason(desk: Desk, wrong: str) -> None:
    bed = await desk.bed()
    stay = await desk.admission()
    task = await desk.task(stay) if wrong == "nobody has claimed it" else await desk.claim(stay)
    by = "another" if wrong == "somebody else has" else BED_MANAGER
    if wrong == "it changed since":
        task = task.model_copy(update={"revision": task.revision - 1})
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.assign(stay, bed, task=task, by=by)
    assert code_of(refused.value) == ("stale-revision" if wrong == "it changed since" else "not-owner")
    assert await desk.lying() == {}


async def test_a_task_of_another_admission_and_a_place_that_is_no_bed_are_refused(desk: Desk) -> None:
    mine, theirs = await desk.admission(), await desk.admission()
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.assign(mine, await desk.bed(), task=await desk.claim(theirs))
    assert code_of(refused.value) == "not-found"
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await desk.assign(mine, (await desk.state(mine)).ward)
    assert code_of(refused.value) == "invalid"


async def test_the_same_command_twice_happens_once_and_gets_the_first_answer(desk: Desk) -> None:
    bed = await desk.bed()
    stay = await desk.admission()
    task, command = await desk.claim(stay), uuid4()
    first = await desk.assign(stay, bed, task=task, command=command)
    again = await desk.assign(stay, bed, task=task, command=command)
    assert again == first
    assert [line.key for line in await desk.story(await desk.state(stay))].count(JournalKey.BED_ASSIGNED) == 1
    async with desk.database.transaction(desk.hospital) as tx:
        assert await processes.first_effect_of(tx, command) == first.model_dump(mode="json")


def escalated(state: AdmissionState) -> bool:
    return state.bed_task is not None and state.bed_task.looks > 0
