"""Impact replay: a draft over past decisions, slice by slice, kept as it goes, signed off at its end."""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, StringConstraints

from api.accesses import accessed
from api.caller import Caller
from api.commands.dispatch import Outcome, Planned
from api.commands.rules import books
from api.commands.shapes import Body, answer
from api.deps import IdempotencyKey, allow
from api.present import present
from api.state import AppState, State
from domain.errors import NotFound, PhisError, RuleUnusable
from rules.access import Action
from rules.impact import Impact, count
from store import decisions, hospitals
from store.audit import AuditAction
from store.database import Transaction
from store.decisions import Cursor
from store.rules import drafts, reports
from store.rules.reports import Report

log = logging.getLogger(__name__)

router = APIRouter(prefix="/commands/rules", tags=["rules"])

SLICE = 2_000
"""Cases of one transaction: some 100 ms of a processor."""


class Period(Body):
    """Which decisions; without them every one that the log holds."""

    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


class Signature(Body):
    remark: Annotated[str, StringConstraints(min_length=3, max_length=2000)]


@router.post("/drafts/{draft_id}/impact", status_code=HTTPStatus.CREATED)
async def begin_impact(
    draft_id: UUID, body: Period, key: IdempotencyKey, state: State, caller: Annotated[Caller, allow(Action.WRITE_RULE)]
) -> JSONResponse:
    """Ask what the draft's present text would have decided. The report goes on in the background."""
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
            state="running",
            progress=Impact().model_dump(mode="json"),
            asked_by=caller.actor,
            asked_at=at.now,
            done_at=None,
            signed_by=None,
            signed_at=None,
            remark="",
        )
        await reports.begin(tx, report)
        await accessed(tx, caller, AuditAction.EXECUTE, f"rule-impact/{draft.rule}", at=at.real)
        return Planned.answered(HTTPStatus.CREATED, {"report": str(command_id), "digest": draft.digest})

    content = {"draft": str(draft_id), **body.model_dump(mode="json")}
    return await state.dispatcher.submit(caller, key=key, command="rule-impact", body=content, plan=plan)


async def advance(state: AppState, hospital: str, report_id: UUID, *, most: int = SLICE) -> bool:
    """Count the next slice of a report. True when it is finished, by whoever; a second server changes nothing."""
    async with state.database.transaction(hospital) as tx:
        at = await present(tx, state)
        report = await reports.get(tx, report_id)
        if report.state != "running":
            return True
        document = books.read(report.document)
        impact = Impact.model_validate(report.progress)
        before, after = impact.cases, Cursor.model_validate(impact.cursor) if impact.cursor else None
        past = await decisions.past(tx, report.point, since=report.since, until=report.until, after=after, limit=most)
        await asyncio.to_thread(count, state.rule_engine, document, past, impact)
        done = len(past) < most
        progress = impact.model_dump(mode="json")
        await reports.advance(tx, report_id, before=before, progress=progress, done_at=at.now if done else None)
    return done


async def keep_counting(state: AppState, *, every: float = 2.0) -> None:
    """Bring every report that was begun to its end. Runs until cancelled; what a dead server began goes on here."""
    while True:
        try:
            for hospital in await _hospitals(state):
                async with state.database.transaction(hospital) as tx:
                    running = await reports.running(tx)
                for report_id in running:
                    await _to_its_end(state, hospital, report_id)
        except PhisError as later:
            log.warning("impact reports wait: %s", later.code)
        await asyncio.sleep(every)


async def _to_its_end(state: AppState, hospital: str, report_id: UUID) -> None:
    try:
        done = False
        while not done:
            done = await advance(state, hospital, report_id)
    except (RuleUnusable, NotFound) as lost:
        log.warning("an impact report cannot go on: %s", lost.code)
        async with state.database.transaction(hospital) as tx:
            await reports.give_up(tx, report_id)


async def _hospitals(state: AppState) -> list[str]:
    async with state.database.system() as system:
        return [each.code for each in await hospitals.all_of_them(system)]


def _json(report: Report) -> dict[str, Any]:
    told = report.model_dump(mode="json", exclude={"progress", "id", "document"})
    counts = {name: value for name, value in report.progress.items() if name != "cursor"}
    return {"report": str(report.id), **told, **counts}
