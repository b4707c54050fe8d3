"""Decisions: the rule that stands here and now, evaluated and logged in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from temporalio import activity

from activities.edge import hospital_here, workflow_id_here
from activities.signatures.decisions import DecisionActivities
from domain.decisions import Decision, DecisionRequest
from rules.bundle import Bundle, RuleBook
from rules.deciding import decide
from rules.engine import RuleEngine
from store import decisions
from store.database import Database, Transaction
from store.decisions import Before
from store.rules import versions


class StoreDecisionActivities(DecisionActivities):
    """Asks each question once: a decision that stands in the log is never evaluated again (engine room, 13).

    The book holds the rules of the hospitals that this worker serves. Which edition of them is in force is read in the
    decision's own transaction, so a rule that was published or switched off before it began is never missed.
    now: the real present, which becomes the hospital's.
    """

    def __init__(self, database: Database, engine: RuleEngine, book: RuleBook, now: Callable[[], datetime]) -> None:
        self._database = database
        self._engine = engine
        self._book = book
        self._now = now

    @activity.defn
    async def decide(self, request: DecisionRequest) -> Decision:
        workflow_id_here(request.workflow_id)
        return await self.decided(hospital_here(), request)

    async def decided(self, hospital: str, request: DecisionRequest) -> Decision:
        """The decision of a step, the first one where there was one.

        Its row travels with the commit. Whether another run of the step was faster is seen after it.
        """
        async with self._database.transaction(hospital) as tx:
            before = await decisions.before(tx, request.workflow_id, request.step)
            if before.decision is not None:
                return before.decision
            bundle = self._book.get(hospital, before.edition) or await self._bundle(tx, before)
            now = before.clock.at(self._now())
            made = decide(self._engine, bundle, request, started_at=before.started_at, now=now)
            written = await decisions.put(tx, request, made)
        if await written.fetchone() is not None:
            return made
        async with self._database.transaction(hospital) as tx:
            return await decisions.existing(tx, request.workflow_id, request.step) or made

    async def _bundle(self, tx: Transaction, before: Before) -> Bundle:
        network, kept = await versions.applying(tx)
        return self._book.take(before.edition, tx.hospital, network, kept)
