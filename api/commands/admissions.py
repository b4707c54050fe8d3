"""Asking for an admission, and withdrawing the request."""

from __future__ import annotations

from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field, StringConstraints, model_validator

from adapters.fhir import encounters, service_requests
from adapters.fhir.patient import Gender, patient
from api.accesses import accessed
from api.caller import Caller
from api.care import is_person, refuse_beyond
from api.commands.dispatch import Outcome, Planned
from api.commands.setup.standing import refuse_unready_ward
from api.commands.shapes import Body, answer
from api.deps import IdempotencyKey, allow
from api.places import is_ward
from api.present import present
from api.state import AppState, State
from api.ui.words import ZONE
from domain.admission import PROCESS, AdmissionState, CancelAdmission, CancelReason, admission_id
from domain.commands import CommandRef
from domain.errors import Invalid, NotFound
from domain.ids import Reference, made_id
from domain.journal import JournalEntry, JournalKey
from domain.process import ProcessSnapshot
from domain.roles import Role
from domain.worklist import Priority
from rules.access import Action
from store import beds, journal, patients, processes, records
from store.audit import AuditAction
from store.database import Transaction
from store.setup import showing

router = APIRouter(prefix="/commands/admissions", tags=["admissions"])

ADMISSION_REQUEST = "request-admission"
CANCEL = "cancel-admission"


class NewPatient(Body):
    """A person to be registered on the way."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    birth_date: date
    gender: Gender
    phone: Annotated[str, StringConstraints(pattern=r"^[0-9+() -]{1,30}$")] | None = None


class PatientChoice(Body):
    """One of both: a patient who is known, or one to register."""

    reference: Reference | None = None
    register_: Annotated[NewPatient | None, Field(alias="register")] = None

    @model_validator(mode="after")
    def _one_of_both(self) -> PatientChoice:
        if (self.reference is None) == (self.register_ is None):
            raise ValueError("give either reference or register")
        return self


class AdmissionRequest(Body):
    patient: PatientChoice
    ward: Reference
    priority: Priority = Priority.ROUTINE


class Cancel(Body):
    reason: CancelReason


@router.post("", status_code=HTTPStatus.CREATED)
async def request_admission(
    body: AdmissionRequest,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.REQUEST_ADMISSION)],
) -> JSONResponse:
    """Register the patient if new, plan the stay, and start the admission, which asks for a bed."""
    return answer(await submit_request(state, caller, key, body))


@router.post("/{encounter_id}/cancel")
async def cancel_admission(
    encounter_id: str,
    body: Cancel,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.CANCEL_ADMISSION)],
) -> JSONResponse:
    """Withdraw a request before the patient is admitted."""
    return answer(await submit_cancel(state, caller, key, Reference.to("Encounter", encounter_id), body.reason))


async def submit_request(state: AppState, caller: Caller, key: str, body: AdmissionRequest) -> Outcome:
    async def plan(tx: Transaction, command_id: UUID) -> Planned:
        return await _AdmissionPlan(state, caller, tx, command_id).make(body)

    content = body.model_dump(mode="json", by_alias=True)
    return await state.dispatcher.submit(caller, key=key, command=ADMISSION_REQUEST, body=content, plan=plan)


async def submit_cancel(
    state: AppState, caller: Caller, key: str, encounter: Reference, reason: CancelReason
) -> Outcome:
    async def plan(tx: Transaction, command_id: UUID) -> Planned:
        at = await present(tx, state)
        workflow_id = admission_id(tx.hospital, encounter)
        row = await processes.get(tx, workflow_id)
        admission = AdmissionState.model_validate(row.snapshot.state)
        await refuse_beyond(tx, caller, Action.CANCEL_ADMISSION, admission.patient, at.now)
        await accessed(
            tx, caller, AuditAction.EXECUTE, CANCEL, at=at.real, entities=[encounter], patients=[admission.patient]
        )
        command = CommandRef(id=command_id, actor=caller.actor, received_at=at.now)
        arg = CancelAdmission(command=command, reason=reason)
        return Planned.update(workflow_id, "cancel", arg.model_dump(mode="json"))

    content = {"encounter": encounter, "reason": reason.value}
    return await state.dispatcher.submit(caller, key=key, command=CANCEL, body=content, plan=plan)


class _AdmissionPlan:
    """The writes of an admission request: who, where, why, and the process row that they start from."""

    def __init__(self, state: AppState, caller: Caller, tx: Transaction, command_id: UUID) -> None:
        self._state = state
        self._caller = caller
        self._tx = tx
        self._command_id = command_id

    async def make(self, body: AdmissionRequest) -> Planned:
        tx = self._tx
        at = await present(tx, self._state)
        now = at.now
        await showing.turn(tx, now)  # a ward may have closed a moment ago
        await self._ward(body.ward)
        await refuse_unready_ward(tx, body.ward, now)
        encounter, request = self._named("Encounter"), self._named("ServiceRequest")
        workflow_id = admission_id(tx.hospital, encounter)
        who, lines = await self._patient(body.patient, now)
        await beds.begin_stay(tx, who, encounter)
        physician = self._caller.actor if Role.PHYSICIAN in self._caller.roles and is_person(self._caller) else None
        planned = encounters.planned(who, request, body.ward, body.priority, physician=physician)
        await records.create(tx, planned, id=encounter.id, now=now, owner=workflow_id)
        order = service_requests.admission_request(
            who, encounter, body.ward, body.priority, requester=self._caller.actor, at=now
        )
        await records.create(tx, order, id=request.id, now=now, owner=workflow_id)
        admission = AdmissionState(
            hospital=tx.hospital,
            encounter=encounter,
            patient=who,
            request=request,
            ward=body.ward,
            priority=body.priority,
            clock=at.clock,
        )
        snapshot = ProcessSnapshot(workflow_id=workflow_id, revision=0, state=admission.model_dump(mode="json"))
        await processes.start(tx, snapshot, PROCESS, now)
        asked = {"ward": body.ward, "priority": body.priority.value}
        lines.append(JournalEntry(key=JournalKey.ADMISSION_REQUESTED, params=asked))
        await journal.write(
            tx,
            workflow_id=workflow_id,
            step="request",
            subject=encounter,
            patient=who,
            entries=lines,
            actor=self._caller.actor,
            occurred_at=now,
            recorded_at=at.real,
        )
        made = [who, encounter, request]
        await accessed(
            tx, self._caller, AuditAction.CREATE, ADMISSION_REQUEST, at=at.real, entities=made, patients=[who]
        )
        return Planned.start(workflow_id, {"patient": who, "encounter": encounter, "request": request})

    def _named(self, kind: str) -> Reference:
        return Reference.to(kind, made_id(self._tx.hospital, str(self._command_id), kind))

    async def _ward(self, ward: Reference) -> None:
        try:
            found = await records.read(self._tx, ward)
        except NotFound:
            raise Invalid("no such ward in this hospital", field="/ward") from None
        if ward.resource_type != "Location" or not is_ward(found.body):
            raise Invalid("this place is not a ward in use", field="/ward")

    async def _patient(self, choice: PatientChoice, now: datetime) -> tuple[Reference, list[JournalEntry]]:
        new = choice.register_
        if new is None:
            return await self._known(choice.reference), []
        if new.birth_date > now.astimezone(ZONE).date():
            raise Invalid("a date of birth is not in the future", field="/patient/register/birth_date")
        who = self._named("Patient")
        body = patient(new.name, new.birth_date, new.gender, phone=new.phone)
        await records.create(self._tx, body, id=who.id, now=now)
        return who, [JournalEntry(key=JournalKey.PATIENT_REGISTERED)]

    async def _known(self, who: Reference | None) -> Reference:
        if who is None or who.resource_type != "Patient":
            raise Invalid("not a reference to a patient", field="/patient/reference")
        try:
            return await patients.held(self._tx, who)
        except NotFound:
            raise Invalid("no such patient in this hospital", field="/patient/reference") from None
