"""Impact replay: a draft over past decisions, counted by a process, stopped or signed off by people."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import StringConstraints

from api.accesses import accessed
from api.caller import Caller
from api.commands.dispatch import Outcome, Planned
from api.commands.rules import books
from api.commands.shapes import Body, Instant, answer
from api.deps import IdempotencyKey, allow
from api.present import present
from api.state import AppState, State
from domain.process import ProcessSnapshot
from domain.rule_impact import PROCESS, ImpactState, ReportState
from rules.access import Action
from rules.impact import Impact
from store import processes
from store.audit import AuditAction
from store.database import Transaction
from store.rules import drafts, reports
from store.rules.reports import Report

router = APIRouter(prefix="/commands/rules", tags=["rules"])


class Period(Body):
    """Which decisions; without them every one that the log holds."""

    since: Instant | None = None
    until: Instant | None = None


class Signature(Body):
    remark: Annotated[str, StringConstraints(min_length=3, max_length=2000)]


class Stop(Body):
    reason: Annotated[str, StringConstraints(min_length=3, max_length=2000)]


@router.post("/drafts/{draft_id}/impact", status_code=HTTPStatus.CREATED)
async def begin_impact(
    draft_id: UUID, body: Period, key: IdempotencyKey, state: State, caller: Annotated[Caller, allow(Action.WRITE_RULE)]
) -> JSONResponse:
    """Ask what the draft's present text would have decided. A process counts; the report says how far it has come."""
    return answer(await submit_impact(state, caller, key, draft_id, body))


@router.get("/reports/{report_id}")
async def read_report(
    report_id: UUID, state: State, caller: Annotated[Caller, allow(Action.READ_RULES)]
) -> dict[str, Any]:
    """How far a report has come, and its counts: before and after, by ward and payer, sample cases, missing facts."""
    async with state.database.transaction(caller.hospital) as tx:
        at = await present(tx, state)
        report = await reports.get(tx, report_id)
        await accessed(tx, caller, AuditAction.READ, f"rule-impact/{report.rule}", at=at.real)
    return _json(report)


@router.post("/reports/{report_id}/cancel")
async def cancel_report(
    report_id: UUID, body: Stop, key: IdempotencyKey, state: State, caller: Annotated[Caller, allow(Action.WRITE_RULE)]
) -> JSONResponse:
    """Stop the counting. What was counted stays to be read."""

    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        at = await present(tx, state)
        stopped = await reports.cancel(tx, report_id, by=caller.actor, reason=body.reason, now=at.now)
        await accessed(tx, caller, AuditAction.EXECUTE, f"cancel-rule-impact/{stopped.rule}", at=at.real)
        cases = stopped.progress["cases"]
        return Planned.answered(HTTPStatus.OK, {"report": str(report_id), "state": stopped.state, "cases": cases})

    content = {"report": str(report_id), **body.model_dump(mode="json")}
    return answer(await state.dispatcher.submit(caller, key=key, command="cancel-rule-impact", body=content, plan=plan))


@router.post("/reports/{report_id}/sign")
async def sign_report(
    report_id: UUID,
    body: Signature,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.APPROVE_RULE, step_up=True)],
) -> JSONResponse:
    """Sign a finished report off. Nobody signs what they asked for."""

    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        at = await present(tx, state)
        signed = await reports.sign(tx, report_id, person=books.person(caller), remark=body.remark, now=at.now)
        await accessed(tx, caller, AuditAction.EXECUTE, f"sign-rule-impact/{signed.rule}", at=at.real)
        return Planned.answered(HTTPStatus.OK, {"report": str(signed.id), "signed_by": signed.signed_by})

    content = {"report": str(report_id), **body.model_dump(mode="json")}
    return answer(await state.dispatcher.submit(caller, key=key, command="sign-rule-impact", body=content, plan=plan))


async def submit_impact(state: AppState, caller: Caller, key: str, draft_id: UUID, body: Period) -> Outcome:
    async def plan(tx: Transaction, command_id: UUID) -> Planned:
        at = await present(tx, state)
        draft = await drafts.get(tx, draft_id)
        report = Report(
            id=command_id,
            point=draft.point,
            rule=draft.rule,
            digest=draft.digest,
            document=draft.document,
            since=body.since,
            until=body.until or at.now,  # what is decided from now on is not past
            state=ReportState.RUNNING,
            progress=Impact().model_dump(mode="json"),
            asked_by=caller.actor,
            asked_at=at.now,
            done_at=None,
            signed_by=None,
            signed_at=None,
            remark="",
        )
        await reports.begin(tx, report)
        counting = ImpactState(hospital=tx.hospital, report=command_id, clock=at.clock)
        row = ProcessSnapshot(workflow_id=counting.workflow_id, revision=0, state=counting.model_dump(mode="json"))
        await processes.start(tx, row, PROCESS, at.now)
        await accessed(tx, caller, AuditAction.EXECUTE, f"rule-impact/{draft.rule}", at=at.real)
        return Planned.start(counting.workflow_id, {"report": str(command_id), "digest": draft.digest})

    content = {"draft": str(draft_id), **body.model_dump(mode="json")}
    return await state.dispatcher.submit(caller, key=key, command="rule-impact", body=content, plan=plan)


def _json(report: Report) -> dict[str, Any]:
    told = report.model_dump(mode="json", exclude={"progress", "id", "document"})
    counts = {name: value for name, value in report.progress.items() if name != "cursor"}
    return {"report": str(report.id), **told, **counts}
