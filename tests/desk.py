"""A house without HTTP: the dispatcher as the server builds it, people, wards and beds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from uuid import uuid4

from api.caller import Caller
from api.commands import admissions
from api.commands.dispatch import Outcome
from api.commands.worklist import completing, owning
from api.state import AppState
from domain.admission import AdmissionPhase, AdmissionState, admission_id
from domain.ids import Reference
from domain.roles import Role
from domain.worklist import Priority
from store import journal, processes, records, worklist
from store.worklist import Person, Task


def caller(hospital: str, *roles: Role, name: str = "") -> Caller:
    return Caller(
        hospital=hospital,
        actor=f"{name or roles[0].value}@{hospital}",
        roles=frozenset(roles),
        display={},
        hospital_display={},
        address=None,
        session=b"",
    )


def a_key() -> str:
    return uuid4().hex


@dataclass
class Desk:
    """People of one hospital at work. Each method is one command by one person."""

    state: AppState
    hospital: str
    ward: Reference
    beds: list[Reference] = field(default_factory=list)

    @property
    def physician(self) -> Caller:
        return caller(self.hospital, Role.PHYSICIAN)

    @property
    def bed_manager(self) -> Caller:
        return caller(self.hospital, Role.BED_MANAGER)

    async def request(self, key: str, *, name: str = "김시험", ward: Reference | None = None) -> Outcome:
        person = admissions.NewPatient(name=name, birth_date=date(1970, 1, 1), gender="female")
        body = admissions.AdmissionRequest(
            patient=admissions.PatientChoice.model_validate({"register": person}),
            ward=ward or self.ward,
            priority=Priority.ROUTINE,
        )
        return await admissions.submit_request(self.state, self.physician, key, body)

    async def tasks(self) -> list[Task]:
        """What stands on the bed manager's list."""
        async with self.state.database.transaction(self.hospital) as tx:
            who = Person(self.bed_manager.actor, {Role.BED_MANAGER})
            return await worklist.for_person(tx, who, now=datetime.now(UTC))

    async def task_of(self, encounter: str) -> Task | None:
        workflow_id = admission_id(self.hospital, Reference(encounter))
        return next((task for task in await self.tasks() if task.workflow_id == workflow_id), None)

    async def claim(self, key: str, task: Task) -> Outcome:
        return await owning.submit_claim(self.state, self.bed_manager, key, task.ref, task.revision)

    async def complete(self, key: str, task: Task, bed: Reference | None, *, revision: int) -> Outcome:
        body = completing.Completion(revision=revision, bed=bed)
        return await completing.submit_completion(self.state, self.bed_manager, key, task.ref, body)

    async def admission(self, encounter: str) -> AdmissionState:
        async with self.state.database.transaction(self.hospital) as tx:
            row = await processes.get(tx, admission_id(self.hospital, Reference(encounter)))
        return AdmissionState.model_validate(row.snapshot.state)

    async def phase(self, encounter: str) -> AdmissionPhase:
        return (await self.admission(encounter)).phase

    async def story(self, encounter: str) -> list[str]:
        async with self.state.database.transaction(self.hospital) as tx:
            return [line.key for line in await journal.read(tx, Reference(encounter))]

    async def status(self, encounter: str) -> str:
        async with self.state.database.transaction(self.hospital) as tx:
            return str((await records.read(tx, Reference(encounter))).body["status"])
