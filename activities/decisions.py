"""Decisions: the shipped rule evaluated, its answer logged."""

from __future__ import annotations

from temporalio import activity

from activities.edge import hospital_here, workflow_id_here
from activities.signatures.decisions import DecisionActivities
from domain.decisions import Decision, DecisionRequest
from rules.engine import RuleEngine
from rules.library import shipped
from store import decisions
from store.database import Database


class StoreDecisionActivities(DecisionActivities):
    """Asks each question once: a decision that stands in the log is never evaluated again (engine room, 13)."""

    def __init__(self, database: Database, engine: RuleEngine) -> None:
        self._database = database
        self._engine = engine

    @activity.defn
    async def decide(self, request: DecisionRequest) -> Decision:
        workflow_id = workflow_id_here(request.workflow_id)
        async with self._database.transaction(hospital_here()) as tx:
            taken = await decisions.existing(tx, workflow_id, request.step)
            if taken is not None:
                return taken
            return await decisions.record(tx, request, self._decide(request))

    def _decide(self, request: DecisionRequest) -> Decision:
        rule = shipped()[request.point]
        evaluated = self._engine.evaluate(rule, request.facts)
        return Decision(
            point=request.point,
            outcome=evaluated.outcome,
            values=rule.outcomes[evaluated.outcome].values,
            rule=rule.id,
            version=rule.version,
            digest=rule.digest,
            indeterminate=evaluated.indeterminate,
            reason=evaluated.reason.value if evaluated.reason else "",
            missing=evaluated.missing if evaluated.indeterminate else (),
        )
