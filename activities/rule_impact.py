"""Past decisions decided anew by a draft: read, opened and counted slice by slice, each kept before the next."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import structlog
from temporalio import activity

from activities.edge import hospital_here
from activities.effects import Effects
from activities.signatures.rule_impact import CloseReport, CountPast, ImpactActivities
from domain.errors import NotFound, RuleUnusable, SealBroken
from domain.rule_impact import Counted, ReportState
from rules.document import RuleDocument, load
from rules.engine import RuleEngine
from rules.impact import Impact, count
from store import clocks, decisions
from store.database import Database
from store.decisions import Cursor, SealedPast
from store.rules import reports
from store.rules.reports import Report

_log = structlog.get_logger(__name__)

SLICE = 2_000
"""Cases between two looks whether somebody stopped it: some 50 ms of a processor."""

STRETCH = 50
"""Slices of one activity: 100,000 cases, a few seconds."""


class StoreImpactActivities(ImpactActivities):
    """Counts one slice at a time in a thread, whoever's report it is: decisions of running processes come first.

    Counts and place move together in the report's row, and only from where they were read, so two that count the same
    report, one of them believed dead, count no case twice.
    """

    def __init__(
        self,
        database: Database,
        effects: Effects,
        engine: RuleEngine,
        now: Callable[[], datetime],
        *,
        slice_: int = SLICE,
    ) -> None:
        self._database = database
        self._effects = effects
        self._engine = engine
        self._now = now
        self._slice = slice_
        self._one_at_a_time = asyncio.Semaphore(1)

    @activity.defn
    async def count_past(self, given: CountPast) -> Counted:
        def told() -> bool:
            activity.heartbeat()
            return activity.is_worker_shutdown()

        return await self.counted(hospital_here(), given.report, told)

    @activity.defn
    async def close_report(self, effect: CloseReport) -> None:
        async with self._effects.once(effect.step):
            pass

    async def counted(self, hospital: str, report_id: UUID, told: Callable[[], bool]) -> Counted:
        """Count a stretch. told: called after every slice; True to stop here, so that another worker goes on."""
        try:
            report = await self._report(hospital, report_id)
        except NotFound:
            return Counted(state=ReportState.FAILED, cases=0)
        if report.state is not ReportState.RUNNING:
            return _now_of(report)
        try:
            document = load(json.loads(report.document))
            self._engine.compiled(document)
            return await self._stretch(hospital, report, document, told)
        except (RuleUnusable, SealBroken) as never:  # no release of ours reads the text; a key is gone
            _log.warning("impact report ended", code=never.code)
            async with self._database.transaction(hospital) as tx:
                await reports.give_up(tx, report_id)
            return _now_of(await self._report(hospital, report_id))

    async def _stretch(
        self, hospital: str, report: Report, document: RuleDocument, told: Callable[[], bool]
    ) -> Counted:
        impact = Impact.model_validate(report.progress)
        if impact.expected is None:
            async with self._database.transaction(hospital) as tx:
                impact.expected = await decisions.how_many(tx, report.point, since=report.since, until=report.until)
        page = await self._page(hospital, report, Cursor.model_validate(impact.cursor) if impact.cursor else None)
        for _ in range(STRETCH):
            before, last = impact.cases, len(page.rows) < self._slice
            async with self._one_at_a_time:
                counting = asyncio.to_thread(_count, self._engine, document, page, impact)
                if last:
                    await counting
                else:  # PostgreSQL looks for the next ones meanwhile
                    _, page = await asyncio.gather(counting, self._page(hospital, report, page.behind))
            if not await self._keep(hospital, report.id, impact, before=before, last=last):
                break  # it was stopped, or another worker has gone on with it
            if told() or last:
                break
        return _now_of(await self._report(hospital, report.id))

    async def _report(self, hospital: str, report_id: UUID) -> Report:
        async with self._database.transaction(hospital) as tx:
            return await reports.get(tx, report_id)

    async def _page(self, hospital: str, report: Report, after: Cursor | None) -> SealedPast:
        async with self._database.transaction(hospital) as tx:
            return await decisions.past(
                tx, report.point, since=report.since, until=report.until, after=after, limit=self._slice
            )

    async def _keep(self, hospital: str, report_id: UUID, impact: Impact, *, before: int, last: bool) -> bool:
        async with self._database.transaction(hospital) as tx:
            done_at = (await clocks.clock_of(tx)).at(self._now()) if last else None
            progress = impact.model_dump(mode="json")
            return await reports.advance(tx, report_id, before=before, progress=progress, done_at=done_at)


def _count(engine: RuleEngine, document: RuleDocument, page: SealedPast, impact: Impact) -> None:
    count(engine, document, page.opened(), impact)


def _now_of(report: Report) -> Counted:
    return Counted(state=report.state, cases=int(report.progress["cases"]))
