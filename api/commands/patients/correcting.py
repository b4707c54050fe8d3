"""Putting right what the desk knows of a person: a new version, the one before stays."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from adapters.fhir.coverage import coverage
from adapters.fhir.patient import corrected
from api.accesses import accessed
from api.caller import Caller
from api.care import refuse_beyond
from api.commands.dispatch import Outcome, Planned
from api.commands.patients.shapes import Correction, cover_of, person_of
from api.commands.shapes import answer
from api.deps import IdempotencyKey, allow
from api.present import present
from api.state import AppState, State
from domain.errors import Conflict, Invalid
from domain.ids import Reference, made_id
from domain.resident_numbers import numbers_of
from rules.access import Action
from store import records
from store.audit import AuditAction
from store.database import Transaction
from store.search import finding, parse_query, searching
from store.search.sql import everything

router = APIRouter(prefix="/commands/patients", tags=["patients"])

CORRECT = "correct-patient"


@router.post("/{patient_id}/correct")
async def correct(
    patient_id: str,
    body: Correction,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.CORRECT_PATIENT)],
) -> JSONResponse:
    """Replace what is known by what is sent; numbers that are left out stay."""
    return answer(await submit_correction(state, caller, key, Reference.to("Patient", patient_id), body))


async def submit_correction(state: AppState, caller: Caller, key: str, who: Reference, body: Correction) -> Outcome:
    """Raises Invalid, NotFound, StaleRevision; Conflict for a record that was merged into another."""

    async def plan(tx: Transaction, command_id: UUID) -> Planned:
        at = await present(tx, state)
        await refuse_beyond(tx, caller, Action.CORRECT_PATIENT, who, at.now)
        before = await records.read(tx, who)
        if any(each.get("type") == "replaced-by" for each in before.body.get("link", [])):
            raise Conflict("the record was merged into another")
        made = corrected(before.body, person_of(body, at.now))
        for number in numbers_of(made):
            others = await finding.by_number(tx, number.value, everything, limit=5)
            if any(each.reference != who for each in others):
                raise Invalid("somebody with this number is registered", field="resident_number")
        kept = await records.update(tx, made, if_match=body.version, now=at.now)
        touched = [who]
        if (cover := cover_of(body)) is not None:
            one = Reference.to("Coverage", made_id(tx.hospital, str(command_id), "Coverage"))
            for old in await coverages(tx, who):
                told = await records.read(tx, old)
                await records.update(tx, told.body | {"status": "cancelled"}, if_match=told.version, now=at.now)
                touched.append(old)
            await records.create(tx, coverage(who, cover), id=one.id, now=at.now)
            touched.append(one)
        await accessed(tx, caller, AuditAction.UPDATE, CORRECT, at=at.real, entities=touched, patients=[who])
        return Planned.answered(HTTPStatus.OK, {"patient": who, "version": kept.version})

    content = body.model_dump(mode="json") | {"patient": who}
    return await state.dispatcher.submit(caller, key=key, command=CORRECT, body=content, plan=plan)


async def coverages(tx: Transaction, who: Reference) -> list[Reference]:
    """What covers the patient now."""
    query = parse_query("Coverage", [("beneficiary", str(who)), ("status", "active")])
    return await searching.references(tx, query, scope=everything, limit=20)
