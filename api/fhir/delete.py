"""delete: the resource is gone, its history stays (hl7.org/fhir/R4/http.html#delete, #cdelete)."""

from __future__ import annotations

from http import HTTPStatus

from api.fhir import conditional, versions
from api.fhir.exchange import Answer, Call
from api.fhir.reach import refuse_unseen
from api.fhir.writes import keep
from domain.ids import Reference
from domain.ownership import refuse_delete
from store.audit import AuditAction
from store.database import Transaction
from store.fhir import reading
from store.fhir.versions import Head
from store.fhir.writing import Write


async def delete(call: Call, tx: Transaction) -> Answer:
    """204, also when there was nothing to delete. Raises StaleRevision, ProcessOwned, MultipleMatches."""
    kind, id_ = call.address.type, call.address.id
    call.require("d", kind)
    if id_:
        ref: Reference | None = Reference.to(kind, id_)
    else:
        ref = await conditional.the_one(tx, call, kind, call.params, "http.query")
    if ref is None:
        return Answer(HTTPStatus.NO_CONTENT)
    await refuse_unseen(call, tx, [ref], "d")  # who may find it need not reach it to delete it
    head = await reading.locked(tx, ref)
    versions.refuse_stale(call, ref, head)
    if head is None:
        return Answer(HTTPStatus.NO_CONTENT)
    if head.deleted:
        return Answer(HTTPStatus.NO_CONTENT, etag=head.version)
    refuse_owned(ref, head)
    gone = await keep(tx, call, Write(ref, None, None, head.version, locked=head), AuditAction.DELETE)
    return Answer(HTTPStatus.NO_CONTENT, etag=gone.version)


def refuse_owned(ref: Reference, head: Head) -> None:
    """Raises ProcessOwned for a resource that a process keeps."""
    if head.owner is not None:
        refuse_delete(ref)
