"""What an admission does to the records, the worklist, the beds and the journal."""

from __future__ import annotations

from temporalio import activity

from activities.effects import Effects, Run
from activities.signatures.admission import (
    AdmissionActivities,
    AdmitPatient,
    AssignBedEffect,
    CallDuty,
    CancelRequest,
    EscalateBedTask,
    OpenBedTask,
)
from adapters.fhir import encounters, locations, service_requests, tasks
from domain.admission import BedAssigned, Cancelled
from domain.decisions import Decision
from domain.errors import Invalid, NotFound
from domain.ids import Reference, WorkflowId
from domain.journal import JournalEntry, JournalKey
from domain.notices import NoticeKind
from store import beds, records, worklist
from store.people import notices
from store.setup import showing


class StoreAdmissionActivities(AdmissionActivities):
    """Each method is one transaction; the second run of a step finds the first one's answer."""

    def __init__(self, effects: Effects) -> None:
        self._effects = effects

    @activity.defn
    async def open_bed_task(self, effect: OpenBedTask) -> None:
        async with self._effects.once(effect.step) as run:
            if run.replayed:
                return
            patient, encounter = await run.patient(effect.task.patient), _stay(run)
            spec = effect.task.model_copy(update={"patient": patient})
            await worklist.open_task(run.tx, spec, workflow_id=run.step.process.workflow_id, now=run.at)
            await run.create(tasks.requested(spec, run.at), spec.ref)
            opened = JournalEntry(
                key=JournalKey.BED_TASK_OPENED,
                params={"role": spec.candidates[0].value, "due": spec.due_at.isoformat()},
            )
            await run.tell(encounter, spec.patient, [_due_time(effect.decision), opened])
            await run.account_for([spec.ref, encounter], spec.patient)

    @activity.defn
    async def escalate_bed_task(self, effect: EscalateBedTask) -> bool:
        async with self._effects.once(effect.step) as run:
            if not run.replayed:
                task = await worklist.get(run.tx, effect.task, lock=True)
                climbed = task.waits and not task.escalated
                if climbed:
                    await worklist.add_candidate(run.tx, effect.task, effect.to, run.at)
                    await run.amend(effect.task, lambda body: tasks.escalated(body, effect.to, run.at))
                    told = {"role": effect.to.value, "due": effect.due_at.isoformat()}
                    await run.tell(
                        _stay(run), task.patient, [JournalEntry(key=JournalKey.BED_TASK_ESCALATED, params=told)]
                    )
                    await run.account_for([effect.task], task.patient)
                run.answer = {"escalated": climbed}
        return bool((run.answer or {}).get("escalated"))

    @activity.defn
    async def call_duty(self, effect: CallDuty) -> bool:
        async with self._effects.once(effect.step) as run:
            if not run.replayed:
                task = await worklist.get(run.tx, effect.task, lock=True)
                climbs = effect.rung.climbs and task.waits
                if climbs:
                    await self._climb(run, effect, task)
                run.answer = {"climbed": climbs}
        return bool((run.answer or {}).get("climbed"))

    async def _climb(self, run: Run, effect: CallDuty, task: worklist.Task) -> None:
        rung, due = effect.rung, effect.due_at.isoformat()
        said: list[JournalEntry] = []
        if rung.people:
            await worklist.add_people(run.tx, effect.task, rung.people)
            people = ",".join(rung.people)
            called = {"position": str(rung.position), "people": people, "due": due}
            said.append(JournalEntry(key=JournalKey.DUTY_CALLED, params=called))
        if rung.role:
            role = rung.role
            await worklist.add_candidate(run.tx, effect.task, role, run.at)
            await run.amend(effect.task, lambda body: tasks.escalated(body, role, run.at))
            nobody = {"position": str(rung.position), "role": role.value, "due": due}
            said.append(JournalEntry(key=JournalKey.DUTY_VACANT, params=nobody))
        await run.tell(_stay(run), task.patient, said)
        await run.account_for([effect.task], task.patient)
        await notices.send(
            run.tx,
            source=run.step.process.workflow_id,
            step=run.step.name,
            to=rung.people,
            kind=NoticeKind.BED_OVERDUE,
            params={"place": task.ward, "due": due},
            urgency=task.priority,
            now=run.at,
            real=run.real,
        )

    @activity.defn
    async def assign_bed(self, effect: AssignBedEffect) -> BedAssigned:
        async with self._effects.once(effect.step) as run:
            if not run.replayed:
                if run.person is None:
                    raise Invalid("a bed is assigned by a person", field="command")
                actor, bed = run.person.account, effect.bed
                await worklist.complete(run.tx, effect.task, by=run.person, revision=effect.revision, now=run.at)
                await showing.turn(run.tx, run.at)
                await _must_be_a_bed(run, bed)
                await run.amend(effect.task, lambda body: tasks.completed(body, actor, run.at))
                await run.amend(effect.encounter, lambda body: encounters.with_bed(body, bed))
                await beds.occupy(run.tx, bed, effect.encounter, run.at)
                await notices.withdraw(run.tx, run.step.process.workflow_id, run.at)
                await run.tell(
                    effect.encounter,
                    effect.patient,
                    [JournalEntry(key=JournalKey.BED_ASSIGNED, params={"bed": bed})],
                )
                await run.account_for([effect.task, effect.encounter, bed], effect.patient)
                run.answer = BedAssigned(bed=bed, at=run.at).model_dump(mode="json")
        return BedAssigned.model_validate(run.answer)

    @activity.defn
    async def admit(self, effect: AdmitPatient) -> None:
        async with self._effects.once(effect.step) as run:
            if run.replayed:
                return
            await run.amend(effect.encounter, lambda body: encounters.in_progress(body, run.at))
            await run.amend(effect.request, service_requests.completed)
            await run.tell(
                effect.encounter,
                effect.patient,
                [JournalEntry(key=JournalKey.ADMITTED, params={"bed": effect.bed})],
            )
            await run.account_for([effect.encounter, effect.request, effect.bed], effect.patient)

    @activity.defn
    async def cancel_request(self, effect: CancelRequest) -> Cancelled:
        async with self._effects.once(effect.step) as run:
            if not run.replayed:
                await self._cancel(run, effect)
                run.answer = Cancelled(reason=effect.reason, at=run.at).model_dump(mode="json")
        return Cancelled.model_validate(run.answer)

    async def _cancel(self, run: Run, effect: CancelRequest) -> None:
        if effect.task and (await worklist.get(run.tx, effect.task, lock=True)).status.open:
            await worklist.cancel(run.tx, effect.task, actor=run.actor, now=run.at)
            await run.amend(effect.task, lambda body: tasks.cancelled(body, effect.reason.value, run.at))
        await run.amend(effect.encounter, encounters.cancelled)
        await run.amend(effect.request, service_requests.revoked)
        if effect.encounter in (await beds.occupied(run.tx)).values():
            await beds.vacate(run.tx, effect.encounter, run.at)
        await beds.end_stay(run.tx, effect.encounter)
        await notices.withdraw(run.tx, run.step.process.workflow_id, run.at)
        told = JournalEntry(key=JournalKey.ADMISSION_CANCELLED, params={"reason": effect.reason.value})
        await run.tell(effect.encounter, effect.patient, [told])
        await run.account_for([effect.encounter, effect.request], effect.patient)


def _stay(run: Run) -> Reference:
    """The encounter that the process is about."""
    return WorkflowId.parse(run.step.process.workflow_id).subject


def _due_time(decision: Decision) -> JournalEntry:
    minutes = str(decision.values["minutes"])
    if decision.indeterminate:
        lacked = ", ".join(decision.missing) or decision.reason
        told = {"minutes": minutes, "missing": lacked} | _trace(decision)
        return JournalEntry(key=JournalKey.DUE_TIME_FALLBACK, params=told)
    params = {"minutes": minutes, "rule": decision.rule, "version": decision.version} | _trace(decision)
    return JournalEntry(key=JournalKey.DUE_TIME_DECIDED, params=params)


def _trace(decision: Decision) -> dict[str, str]:
    """What leads from the journal to the decision's explanation. Decisions of the first release have none."""
    return {"trace": str(decision.trace)} if decision.trace else {}


async def _must_be_a_bed(run: Run, bed: Reference) -> None:
    try:
        found = await records.read(run.tx, bed)
    except NotFound:
        raise Invalid("no such bed in this hospital", field="bed") from None
    if not locations.is_bed(found.body):
        raise Invalid("this place is not a bed", field="bed")
    if found.body.get("status", "active") != "active":
        raise Invalid("this bed is closed", field="bed")
