"""Who saw or changed which record over FHIR: one row an access, in its transaction (engine room, 11)."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote, urlencode

from api.accesses import accessed, request_id
from api.denials import denied
from api.fhir.exchange import Call
from api.fhir.mentions import patients_of
from api.fhir.reach import hold_back
from domain.errors import PhisError
from domain.ids import Reference
from store.audit import AuditAction
from store.database import Transaction
from store.fhir.versions import Version

ACTIONS = {
    "create": AuditAction.CREATE,
    "update": AuditAction.UPDATE,
    "patch": AuditAction.UPDATE,
    "delete": AuditAction.DELETE,
    "read": AuditAction.READ,
    "vread": AuditAction.READ,
    "history-instance": AuditAction.READ,
    "batch": AuditAction.EXECUTE,
}
"""What an interaction is to the audit; what is not named here asks for a list."""


def query_of(call: Call) -> str:
    """A search as it was asked: `Patient?name=kim`, in its compartment, or an operation."""
    at = call.address
    parts = [at.compartment or at.type, at.id, at.type if at.compartment else "", at.operation and f"${at.operation}"]
    path = "/".join(part for part in parts if part)
    return f"{path}?{urlencode(list(call.params), quote_via=quote)}" if call.params else path


async def refused(call: Call, refusal: PhisError, what: str) -> None:
    """A denial, with the record that was asked for: whose record somebody tried to reach is what it is for.

    what: the action, where the refusal names none.
    """
    at = call.address
    kind = at.compartment or at.type  # none of an export's own address
    address = [Reference.to(kind, at.id)] if kind and at.id else []
    named = [Reference(told)] if (told := refusal.params.get("reference")) else address
    action = ACTIONS.get(at.interaction, AuditAction.QUERY)
    await denied(
        call.state,
        call.asker.caller,
        refusal.params.get("action", what),
        action=action,
        entities=named,
        patients=[ref for ref in named if ref.resource_type == "Patient"],
        request=request_id(call.headers.get("x-request-id")),
        query=query_of(call) if action is AuditAction.QUERY else None,
    )


async def note(tx: Transaction, call: Call, action: AuditAction, versions: Iterable[Version]) -> None:
    """One row for an access to these versions, however many they are."""
    touched = list(versions)
    await hold_back(call, tx, touched, written=action not in {AuditAction.READ, AuditAction.QUERY})
    one = [touched[0].reference] if len(touched) == 1 else []
    await accessed(
        tx,
        call.asker.caller,
        action,
        f"fhir/{call.address.interaction}",
        at=call.real,
        entities=one if action is AuditAction.QUERY else [version.reference for version in touched],
        patients=patients_of(touched),
        request=request_id(call.headers.get("x-request-id")),
        query=query_of(call) if action is AuditAction.QUERY else None,
        found=len(touched) if action is AuditAction.QUERY else None,
    )
