"""One decision: the rule that stands, evaluated on what the process supplied. Pure; the store logs it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from domain.decisions import Decision, DecisionRequest
from domain.errors import NotFound, RuleUnusable
from domain.ids import made_uuid
from rules import derived
from rules.bundle import Bundle
from rules.document import RuleDocument
from rules.engine import Evaluated, RuleEngine
from rules.library import shipped
from rules.points import Pin

NO_RULE = "no-rule"  # none is effective, or each is switched off
UNUSABLE = "rule-unusable"  # this release cannot read it


def pinned_at_start(engine: RuleEngine, request: DecisionRequest) -> bool:
    """Whether a process keeps, at this point, the version that was in force when it began."""
    return engine.registry.point(request.point).pin is Pin.START


def decide(
    engine: RuleEngine, bundle: Bundle, request: DecisionRequest, *, started_at: datetime | None, now: datetime
) -> Decision:
    """The decision. It never fails: where no rule answers, the point's fallback stands and says why.

    started_at: when the process began; used where its point is pinned at the start.  now: for emergencies.
    """
    as_of = started_at if started_at is not None and pinned_at_start(engine, request) else request.at
    chosen = bundle.standing(request.point, as_of, now, request.department)
    if chosen is None:
        return _open(engine, request, NO_RULE)
    try:
        document = bundle.document(chosen.digest)
        evaluated = engine.evaluate(document, request.facts)
    except (RuleUnusable, NotFound):
        left = _open(engine, request, UNUSABLE)
        return left.model_copy(update={"rule": chosen.rule, "version": chosen.version, "digest": chosen.digest})
    return _answer(engine, request, document, evaluated)


def _answer(engine: RuleEngine, request: DecisionRequest, document: RuleDocument, evaluated: Evaluated) -> Decision:
    rows = tuple(document.outcomes[key].values for key in evaluated.outcomes)
    return Decision(
        point=request.point,
        outcome=evaluated.outcome,
        values=rows[0] if len(rows) == 1 else {},
        rule=document.id,
        version=document.version,
        digest=document.digest,
        indeterminate=evaluated.indeterminate,
        reason=evaluated.reason.value if evaluated.reason else "",
        missing=evaluated.missing if evaluated.indeterminate else (),
        wrong=evaluated.wrong,
        outcomes=evaluated.outcomes,
        rows=rows,
        number=evaluated.number,
        **_known(engine, request),
    )


def _open(engine: RuleEngine, request: DecisionRequest, reason: str) -> Decision:
    """The shipped rule's row for the fallback: it has every value that the process reads."""
    fallback = engine.registry.point(request.point).fallback.outcome
    values = shipped()[request.point].outcomes[fallback].values
    return Decision(
        point=request.point,
        outcome=fallback,
        values=values,
        rule="",
        version="",
        digest="",
        indeterminate=True,
        reason=reason,
        outcomes=(fallback,),
        rows=(values,),
        **_known(engine, request),
    )


def _known(engine: RuleEngine, request: DecisionRequest) -> dict[str, Any]:
    return {
        "trace": made_uuid(request.workflow_id, request.step, "decision"),
        "dictionary": engine.registry.version,
        "derivation": derived.VERSION,
    }
