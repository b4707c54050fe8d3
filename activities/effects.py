"""One effect of a process on the store: one transaction, done once, whoever runs it how often."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from activities.edge import hospital_here, workflow_id_here
from domain.errors import NotFound, StaleRevision, Unavailable
from domain.ids import Reference
from domain.journal import JournalEntry
from domain.process import Step
from store import audit, clocks, journal, patients, processes, records
from store.audit import AuditAction
from store.database import Database, Transaction
from store.worklist import Person

BY_ITSELF = "system"
"""The audit's actor where no person's command led to a step."""


@dataclass
class Run:
    """A step being done. `answer` is what it gives, now and every time it is asked again.

    replayed: it was done before, `answer` is the first one's, and nothing may be written.
    at: hospital time at which the process asked; now: hospital time of this transaction, for records; real: real time
    of it, for journal and audit.
    """

    tx: Transaction
    step: Step
    now: datetime
    real: datetime
    replayed: bool
    answer: dict[str, Any] | None = None
    _patients: dict[Reference, Reference] = field(default_factory=dict)

    @property
    def at(self) -> datetime:
        return self.step.at

    @property
    def actor(self) -> str | None:
        return self.step.command.actor if self.step.command else None

    @property
    def person(self) -> Person | None:
        """Whoever gave the command, as the owner of tasks; None when the process acts by itself."""
        command = self.step.command
        return Person(command.actor, (), also=command.also) if command else None

    async def create(self, resource: dict[str, Any], ref: Reference) -> None:
        """A resource that the process owns."""
        owner = self.step.process.workflow_id
        await records.create(self.tx, resource, id=ref.id, now=self.now, owner=owner)

    async def amend(self, ref: Reference, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        """A new version of a resource. Raises Unavailable, to be tried again, when another door wrote it meanwhile."""
        stored = await records.read(self.tx, ref)
        try:
            await records.update(self.tx, change(stored.body), if_match=stored.version, now=self.now)
        except StaleRevision as changed:
            raise Unavailable("a record was written at the same moment", part="database", reference=ref) from changed

    async def patient(self, known: Reference) -> Reference:
        """The record that a process's patient goes by now. No merge changes that before this transaction ends.

        A process keeps the reference that it began with; the patient may have been merged meanwhile.
        """
        if known not in self._patients:
            try:
                self._patients[known] = await patients.held(self.tx, known)
            except NotFound:  # deleted over FHIR: the process goes on and keeps the name it knows
                self._patients[known] = known
        return self._patients[known]

    async def tell(self, subject: Reference, patient: Reference, entries: Sequence[JournalEntry]) -> None:
        """The step's lines in the journal of the stay."""
        patient = await self.patient(patient)
        await journal.write(
            self.tx,
            workflow_id=self.step.process.workflow_id,
            step=self.step.name,
            subject=subject,
            patient=patient,
            entries=entries,
            actor=self.actor,
            occurred_at=self.at,
            recorded_at=self.real,
        )

    async def account_for(self, entities: Sequence[Reference], patient: Reference) -> None:
        """The step's row in the audit."""
        patient = await self.patient(patient)
        await audit.record(
            self.tx,
            action=AuditAction.EXECUTE,
            actor=self.actor or BY_ITSELF,
            entities=entities,
            patients=[patient],
            detail=self.step.name,
            at=self.real,
            request=str(self.step.command.id) if self.step.command else None,
        )


class Effects:
    """Where effects are done. `now`: the real present, which becomes the hospital's time of recording."""

    def __init__(self, database: Database, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    @asynccontextmanager
    async def once(self, step: Step) -> AsyncIterator[Run]:
        """Do `step` in one transaction, unless `replayed` says that it was done.

        Write in this order, as commands do, so that two transactions cannot wait for each other: worklist, records,
        beds. Raises AlreadyDone when another command did this step.
        """
        workflow_id_here(step.process.workflow_id)
        async with self._database.transaction(hospital_here()) as tx, processes.effect(tx, step) as done:
            clock = await clocks.clock_of(tx)
            real = self._now()
            run = Run(tx, step, clock.at(real), real, done.replayed, done.result)
            yield run
            done.result = run.answer
