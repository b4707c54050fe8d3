"""read: the newest version of a resource, or that it has not changed (hl7.org/fhir/R4/http.html#read, #cread)."""

from __future__ import annotations

from http import HTTPStatus

from api.fhir import auditing, subsets, versions
from api.fhir.exchange import Answer, Call
from api.fhir.veil import veiled
from domain.errors import Deleted
from domain.ids import Reference
from store.audit import AuditAction
from store.database import Transaction
from store.fhir import reading
from store.fhir.versions import Version


async def read(call: Call, tx: Transaction) -> Answer:
    """Raises NotFound, Deleted."""
    at = call.address
    call.require("r", at.type)
    found = await reading.read(tx, Reference.to(at.type, at.id))
    await auditing.note(tx, call, AuditAction.READ, [found])
    return shown(call, found)


def shown(call: Call, found: Version) -> Answer:
    """A version as read and vread answer it. Raises Deleted."""
    if found.deleted:
        raise Deleted("deleted; its history stays", reference=found.reference, version=str(found.version))
    found = veiled(call, found)
    if versions.unchanged(call, found):
        return versions.answer(HTTPStatus.NOT_MODIFIED, found, b"")
    return versions.answer(HTTPStatus.OK, found, subsets.text_of(call, found))
