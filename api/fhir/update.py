"""update: a new version of a resource, or a resource under the client's id (hl7.org/fhir/R4/http.html#update, #upsert).

Conditional update (#cond-update): the address names a search instead of an id.
"""

from __future__ import annotations

from http import HTTPStatus
from uuid import uuid4

from api.fhir import conditional, versions
from api.fhir.checking import checked
from api.fhir.exchange import Answer, Call
from api.fhir.kept import refuse_joined, refuse_kept
from api.fhir.reach import refuse_unseen
from api.fhir.text import Json
from api.fhir.veil import whole
from api.fhir.writes import current_body, keep, told
from domain.errors import Conflict, Invalid, NotFound, StaleRevision
from domain.ids import Reference
from domain.ownership import refuse_change
from domain.reach import Reach
from store.audit import AuditAction
from store.database import Transaction
from store.fhir import reading
from store.fhir.versions import Head
from store.fhir.writing import Write


async def update(call: Call, tx: Transaction) -> Answer:
    """Raises Invalid, StaleRevision (If-Match, or If-None-Match: *), ProcessOwned, MultipleMatches."""
    kind = call.address.type
    call.require("u", kind)
    resource = await checked(call.sent(), kind)
    ref = await target(tx, call, resource)
    await refuse_unseen(call, tx, [ref], "u")  # before its state is looked at: every other refusal would tell of it
    head = await reading.locked(tx, ref)
    await refuse_wrong_state(tx, call, ref, head, resource)
    there = head is not None and not head.deleted
    write = Write(ref, resource, call.body, head.version if head else 0, locked=head)
    kept = await keep(tx, call, write, AuditAction.UPDATE if there else AuditAction.CREATE)
    status = HTTPStatus.OK if there else HTTPStatus.CREATED
    return told(call, status, kept, at=versions.location(call, kept))


async def target(tx: Transaction, call: Call, resource: Json) -> Reference:
    """What is to be updated: by id, or by the search in the address. Gives the resource its id."""
    kind, id_, own = call.address.type, call.address.id, resource.get("id")
    if id_:
        if own != id_:
            said = "the resource has no id" if own is None else "the resource has another id than the address"
            raise Invalid(f"{said}; it needs the id of the address", field="/id")
        return Reference.to(kind, id_)
    found = await conditional.the_one(tx, call, kind, call.params, "http.query")
    if found is None:
        new = Reference.to(kind, own or str(uuid4()))
        if own is not None:
            await refuse_other(call, tx, new)
        return new
    if own is not None and own != found.id:
        raise Invalid("the resource has another id than the one that the criteria name", field="/id")
    return found


async def refuse_other(call: Call, tx: Transaction, ref: Reference) -> None:
    """Raises Conflict for an id that a resource has which does not meet the criteria: the client means another one.

    R4 leaves it open; R5 says 409 (hl7.org/fhir/R5/http.html#cond-update).
    """
    head = (await reading.heads(tx, [ref])).get(ref)
    if head is not None and not head.deleted:
        await refuse_unseen(call, tx, [ref], "u")
        raise Conflict("a resource with this id is there, and the criteria do not name it", reference=ref, field="/id")


async def refuse_wrong_state(
    tx: Transaction, call: Call, ref: Reference, head: Head | None, resource: Json | None
) -> None:
    """Raises StaleRevision for a version that has passed, ProcessOwned for state that only commands change,
    Forbidden for elements that the caller's roles do not change, NotFound where they would create what they may not."""
    versions.refuse_stale(call, ref, head)
    there = head is not None and not head.deleted
    if there and call.headers.get("if-none-match", "").strip() == "*":
        raise StaleRevision("the resource exists", reference=ref, expected="none", actual=str(head and head.version))
    rights = call.asker.rights
    if not there and rights is not None and rights.reach("c", ref.resource_type) is Reach.NONE:
        raise NotFound("no such resource", reference=ref)  # as out of reach: who may not create learns no more
    if rights is not None and not there and resource is not None:
        refuse_joined(ref, resource, rights.unchangeable(ref.resource_type))
    if head is None or not there or resource is None or (head.owner is None and rights is None):
        return
    before = await current_body(tx, ref)
    if head.owner is not None:
        refuse_change(ref, before, whole(resource, before))
    if rights is not None:
        refuse_kept(ref, before, whole(resource, before), rights.unchangeable(ref.resource_type))
