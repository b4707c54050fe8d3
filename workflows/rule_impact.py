"""An impact report: what a draft would have decided, over all past decisions of its point."""

from __future__ import annotations

from datetime import datetime

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.signatures.rule_impact import COUNTING, CloseReport, CountPast, ImpactActivities
    from domain.rule_impact import Counted, ImpactPhase, ImpactState, ReportState
    from workflows.process import Process

CLOSE = "close"


@workflow.defn
class RuleImpact(Process[ImpactState]):
    """Count stretch by stretch until the report has ended, by its last case or by a person who stopped it.

    Whoever stops it writes that into the report's row; counting finds it there before its next slice.
    """

    @workflow.init
    def __init__(self, _state: ImpactState) -> None:
        super().__init__(_state)

    @workflow.run
    async def run(self, _state: ImpactState) -> Counted:
        self._list()
        while True:
            counted = await workflow.execute_activity_method(
                ImpactActivities.count_past, CountPast(report=self._state.report), **COUNTING
            )
            if counted.state is not ReportState.RUNNING:
                break
            if self._full:
                workflow.continue_as_new(self._state)
        async with self._turn:
            await self._effect(
                CLOSE,
                self._state.model_copy(update={"phase": ImpactPhase.ENDED}),
                ImpactActivities.close_report,
                lambda step: CloseReport(step=step),
                closes=True,
            )
        return counted

    def _deadline(self, state: ImpactState) -> datetime | None:
        return None
