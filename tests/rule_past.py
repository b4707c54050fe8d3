"""A past for tests of impact reports: decisions in the log, and a report that asks about them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from domain.clock import HospitalClock
from domain.decisions import DecisionPoint, DecisionRequest
from domain.ids import Reference, StepName
from domain.process import ProcessSnapshot
from domain.rule_impact import PROCESS, ImpactState, ReportState
from rules.bundle import Bundle
from rules.deciding import decide
from rules.document import load
from rules.engine import RuleEngine
from rules.impact import Impact
from store import decisions, processes
from store.database import Database
from store.rules import reports
from store.rules.reports import Report
from tests.rule_texts import raw

POINT = DecisionPoint.BED_ASSIGNMENT_DUE
BEGAN = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
PRIORITIES = ("routine", "urgent", "asap", "stat")
"""In turn: of four the last two are answered within 15 minutes, which `raw(minutes=…)` answers otherwise."""


async def fill(database: Database, hospital: str, many: int, *, first: int = 0) -> None:
    """Decisions by the shipped rule, one a minute."""
    engine, bundle = RuleEngine(), Bundle(hospital, "", [])
    async with database.transaction(hospital) as tx:
        for number in range(first, first + many):
            request = DecisionRequest(
                workflow_id=f"{hospital}/admission/Encounter/e{number}",
                step=StepName("ask/1"),
                point=POINT,
                subject=Reference(f"Encounter/e{number}"),
                facts={"priority": PRIORITIES[number % 4]},
                at=BEGAN + timedelta(minutes=number),
                department="w1" if number % 2 else "",
            )
            made = decide(engine, bundle, request, started_at=None, now=request.at)
            await decisions.put(tx, request, made)


async def asked(database: Database, hospital: str, *, by: str = "analyst", **period: Any) -> ImpactState:
    """What the command leaves behind: a report about five minutes for urgent cases, and its process row."""
    document = load(raw(hospital, version="9.0.0", minutes=5))
    state = ImpactState(hospital=hospital, report=uuid4(), clock=HospitalClock())
    report = Report(
        id=state.report,
        point=POINT,
        rule=document.id,
        digest=document.digest,
        document=document.canonical,
        since=period.get("since"),
        until=period.get("until"),
        state=ReportState.RUNNING,
        progress=Impact().model_dump(mode="json"),
        asked_by=by,
        asked_at=BEGAN,
        done_at=None,
        signed_by=None,
        signed_at=None,
        remark="",
    )
    row = ProcessSnapshot(workflow_id=state.workflow_id, revision=0, state=state.model_dump(mode="json"))
    async with database.transaction(hospital) as tx:
        await reports.begin(tx, report)
        await processes.start(tx, row, PROCESS, BEGAN)
    return state


async def report_of(database: Database, hospital: str, id_: UUID) -> Report:
    async with database.transaction(hospital) as tx:
        return await reports.get(tx, id_)


def impact_of(report: Report) -> Impact:
    return Impact.model_validate(report.progress)
