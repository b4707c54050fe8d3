"""Who saw or changed which record over FHIR: one row an access, in its transaction (engine room, 11)."""

from __future__ import annotations

from collections.abc import Iterable

from api.accesses import accessed
from api.fhir.exchange import Call
from api.fhir.mentions import patients_of
from api.fhir.reach import hold_back
from store.audit import AuditAction
from store.database import Transaction
from store.fhir.versions import Version


async def note(tx: Transaction, call: Call, action: AuditAction, versions: Iterable[Version]) -> None:
    """One row for an access to these versions, however many they are."""
    touched = list(versions)
    await hold_back(call, tx, touched)
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
