"""Finding a patient by what somebody types, or by a resident registration number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field, StringConstraints

from api.accesses import accessed
from api.caller import Caller
from api.care import is_person, veiled_patients
from api.commands.patients.shapes import ZONE
from api.commands.shapes import Body
from api.deps import allow
from api.present import present
from api.state import AppState, State
from domain import resident_numbers
from domain.errors import Forbidden, Invalid
from domain.ids import Reference
from domain.matching.finding import LONGEST, terms
from rules.access import Action, reach_of, rights
from store.audit import AuditAction
from store.care.circle import circle
from store.care.scope import in_reach
from store.database import Transaction
from store.fhir.versions import Version
from store.search import finding
from store.search.sql import ScopePredicate, everything

router = APIRouter(prefix="/commands/patients", tags=["patients"])

SHOWN = 50


class Asked(Body):
    """One of both. `text`: what somebody types.  `resident_number`: the whole number."""

    text: Annotated[str, StringConstraints(max_length=LONGEST)] = ""
    resident_number: Annotated[str, StringConstraints(max_length=20)] = ""
    limit: Annotated[int, Field(ge=1, le=SHOWN)] = SHOWN


@dataclass(frozen=True)
class Found:
    """bodies: as the caller may see them, in the order to show; None for a sensitive record without a purpose.

    more: there are others, whom more words would tell apart.
    """

    bodies: Mapping[Reference, Mapping[str, Any] | None]
    more: bool


@router.post("/search")
async def search(body: Asked, state: State, caller: Annotated[Caller, allow(Action.FIND_PATIENT)]) -> dict[str, Any]:
    """Patients whom the caller may see, by any of name, number, telephone and date of birth, or several together."""
    found = await find(state, caller, body)
    listed = [{"patient": each, "record": shown} for each, shown in found.bodies.items()]
    return {"patients": listed, "more": found.more}


async def find(state: AppState, caller: Caller, asked: Asked) -> Found:
    """Raises Invalid where there is nothing to go by, Forbidden for a number by somebody who sees numbers masked."""
    async with state.database.transaction(caller.hospital) as tx:
        at = await present(tx, state)
        scope = await scope_of(tx, caller, at.now)
        if asked.resident_number:
            versions = await _by_number(tx, caller, asked.resident_number, scope)
            how = Action.FIND_PATIENT.value + "/number"
        else:
            wanted = terms(asked.text, at.now.astimezone(ZONE).date())
            if not wanted:
                raise Invalid("nothing to go by", field="text")
            versions = await finding.found(tx, wanted, scope, limit=asked.limit + 1)
            how = Action.FIND_PATIENT.value
        more, versions = len(versions) > asked.limit, versions[: asked.limit]
        ordered = sorted(versions, key=lambda each: _order(each, asked.text))
        veiled = await veiled_patients(tx, caller, [each.reference for each in ordered], at.now)
        listed = [each.reference for each in ordered]
        await accessed(tx, caller, AuditAction.QUERY, how, at=at.real, patients=listed, found=len(listed))
    shown = {each.reference: None if each.reference in veiled else visible(caller, each.body) for each in ordered}
    return Found(shown, more)


async def scope_of(tx: Transaction, caller: Caller, now: Any) -> ScopePredicate:
    """The patients whom the caller may find."""
    if not is_person(caller):
        return everything
    known = await circle(tx, caller.actor, caller.roles, now, also=caller.on_behalf_of)
    return in_reach({"Patient": reach_of(caller.roles, Action.FIND_PATIENT, small=caller.small)}, known)


def visible(caller: Caller, body: Mapping[str, Any]) -> dict[str, Any]:
    """A Patient without what the caller's roles hide, its numbers masked where they are."""
    own = rights(caller.roles, small=caller.small)
    hidden = own.hidden.get("Patient", frozenset())
    shown = {name: value for name, value in body.items() if name.removeprefix("_") not in hidden}
    return resident_numbers.masked(shown) if own.masked else shown


async def _by_number(tx: Transaction, caller: Caller, typed: str, scope: ScopePredicate) -> list[Version]:
    number = resident_numbers.parse("".join(typed.split()))
    if number is None:
        raise Invalid("not a resident registration number", field="resident_number")
    if rights(caller.roles, small=caller.small).masked:
        raise Forbidden("the caller sees resident registration numbers masked", action="search-identifier")
    return await finding.by_number(tx, number.value, scope, limit=SHOWN)


def _order(version: Version, typed: str) -> tuple[bool, bool, str, str]:
    """Whoever has the very name first, and records in use before others."""
    names = [str(each.get("text", "")) for each in version.body.get("name", [])]
    exact = any(name and name.casefold() in typed.casefold() for name in names)
    first = names[0] if names else ""
    return (not exact, version.body.get("active") is False, first, str(version.body.get("birthDate", "")))
