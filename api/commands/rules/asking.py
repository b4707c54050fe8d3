"""Asking about rules: what applies and who lost, where a version is used, why a decision was taken so."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter

from api.accesses import accessed
from api.caller import Caller
from api.care import refuse_beyond
from api.commands.rules import books
from api.commands.shapes import Instant
from api.deps import allow
from api.present import present
from api.state import AppState, State
from domain.decisions import Decision, DecisionPoint, DecisionRequest
from domain.errors import NotFound, RuleUnusable
from domain.ids import Reference
from rules.access import Action
from rules.bundle import Bundle
from rules.document import RuleDocument
from rules.explaining import explain
from store import decisions, records
from store.audit import AuditAction
from store.database import Transaction
from store.rules import history, overrides, versions

router = APIRouter(prefix="/commands/rules", tags=["rules"])

_NOTHING = {
    "en": "No rule was in force, or each was switched off: the decision point's fallback stood.",
    "ko": "적용 중인 규칙이 없거나 모두 중지되어 판단 지점의 기본 처리를 따랐습니다.",
}
_UNREADABLE = {
    "en": "This release cannot read that version any more; its outcome stands as it was kept.",
    "ko": "현재 프로그램은 해당 버전을 읽을 수 없습니다. 저장된 결과는 그대로 유효합니다.",
}


@router.get("")
async def list_points(state: State, caller: Annotated[Caller, allow(Action.READ_RULES)]) -> dict[str, Any]:
    """Every decision point with the rule that applies to the whole hospital now, and what is switched off."""
    async with state.database.transaction(caller.hospital) as tx:
        at = await present(tx, state)
        rules = await books.bundle(tx, state)
        off = await versions.running(tx, at.now)
    points = []
    for point in DecisionPoint:
        chosen = rules.resolve(point, at.now).chosen
        title = state.rule_engine.registry.point(point).title
        points.append(
            {
                "point": point.value,
                "title": {"ko": title.ko, "en": title.en},
                "applies": books.published_json(chosen) if chosen else None,
            }
        )
    return {"points": points, "disabled": [each.model_dump(mode="json") for each in off]}


@router.get("/points/{point}")
async def resolve_point(
    point: DecisionPoint,
    state: State,
    caller: Annotated[Caller, allow(Action.READ_RULES)],
    at: Instant | None = None,
    department: str = "",
) -> dict[str, Any]:
    """Which version applies at a moment and place, and which others lost, to whom and why."""
    async with state.database.transaction(caller.hospital) as tx:
        now = (await present(tx, state)).now
        rules = await books.bundle(tx, state)
    found = rules.resolve(point, at or now, department)
    return {
        "point": point.value,
        "at": (at or now).isoformat(),
        "department": department,
        "chosen": books.published_json(found.chosen) if found.chosen else None,
        "lost": [
            books.published_json(loser.published)
            | {"why": loser.why.value, "to": loser.to.digest if loser.to else None}
            for loser in found.lost
        ],
    }


@router.get("/versions/{digest}")
async def read_version(
    digest: str, state: State, caller: Annotated[Caller, allow(Action.READ_RULES)]
) -> dict[str, Any]:
    """A published version with its text, its difference to the parent, and where it is used."""
    async with state.database.transaction(caller.hospital) as tx:
        rules = await books.bundle(tx, state)
        cases = await versions.open_cases(tx, digest)
    one = next((each for each in rules.published() if each.digest == digest), None)
    if one is None:
        raise NotFound("no such version")
    document = rules.document(digest)
    registry = state.rule_engine.registry
    parent = _document(rules, one.parent)
    against = books.difference(parent, document) if parent else []
    return books.published_json(one) | {
        "document": json.loads(document.canonical),
        "difference_to_parent": against,
        "used": {
            "process": registry.point(one.decision_point).process,
            "facts": {path: list(registry.supplied_by(path)) for path in document.facts},
            "tests": [test.name for test in document.tests],
            "open_cases": cases,
        },
    }


@router.get("/{rule}/history")
async def read_history(rule: str, state: State, caller: Annotated[Caller, allow(Action.READ_RULES)]) -> dict[str, Any]:
    """Everything that was done to a rule of this hospital, the latest first."""
    async with state.database.transaction(caller.hospital) as tx:
        found = await history.of_rule(tx, rule)
    return {"rule": rule, "events": [each.model_dump(mode="json") for each in found]}


@router.get("/decisions/{trace}")
async def explain_decision(
    trace: UUID, state: State, caller: Annotated[Caller, allow(Action.EXPLAIN_DECISION)]
) -> dict[str, Any]:
    """Why a decision was taken, and why not otherwise, with the values that were read. The journal names its trace."""
    async with state.database.transaction(caller.hospital) as tx:
        at = await present(tx, state)
        request, decision = await decisions.by_trace(tx, trace)
        patient = await patient_of(tx, request.subject)
        await refuse_beyond(tx, caller, Action.EXPLAIN_DECISION, patient, at.now)
        other = await overrides.of(tx, request.workflow_id, request.step)
        rules = await books.bundle(tx, state)
        entities, detail = [request.subject], f"explain-decision/{request.point}"
        await accessed(tx, caller, AuditAction.READ, detail, at=at.real, entities=entities, patients=[patient])
    return {
        "trace": str(trace),
        "point": request.point.value,
        "subject": request.subject,
        "at": request.at.isoformat(),
        "decision": decision.model_dump(mode="json"),
        "explanation": {language: _explained(state, rules, request, decision, language) for language in ("ko", "en")},
        "override": other[0].model_dump(mode="json") | {"words": other[1]} if other else None,
    }


async def patient_of(tx: Transaction, subject: Reference) -> Reference:
    """Whom a decision was about. Raises NotFound for a record that names nobody."""
    if subject.resource_type == "Patient":
        return subject
    body = (await records.read(tx, subject)).body
    named = body.get("subject") or body.get("patient") or body.get("beneficiary") or {}
    if "reference" not in named:
        raise NotFound("the decision is about no patient")
    return Reference(named["reference"])


def _explained(
    state: AppState, rules: Bundle, request: DecisionRequest, decision: Decision, language: str
) -> dict[str, Any]:
    """The explanation is made anew from the facts and the version that were kept."""
    if not decision.digest:
        return {"answer": _NOTHING[language], "reads": [], "why": [], "why_not": []}
    try:
        found = explain(state.rule_engine, rules.document(decision.digest), request.facts, language)
    except (RuleUnusable, NotFound):
        return {"answer": _UNREADABLE[language], "reads": [], "why": [], "why_not": []}
    return {
        "answer": found.answer,
        "reads": list(found.reads),
        "why": list(found.why),
        "why_not": list(found.why_not),
    }


def _document(rules: Bundle, digest: str | None) -> RuleDocument | None:
    """A version's document, where there is one that this release can read."""
    with suppress(NotFound, RuleUnusable):
        return rules.document(digest) if digest else None
    return None
