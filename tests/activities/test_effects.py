"""Effects run at least once and happen once; what they may not do is refused with a code."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from activities.admission import StoreAdmissionActivities
from activities.decisions import StoreDecisionActivities
from activities.effects import Effects
from activities.signatures.admission import AdmitPatient, CancelRequest, EscalateBedTask, OpenBedTask
from domain.admission import AdmissionState, CancelReason
from domain.decisions import Decision, DecisionPoint, DecisionRequest
from domain.errors import AlreadyDone, BedTaken, Invalid, PhisError, Unavailable
from domain.ids import Reference, StepName
from domain.process import ProcessSnapshot, Step
from domain.roles import Role
from domain.worklist import TaskKind, TaskSpec
from rules.bundle import RuleBook
from rules.engine import RuleEngine
from runtime.interceptors import AtTheEdge
from store import audit, decisions, journal, records, worklist
from store.database import Database
from tests.activities.edges import inside
from tests.workflows.desk import Desk, command_of

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


@pytest.fixture
async def desk(hospital: str, database: Database, temporal_client: object, task_queue: str) -> Desk:
    return Desk(hospital, database, temporal_client, task_queue)  # type: ignore[arg-type]


@pytest.fixture
def activities(database: Database) -> StoreAdmissionActivities:
    return StoreAdmissionActivities(Effects(database, lambda: NOW + timedelta(seconds=3)))


def step(state: AdmissionState, name: str, revision: int = 1, **more: object) -> Step:
    after = state.model_copy(update={"revision": revision})
    snapshot = ProcessSnapshot(workflow_id=state.workflow_id, revision=revision, state=after.model_dump(mode="json"))
    return Step(name=StepName(name), at=NOW, process=snapshot, **more)  # type: ignore[arg-type]


def task_of(state: AdmissionState) -> TaskSpec:
    return TaskSpec(
        ref=Reference("Task/t1"),
        kind=TaskKind.ASSIGN_BED,
        focus=state.request,
        patient=state.patient,
        ward=state.ward,
        candidates=(Role.BED_MANAGER,),
        priority=state.priority,
        due_at=NOW + timedelta(minutes=30),
    )


def opening(state: AdmissionState) -> OpenBedTask:
    decision = Decision(
        point=DecisionPoint.BED_ASSIGNMENT_DUE,
        outcome="within-30-minutes",
        values={"minutes": 30},
        rule="bed-assignment-due",
        version="1.0.0",
        digest="0" * 64,
        indeterminate=True,
        reason="missing-fact",
        missing=("priority",),
    )
    return OpenBedTask(step=step(state, "assign-bed/1/open"), task=task_of(state), decision=decision)


async def test_an_effect_that_runs_three_times_happens_once(desk: Desk, activities: StoreAdmissionActivities) -> None:
    state = await desk.requested()
    for _ in range(3):
        await inside(state.workflow_id, activities.open_bed_task, opening(state))
    async with desk.database.transaction(desk.hospital) as tx:
        assert len(await records.history(tx, Reference("Task/t1"))) == 1
        assert len(await journal.read(tx, state.encounter)) == 2
        assert len(await audit.read(tx)) == 1


async def test_what_happened_and_what_was_written_down_have_their_own_times(
    desk: Desk, activities: StoreAdmissionActivities
) -> None:
    state = await desk.requested()
    await inside(state.workflow_id, activities.open_bed_task, opening(state))
    line = (await desk.story(state))[-1]
    assert (line.occurred_at, line.recorded_at) == (NOW, NOW + timedelta(seconds=3))


async def test_a_decision_that_fell_back_is_told_as_one(desk: Desk, activities: StoreAdmissionActivities) -> None:
    state = await desk.requested()
    await inside(state.workflow_id, activities.open_bed_task, opening(state))
    first = (await desk.story(state))[0]
    assert (first.key, first.params) == ("due-time-fallback", {"minutes": "30", "missing": "priority"})


async def test_a_process_goes_on_under_the_record_that_its_patient_was_merged_into(
    desk: Desk, activities: StoreAdmissionActivities
) -> None:
    state = await desk.requested()
    replaced = {"resourceType": "Patient", "id": state.patient.id, "active": False}
    replaced["link"] = [{"type": "replaced-by", "other": {"reference": "Patient/stays"}}]
    async with desk.database.transaction(desk.hospital) as tx:
        await records.create(tx, {"resourceType": "Patient", "id": "stays"}, now=NOW)
        known = {each.reference for each in await records.find(tx, "Patient")}
        if state.patient in known:
            await records.update(tx, replaced, if_match=1, now=NOW)
        else:
            await records.create(tx, replaced, now=NOW)
    await inside(state.workflow_id, activities.open_bed_task, opening(state))
    async with desk.database.transaction(desk.hospital) as tx:
        assert (await worklist.get(tx, Reference("Task/t1"))).patient == "Patient/stays"
        assert (await audit.read(tx))[0].patients == ("Patient/stays",)
    assert (await desk.body(Reference("Task/t1")))["for"] == {"reference": "Patient/stays"}
    assert (await desk.story(state))[-1].patient == "Patient/stays"


async def test_each_answer_is_the_first_one(desk: Desk, activities: StoreAdmissionActivities) -> None:
    state = await desk.requested()
    await inside(state.workflow_id, activities.open_bed_task, opening(state))
    ladder = EscalateBedTask(
        step=step(state, "assign-bed/1/escalate/1", 2),
        task=Reference("Task/t1"),
        to=Role.WARD_MANAGER,
        due_at=NOW,
    )
    assert [await inside(state.workflow_id, activities.escalate_bed_task, ladder) for _ in range(2)] == [True, True]
    cancel = CancelRequest(
        step=step(state, "cancel", 3, command=command_of("physician")),
        encounter=state.encounter,
        request=state.request,
        patient=state.patient,
        task=Reference("Task/t1"),
        reason=CancelReason.OTHER_HOSPITAL,
    )
    first = await inside(state.workflow_id, activities.cancel_request, cancel)
    later = cancel.model_copy(update={"step": cancel.step.model_copy(update={"at": NOW + timedelta(hours=1)})})
    assert await inside(state.workflow_id, activities.cancel_request, later) == first
    another = cancel.model_copy(update={"step": cancel.step.model_copy(update={"command": command_of("nurse")})})
    with pytest.raises(AlreadyDone) as refused:
        await inside(state.workflow_id, activities.cancel_request, another)
    assert refused.value.params["by"] == "physician"


async def test_a_refused_effect_leaves_nothing_behind(desk: Desk, activities: StoreAdmissionActivities) -> None:
    state = await desk.requested()
    gone = AdmitPatient(
        step=step(state, "admit"),
        encounter=state.encounter,
        request=Reference("ServiceRequest/gone"),
        patient=state.patient,
        bed=Reference("Location/b"),
    )
    with pytest.raises(PhisError):
        await inside(state.workflow_id, activities.admit, gone)
    assert (await desk.body(state.encounter))["status"] == "planned"
    assert await desk.story(state) == []
    done = gone.model_copy(update={"request": state.request})
    await inside(state.workflow_id, activities.admit, done)
    assert (await desk.body(state.encounter))["status"] == "in-progress"


async def test_a_record_written_through_another_door_at_the_same_moment_is_tried_again(
    desk: Desk, activities: StoreAdmissionActivities, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = await desk.requested()
    read = records.read

    async def read_before_the_other(tx: object, ref: Reference) -> records.Stored:
        stored = await read(tx, ref)  # type: ignore[arg-type]
        async with desk.database.transaction(desk.hospital) as other:
            await records.update(other, stored.body, if_match=stored.version, now=NOW)
        return stored

    monkeypatch.setattr("activities.effects.records.read", read_before_the_other)
    admit = AdmitPatient(
        step=step(state, "admit"),
        encounter=state.encounter,
        request=state.request,
        patient=state.patient,
        bed=Reference("Location/b"),
    )
    with pytest.raises(Unavailable) as refused:
        await inside(state.workflow_id, activities.admit, admit)
    assert refused.value.retryable
    monkeypatch.undo()
    await inside(state.workflow_id, activities.admit, admit)
    assert (await desk.body(state.encounter))["status"] == "in-progress"


@pytest.mark.parametrize("caller", ["other/admission/Encounter/1", "Encounter/1", None])
async def test_an_activity_works_for_the_process_that_runs_it_only(
    desk: Desk, activities: StoreAdmissionActivities, caller: str | None
) -> None:
    state = await desk.requested()
    with pytest.raises(Invalid):
        await inside(caller, activities.open_bed_task, opening(state))


def asked(state: AdmissionState, **facts: str) -> DecisionRequest:
    return DecisionRequest(
        workflow_id=state.workflow_id,
        step=StepName("assign-bed/1/due"),
        point=DecisionPoint.BED_ASSIGNMENT_DUE,
        subject=state.encounter,
        facts=facts,
        at=NOW,
    )


def ruling_of(desk: Desk) -> StoreDecisionActivities:
    return StoreDecisionActivities(desk.database, RuleEngine(), RuleBook(), lambda: NOW)


async def test_a_decision_is_taken_once_and_kept_with_all_its_facts(desk: Desk) -> None:
    state, ruling = await desk.requested(), ruling_of(desk)
    first = await inside(state.workflow_id, ruling.decide, asked(state, priority="stat", unread="kept"))
    assert (first.outcome, first.values["minutes"], first.indeterminate) == ("within-15-minutes", 15, False)
    # Asked again, even with other facts, the first answer stands.
    assert await inside(state.workflow_id, ruling.decide, asked(state, priority="routine")) == first
    async with desk.database.transaction(desk.hospital) as tx:
        kept = await decisions.request_of(tx, state.workflow_id, "assign-bed/1/due")
    assert kept.facts == {"priority": "stat", "unread": "kept"}


async def test_a_missing_fact_gives_the_fallback_and_its_name(desk: Desk) -> None:
    state, ruling = await desk.requested(), ruling_of(desk)
    decision = await inside(state.workflow_id, ruling.decide, asked(state))
    assert (decision.outcome, decision.reason, decision.missing) == ("within-30-minutes", "missing-fact", ("priority",))


class Raising(ActivityInboundInterceptor):
    def __init__(self, error: BaseException) -> None:
        self._error = error

    async def execute_activity(self, input: ExecuteActivityInput) -> object:  # noqa: A002
        raise self._error


@pytest.mark.parametrize(
    ("error", "kind", "retried", "message"),
    [
        (BedTaken("the bed has an occupant", bed="Location/9"), "bed-taken", False, "the bed has an occupant"),
        (Unavailable("the database does not answer", part="database"), "unavailable", True, None),
        (ValueError("invalid birth date of 홍길동"), "unexpected", True, "unexpected ValueError"),
        (KeyError("900101-1234567"), "unexpected", True, "unexpected KeyError"),
    ],
    ids=["refusal", "outage", "defect", "another defect"],
)
async def test_an_error_leaves_with_its_code_and_without_a_patients_data(
    error: Exception, kind: str, retried: bool, message: str | None
) -> None:
    edge = AtTheEdge().intercept_activity(Raising(error))
    with pytest.raises(ApplicationError) as left:
        await inside("hanbit/admission/Encounter/1", edge.execute_activity, None)
    assert (left.value.type, left.value.non_retryable) == (kind, not retried)
    if message:
        assert left.value.message == message
    assert left.value.__cause__ is None
    if isinstance(error, PhisError):
        assert left.value.details == (error.params,)


async def test_an_activity_of_no_hospital_is_refused_before_it_begins() -> None:
    edge = AtTheEdge().intercept_activity(Raising(AssertionError("it began")))
    with pytest.raises(ApplicationError) as refused:
        await inside("Encounter/1", edge.execute_activity, None)
    assert (refused.value.type, refused.value.non_retryable) == ("invalid", True)
