"""The whole resident registration number of a patient, for somebody who otherwise sees it masked."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import StringConstraints

from api.accesses import accessed
from api.caller import Caller
from api.care import refuse_beyond
from api.commands.shapes import Body
from api.deps import allow
from api.present import present
from api.state import State
from domain.errors import Invalid
from domain.ids import Reference
from domain.resident_numbers import numbers_of
from rules.access import Action
from store import records
from store.audit import AuditAction

router = APIRouter(prefix="/commands", tags=["care"])


class Asked(Body):
    """`reason`: what the number is needed for, ten signs at least; it stands in the audit."""

    patient: Reference
    reason: Annotated[str, StringConstraints(min_length=10, max_length=500)]


@router.post("/resident-numbers")
async def see(
    body: Asked, state: State, caller: Annotated[Caller, allow(Action.SEE_RESIDENT_NUMBER, step_up=True)]
) -> dict[str, Any]:
    """The whole numbers of one patient. Each question is an access of its own in the audit, with its reason."""
    if body.patient.resource_type != "Patient":
        raise Invalid("a patient is named", field="patient")
    async with state.database.transaction(caller.hospital) as tx:
        at = await present(tx, state)
        await refuse_beyond(tx, caller, Action.SEE_RESIDENT_NUMBER, body.patient, at.now)
        found = numbers_of((await records.read(tx, body.patient)).body)
        await accessed(
            tx,
            caller,
            AuditAction.READ,
            Action.SEE_RESIDENT_NUMBER.value,
            at=at.real,
            entities=[body.patient],
            patients=[body.patient],
            reason=body.reason,
        )
    return {
        "patient": body.patient,
        "numbers": [{"value": each.value, "foreign": each.foreign, "check_digit": each.check_digit} for each in found],
    }
