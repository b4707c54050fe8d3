"""Whether a person's rights reach a patient: asked by screens and commands, where FHIR asks in its queries."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from api.caller import Caller
from domain.errors import Forbidden, OutOfReach
from domain.ids import Reference
from domain.reach import Reach
from rules.access import Action, reach_of, roles_for
from store import accounts
from store.care.circle import Circle, circle
from store.care.scope import sensitive
from store.database import Transaction


async def refuse_beyond(tx: Transaction, caller: Caller, action: Action, patient: Reference, now: datetime) -> None:
    """Raises OutOfReach, with the patient, for a record that is not the caller's to open. `now`: hospital time.

    Its `why` is `care`, where a relation of care or a broken glass is missing, or `purpose`, where a purpose is. A
    program's token has no ward and treats nobody: its roles and scopes alone limit it.
    """
    if not is_person(caller):
        return
    reach = reach_of(caller.roles, action, small=caller.small)
    if reach is Reach.NONE:
        raise Forbidden(action.value, action=action.value, roles=",".join(sorted(roles_for(action))))
    known = await circle(tx, caller.actor, caller.roles, now, also=caller.on_behalf_of)
    if not known.holds(patient, reach):
        raise OutOfReach("not in the caller's care", reference=patient, patient=patient, why="care")
    await _refuse_without_purpose(tx, known, patient)


async def refuse_without_purpose(tx: Transaction, caller: Caller, patient: Reference, now: datetime) -> None:
    """Raises OutOfReach with the `why` `purpose`, where the caller's task or role brings the patient into reach."""
    if is_person(caller):
        known = await circle(tx, caller.actor, caller.roles, now, also=caller.on_behalf_of)
        await _refuse_without_purpose(tx, known, patient)


async def _refuse_without_purpose(tx: Transaction, known: Circle, patient: Reference) -> None:
    if not known.knows_why(patient) and patient in await sensitive(tx, [patient]):
        raise OutOfReach("a sensitive record needs a purpose", reference=patient, patient=patient, why="purpose")


async def veiled_patients(
    tx: Transaction, caller: Caller, patients: Iterable[Reference], now: datetime
) -> frozenset[Reference]:
    """Of the patients of a list, those whose records need a purpose that the caller has not stated."""
    listed = sorted(set(patients))
    if not listed or not is_person(caller):
        return frozenset()
    known = await circle(tx, caller.actor, caller.roles, now, also=caller.on_behalf_of)
    return frozenset(each for each in await sensitive(tx, listed) if not known.knows_why(each))


def is_person(caller: Caller) -> bool:
    return caller.csrf is not None or accounts.is_person(caller.actor)
