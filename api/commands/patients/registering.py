"""Registering a person, once: who may be the same is shown before anything is written."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from adapters.fhir.coverage import coverage
from adapters.fhir.patient import mother_of, registered
from api.accesses import accessed
from api.caller import Caller
from api.commands.dispatch import Outcome, Planned
from api.commands.patients.shapes import Registration, cover_of, person_of
from api.commands.shapes import answer
from api.deps import IdempotencyKey, allow
from api.likeness import likely
from api.present import present
from api.state import AppState, State
from domain.errors import Invalid, LikelyDuplicate, NotFound
from domain.ids import Reference, made_id
from domain.matching import Score
from domain.patients import Kind, Person
from domain.resident_numbers import numbers_of
from rules.access import Action
from store import patients, records
from store.audit import AuditAction
from store.database import Transaction
from store.fhir.versions import Version
from store.records import Stored
from store.search.sql import everything

router = APIRouter(prefix="/commands/patients", tags=["patients"])

REGISTER = "register-patient"


@router.post("", status_code=HTTPStatus.CREATED)
async def register(
    body: Registration,
    key: IdempotencyKey,
    state: State,
    caller: Annotated[Caller, allow(Action.REGISTER_PATIENT)],
) -> JSONResponse:
    """Register a person under the hospital's next number. Whoever may be the same must have been looked at."""
    return answer(await submit_registration(state, caller, key, body))


async def submit_registration(state: AppState, caller: Caller, key: str, body: Registration) -> Outcome:
    """Raises Invalid with the field, LikelyDuplicate with the patients that are not in `none_of`."""

    async def plan(tx: Transaction, command_id: UUID) -> Planned:
        at = await present(tx, state)
        # Taken first: whoever registers at the same moment waits here, and is then seen.
        number = await patients.next_number(tx)
        mother = await _mother(tx, body)
        person = person_of(body, at.now, mother=_name(mother))
        made = registered(person, number)
        await _refuse_known(tx, body, person, made)
        who = _named(tx, command_id, "Patient")
        await records.create(tx, made, id=who.id, now=at.now)
        touched = [who, *await _beside(tx, command_id, body, who, mother=mother, now=at.now)]
        about = [who, *([mother.reference] if mother else [])]
        await accessed(tx, caller, AuditAction.CREATE, REGISTER, at=at.real, entities=touched, patients=about)
        return Planned.answered(HTTPStatus.CREATED, {"patient": who, "number": number})

    return await state.dispatcher.submit(
        caller, key=key, command=REGISTER, body=body.model_dump(mode="json"), plan=plan
    )


async def alike(tx: Transaction, person: dict[str, Any]) -> list[tuple[Version, Score]]:
    """Who may be the same, of the whole hospital: a duplicate elsewhere is one, too. Nobody where little is known."""
    try:
        return await likely(tx, person, everything)
    except Invalid:
        return []


async def _refuse_known(tx: Transaction, body: Registration, person: Person, made: dict[str, Any]) -> None:
    if person.kind is Kind.UNKNOWN and not (person.named or person.resident_number or person.phone):
        return  # a name that the house made up is like nobody's
    found = await alike(tx, made)
    numbers = {each.digits for each in numbers_of(made)}
    if numbers and any(numbers & {each.digits for each in numbers_of(one.body)} for one, _ in found):
        raise Invalid("somebody with this number is registered", field="resident_number")
    likeliest = [one.reference for one, _ in found if one.reference not in body.none_of]
    if likeliest:
        raise LikelyDuplicate("somebody who may be the same is registered", patients=",".join(likeliest))


async def _mother(tx: Transaction, body: Registration) -> Stored | None:
    if body.kind is not Kind.NEWBORN:
        if body.mother is not None:
            raise Invalid("only a newborn is registered with its mother", field="mother")
        return None
    if body.mother is None or body.mother.resource_type != "Patient":
        raise Invalid("a newborn is registered with its mother", field="mother")
    if body.born_at is None:
        raise Invalid("the time of birth is needed", field="born_at")
    try:
        found = await records.read(tx, await patients.held(tx, body.mother))
    except NotFound:
        raise Invalid("no such patient in this hospital", field="mother") from None
    if found.body.get("gender") == "male":
        raise Invalid("this patient cannot be the mother", field="mother")
    return found


async def _beside(
    tx: Transaction, command_id: UUID, body: Registration, who: Reference, *, mother: Stored | None, now: datetime
) -> list[Reference]:
    """What belongs to the person: coverage, and the mother as a relative, whom her own record names."""
    made = []
    if (cover := cover_of(body)) is not None:
        one = _named(tx, command_id, "Coverage")
        await records.create(tx, coverage(who, cover), id=one.id, now=now)
        made.append(one)
    if mother is not None:
        kin = _named(tx, command_id, "RelatedPerson")
        await records.create(tx, mother_of(who, mother.reference, _name(mother)), id=kin.id, now=now)
        link = {"other": {"reference": str(kin)}, "type": "seealso"}
        changed = mother.body | {"link": [*mother.body.get("link", []), link]}
        await records.update(tx, changed, if_match=mother.version, now=now)
        made += [kin, mother.reference]
    return made


def _named(tx: Transaction, command_id: UUID, kind: str) -> Reference:
    return Reference.to(kind, made_id(tx.hospital, str(command_id), kind))


def _name(mother: Stored | None) -> str:
    names = mother.body.get("name", []) if mother else []
    return next((str(each["text"]) for each in names if each.get("text")), "")
