"""A hospital's desk for tests of the admission: it asks for beds, and its people answer through store and process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.testing import TimeSkipper, TimeSkippingConfig

from adapters.fhir import encounters, locations, service_requests
from adapters.fhir.patient import patient
from domain.admission import (
    PROCESS,
    AdmissionOutcome,
    AdmissionState,
    AssignBed,
    BedAssigned,
    CancelAdmission,
    Cancelled,
    CancelReason,
)
from domain.clock import HospitalClock
from domain.commands import CommandRef
from domain.duty import DutyPosition
from domain.ids import Reference
from domain.process import ProcessSnapshot
from domain.roles import Role
from domain.worklist import Priority
from runtime.worker import build_worker
from store import accounts, beds, journal, processes, records, worklist
from store.database import Database
from store.journal import JournalLine
from store.people import rosters
from store.processes import ProcessRow
from store.worklist import Person, Task
from workflows.admission import Admission

Stay = WorkflowHandle[Admission, AdmissionOutcome]

BED_MANAGER = "bed-manager"
PHYSICIAN = "physician"
NAME, PHONE = "홍길동실험", "010-0000-1234"
"""An invented patient; nothing of this may be readable in a history."""


@dataclass
class Desk:
    """`minutes` moves the clock of one process; everything that people do takes no time."""

    hospital: str
    database: Database
    client: Client
    task_queue: str
    skipper: TimeSkipper = field(init=False)

    def __post_init__(self) -> None:
        self.skipper = TimeSkipper(self.client, config=TimeSkippingConfig(enabled=False))

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """A worker runs; it has drained when the block ends."""
        async with build_worker(self.client, self.database, task_queue=self.task_queue, drain=timedelta(seconds=2)):
            yield

    async def bed(self) -> Reference:
        async with self.database.transaction(self.hospital) as tx:
            ward = await records.create(tx, locations.ward("7병동"), now=datetime.now(UTC))
            stored = await records.create(tx, locations.bed("701-1", ward.reference), now=datetime.now(UTC))
        return stored.reference

    async def requested(self, priority: Priority = Priority.ROUTINE) -> AdmissionState:
        """A registered patient with a planned stay, an order and a process row: what the command leaves behind."""
        at = datetime.now(UTC)
        encounter, request = (Reference.to(kind, str(uuid4())) for kind in ("Encounter", "ServiceRequest"))
        async with self.database.transaction(self.hospital) as tx:
            who = (await records.create(tx, patient(NAME, date(1980, 1, 1), "male", phone=PHONE), now=at)).reference
            ward = (await records.create(tx, locations.ward("7병동"), now=at)).reference
            state = AdmissionState(
                hospital=self.hospital,
                encounter=encounter,
                patient=who,
                request=request,
                ward=ward,
                priority=priority,
                clock=HospitalClock(),
            )
            owner = state.workflow_id
            stay = encounters.planned(who, request, ward, priority)
            order = service_requests.admission_request(who, encounter, ward, priority, requester=PHYSICIAN, at=at)
            await records.create(tx, stay, id=encounter.id, now=at, owner=owner)
            await records.create(tx, order, id=request.id, now=at, owner=owner)
            await beds.begin_stay(tx, who, encounter)
            row = ProcessSnapshot(workflow_id=owner, revision=0, state=state.model_dump(mode="json"))
            await processes.start(tx, row, PROCESS, at)
        return state

    async def start(self, state: AdmissionState) -> Stay:
        return await self.skipper.client.start_workflow(
            Admission.run, state, id=state.workflow_id, task_queue=self.task_queue
        )

    async def admission(self, priority: Priority = Priority.ROUTINE) -> Stay:
        """A started admission that waits for its bed."""
        stay = await self.start(await self.requested(priority))
        await self.until(stay, lambda state: state.bed_task is not None)
        return stay

    async def minutes(self, stay: Stay, minutes: float) -> None:
        await self.skipper.fast_forward(stay, timedelta(minutes=minutes))

    async def state(self, stay: Stay) -> AdmissionState:
        return await stay.query(Admission.state)

    async def until(self, stay: Stay, true: Callable[[AdmissionState], bool]) -> AdmissionState:
        """Ask the process until something is true of it: a query may be answered while an effect is under way."""
        async with asyncio.timeout(20):
            while not true(state := await self.state(stay)):
                pass
        return state

    async def timers_fired(self, stay: Stay) -> int:
        history = await stay.fetch_history()
        return sum(event.event_type == EventType.EVENT_TYPE_TIMER_FIRED for event in history.events)

    async def row(self, stay: Stay) -> ProcessRow:
        async with self.database.transaction(self.hospital) as tx:
            return await processes.get(tx, stay.id)

    async def task(self, stay: Stay) -> Task:
        state = await self.state(stay)
        assert state.bed_task is not None
        async with self.database.transaction(self.hospital) as tx:
            return await worklist.get(tx, state.bed_task.ref)

    async def tasks_of(self, role: Role) -> list[Reference]:
        async with self.database.transaction(self.hospital) as tx:
            return [
                task.ref for task in await worklist.for_person(tx, Person(role.value, {role}), now=datetime.now(UTC))
            ]

    async def on_duty(self, position: DutyPosition, name: str, role: Role) -> None:
        """Somebody holds a position in the whole hospital, for a day around now."""
        now = datetime.now(UTC)
        async with self.database.transaction(self.hospital) as tx:
            await accounts.create_account(
                tx, name=name, display_ko=name, display_en=name, roles=[role], password_hash="x"
            )
            await rosters.enter(
                tx, uuid4(), position=position, place=None, account=name, since=now - timedelta(days=1),
                until=now + timedelta(days=1), by="admin@x", now=now,
            )  # fmt: skip

    async def claim(self, stay: Stay, by: str = BED_MANAGER, *, start: bool = False) -> Task:
        task = await self.task(stay)
        who, now = Person(by, {Role.BED_MANAGER}), datetime.now(UTC)
        async with self.database.transaction(self.hospital) as tx:
            return await worklist.claim(tx, task.ref, by=who, revision=task.revision, now=now, start=start)

    async def release(self, stay: Stay, by: str = BED_MANAGER) -> Task:
        task = await self.task(stay)
        async with self.database.transaction(self.hospital) as tx:
            return await worklist.release(
                tx, task.ref, by=Person(by, ()), revision=task.revision, now=datetime.now(UTC)
            )

    async def assign(
        self,
        stay: Stay,
        bed: Reference,
        *,
        task: Task | None = None,
        by: str = BED_MANAGER,
        command: UUID | None = None,
    ) -> BedAssigned:
        """Claim the task, unless it is given, and answer it."""
        task = task or await self.claim(stay, by)
        asked = command_of(by, command)
        order = AssignBed(command=asked, task=task.ref, revision=task.revision, bed=bed)
        return await stay.execute_update(Admission.assign_bed, order, id=str(asked.id))

    async def cancel(self, stay: Stay, reason: CancelReason = CancelReason.PATIENT_DECLINED) -> Cancelled:
        asked = command_of(PHYSICIAN)
        wish = CancelAdmission(command=asked, reason=reason)
        return await stay.execute_update(Admission.cancel, wish, id=str(asked.id))

    async def story(self, state: AdmissionState) -> list[JournalLine]:
        async with self.database.transaction(self.hospital) as tx:
            return await journal.read(tx, state.encounter)

    async def body(self, ref: Reference) -> dict[str, object]:
        async with self.database.transaction(self.hospital) as tx:
            return (await records.read(tx, ref)).body

    async def lying(self) -> dict[Reference, Reference]:
        async with self.database.transaction(self.hospital) as tx:
            return await beds.occupied(tx)


def command_of(actor: str, id_: UUID | None = None) -> CommandRef:
    return CommandRef(id=id_ or uuid4(), actor=actor, received_at=datetime.now(UTC))


def code_of(failed: WorkflowUpdateFailedError) -> str | None:
    """The public code of a refusal."""
    assert isinstance(failed.cause, ApplicationError)
    return failed.cause.type
