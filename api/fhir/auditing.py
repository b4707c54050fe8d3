"""Who saw or changed which record over FHIR: one row an access, in its transaction (engine room, 11)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from api.accesses import accessed
from api.fhir.exchange import Call
from domain.ids import Reference
from store.audit import AuditAction
from store.database import Transaction
from store.fhir.versions import Version

_PATIENT = re.compile(rb'"reference"\s*:\s*"(?:[^"\s]*/)?(Patient/[A-Za-z0-9\-.]{1,64})(?:/_history/[^"]*)?"')


def patients_of(versions: Iterable[Version]) -> set[Reference]:
    """Every patient that resources are about or mention, found in the text: parsing costs more than the read."""
    found: set[Reference] = set()
    for version in versions:
        if version.reference.resource_type == "Patient":
            found.add(version.reference)
        found.update(Reference(match.decode()) for match in _PATIENT.findall(version.text))
    return found


async def note(tx: Transaction, call: Call, action: AuditAction, versions: Iterable[Version]) -> None:
    """One row for an access to these versions, however many they are."""
    touched = list(versions)
    one = [touched[0].reference] if len(touched) == 1 else []
    await accessed(
        tx,
        call.asker.caller,
        action,
        f"fhir/{call.address.interaction}",
        at=call.real,
        entities=one if action is AuditAction.QUERY else [version.reference for version in touched],
        patients=patients_of(touched),
    )
