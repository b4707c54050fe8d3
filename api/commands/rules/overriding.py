"""A clinician decides otherwise than a rule; and how often that happens."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import StringConstraints

from api.accesses import accessed
from api.caller import Caller
from api.care import refuse_beyond
from api.commands.dispatch import Planned
from api.commands.rules.asking import patient_of
from api.commands.shapes import Body, Instant, answer
from api.deps import IdempotencyKey, allow
from api.present import present
from api.state import State
from domain.decisions import DecisionPoint
from rules.access import Action
from store import decisions
from store.audit import AuditAction
from store.database import Transaction
from store.rules import overrides
from store.rules.overrides import DecisionOverride, OverrideCode

router = APIRouter(prefix="/commands/rules", tags=["rules"])


class Override(Body):
    """`outcome`: what is done instead, a key of the rule's table or a word of the house; `words`: why, ten signs."""

    outcome: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,79}$")]
    code: OverrideCode
    words: Annotated[str, StringConstraints(min_length=10, max_length=2000)]


@router.post("/decisions/{trace}/override", status_code=HTTPStatus.CREATED)
async def override(
    trace: UUID,
    body: Override,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.OVERRIDE_DECISION)],
) -> JSONResponse:
    """Write down that a person decided otherwise, and why. What follows from it is done by its own command."""

    async def plan(tx: Transaction, _command_id: UUID) -> Planned:
        at = await present(tx, state)
        request, decision = await decisions.by_trace(tx, trace)
        patient = await patient_of(tx, request.subject)
        await refuse_beyond(tx, caller, Action.OVERRIDE_DECISION, patient, at.now)
        kept = DecisionOverride(
            workflow_id=request.workflow_id,
            step=request.step,
            point=request.point,
            digest=decision.digest,
            outcome=body.outcome,
            code=body.code,
            actor=caller.actor,
            at=at.now,
        )
        await overrides.keep(tx, kept, body.words)
        await accessed(
            tx,
            caller,
            AuditAction.EXECUTE,
            f"override-decision/{request.point}",
            at=at.real,
            entities=[request.subject],
            patients=[patient],
            reason=f"{body.code}: {body.words}",
        )
        return Planned.answered(HTTPStatus.CREATED, kept.model_dump(mode="json", exclude={"workflow_id", "step"}))

    content = {"trace": str(trace), **body.model_dump(mode="json")}
    return answer(await state.dispatcher.submit(caller, key=key, command="override-decision", body=content, plan=plan))


@router.get("/points/{point}/overrides")
async def override_rate(
    point: DecisionPoint,
    since: Instant,
    until: Instant,
    state: State,
    caller: Annotated[Caller, allow(Action.READ_RULES)],
) -> dict[str, Any]:
    """How often people decided otherwise than each version in a period, and for which reasons."""
    async with state.database.transaction(caller.hospital) as tx:
        rates = await overrides.rates(tx, point, since=since, until=until)
        codes = await overrides.codes(tx, point, since=since, until=until)
    return {
        "point": point,
        "versions": [each.model_dump() | {"rate": round(each.rate, 4)} for each in rates],
        "codes": codes,
    }
