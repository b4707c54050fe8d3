"""Two records of one person: a colleague asks for the merge, another decides. What follows is `$merge`'s (ADR 0016)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.accesses import accessed
from api.caller import Caller
from api.commands.dispatch import Outcome, Planned
from api.commands.shapes import Body, answer
from api.deps import IdempotencyKey, allow
from api.fhir.exchange import Address, Asker, Call
from api.fhir.merge import merge_two
from api.present import Present, present
from api.state import AppState, State
from domain.errors import Invalid, NotFound
from domain.ids import Reference
from rules.access import Action, rights
from rules.scopes import grants
from store import patient_merges, patients, records
from store.audit import AuditAction
from store.database import Transaction
from store.patient_merges import Asked, Reason

router = APIRouter(prefix="/commands/patients", tags=["patients"])

ASK, DECIDE = "request-merge", "decide-merge"


class Wanted(Body):
    """`source`: the record that ends.  `target`: the one that stays."""

    source: Reference
    target: Reference
    reason: Reason


class Decision(Body):
    decision: Literal["merge", "refuse"]


@router.get("/merges")
async def list_merges(
    state: State, caller: Annotated[Caller, allow(Action.REQUEST_MERGE)], waiting: bool = True
) -> dict[str, Any]:
    """Requests that wait, the oldest first; with `waiting=false` the latest decisions."""
    return {"merges": [each.model_dump(mode="json") for each in await read_merges(state, caller, waiting=waiting)]}


@router.post("/merges", status_code=HTTPStatus.CREATED)
async def ask(
    body: Wanted, key: IdempotencyKey, state: State, caller: Annotated[Caller, allow(Action.REQUEST_MERGE)]
) -> JSONResponse:
    """Say that two records are one person's. Nothing changes before a colleague agrees."""
    return answer(await submit_request(state, caller, key, body))


@router.post("/merges/{merge_id}/decide")
async def decide(
    merge_id: UUID,
    body: Decision,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.MERGE_PATIENTS)],
) -> JSONResponse:
    """Merge, or refuse to. Nobody decides about their own request."""
    return answer(await submit_decision(state, caller, key, merge_id, body))


async def read_merges(state: AppState, caller: Caller, *, waiting: bool) -> list[Asked]:
    async with state.database.transaction(caller.hospital) as tx:
        at = await present(tx, state)
        found = await patient_merges.listed(tx, waiting=waiting)
        about = [each for one in found for each in (one.source, one.target)]
        await accessed(tx, caller, AuditAction.QUERY, ASK, at=at.real, patients=about, found=len(found))
    return found


async def submit_request(state: AppState, caller: Caller, key: str, body: Wanted) -> Outcome:
    """Raises Invalid for records that are not two people in use, Conflict where a request waits already."""

    async def plan(tx: Transaction, command_id: UUID) -> Planned:
        at = await present(tx, state)
        for name, patient in (("source", body.source), ("target", body.target)):
            await _in_use(tx, patient, name)
        if body.source == body.target:
            raise Invalid("both are the same record", field="target")
        asked = await patient_merges.ask(
            tx,
            command_id,
            source=body.source,
            target=body.target,
            reason=body.reason,
            by=caller.actor,
            now=at.now,
        )
        both = [body.source, body.target]
        await accessed(tx, caller, AuditAction.EXECUTE, ASK, at=at.real, entities=both, patients=both)
        return Planned.answered(HTTPStatus.CREATED, asked.model_dump(mode="json"))

    return await state.dispatcher.submit(caller, key=key, command=ASK, body=body.model_dump(mode="json"), plan=plan)


async def submit_decision(state: AppState, caller: Caller, key: str, merge_id: UUID, body: Decision) -> Outcome:
    """Raises NotFound, AlreadyDone, Forbidden; what `$merge` refuses with."""

    async def plan(tx: Transaction, command_id: UUID) -> Planned:
        at = await present(tx, state)
        merging = body.decision == "merge"
        asked = await patient_merges.decide(tx, merge_id, by=caller.actor, merge=merging, now=at.now)
        if merging:
            await merge_two(_call(state, caller, at), tx, asked.source, asked.target)
        else:
            both = [asked.source, asked.target]
            await accessed(tx, caller, AuditAction.EXECUTE, DECIDE, at=at.real, entities=both, patients=both)
        return Planned.answered(HTTPStatus.OK, asked.model_dump(mode="json"))

    content = body.model_dump(mode="json") | {"merge": str(merge_id)}
    return await state.dispatcher.submit(caller, key=key, command=DECIDE, body=content, plan=plan)


async def _in_use(tx: Transaction, patient: Reference, field: str) -> None:
    if patient.resource_type != "Patient":
        raise Invalid("not a reference to a patient", field=field)
    try:
        if await patients.held(tx, patient) != patient:
            raise Invalid("this record was merged into another", field=field)
        await records.read(tx, patient)
    except NotFound:
        raise Invalid("no such patient in this hospital", field=field) from None


def _call(state: AppState, caller: Caller, at: Present) -> Call:
    """The merge as FHIR would be asked for it, by the person who decides."""
    asker = Asker(
        caller,
        grants("", caller.roles, small=caller.small),
        at.clock,
        rights(caller.roles, small=caller.small),
    )
    base = f"{state.public_url}/fhir/{caller.hospital}"
    return Call(state, asker, base, Address("operation", type="Patient", operation="merge"), at.real)
