"""vread: one version of a resource (hl7.org/fhir/R4/http.html#vread)."""

from __future__ import annotations

from api.fhir import auditing
from api.fhir.exchange import Answer, Call
from api.fhir.read import shown
from domain.errors import NotFound
from domain.ids import Reference
from store.audit import AuditAction
from store.database import Transaction
from store.fhir import reading

_LARGEST = 2**31 - 1


async def vread(call: Call, tx: Transaction) -> Answer:
    """Raises NotFound; Deleted for the version that is the deletion."""
    at = call.address
    call.require("r", at.type)
    if not (at.version.isascii() and at.version.isdecimal()) or not 0 < int(at.version[:12]) <= _LARGEST:
        raise NotFound("no such resource", reference=Reference.to(at.type, at.id))
    found = await reading.vread(tx, Reference.to(at.type, at.id), int(at.version))
    await auditing.note(tx, call, AuditAction.READ, [found])
    return shown(call, found)
