"""patch: some elements of a resource, by JSON Patch or FHIRPath Patch.

hl7.org/fhir/R4/http.html#patch, fhirpatch.html

Conditional patch: the address names a search instead of an id.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from adapters.fhir.patch import apply_fhirpath_patch, apply_json_patch
from api.fhir import conditional, versions
from api.fhir.checking import checked
from api.fhir.exchange import JSON_PATCH, Answer, Call
from api.fhir.outcome import expression_of
from api.fhir.reach import refuse_unseen
from api.fhir.text import Json, parse, write
from api.fhir.update import refuse_wrong_state
from api.fhir.veil import masked
from api.fhir.weight import refuse_heavy
from api.fhir.writes import keep, told
from domain.errors import Deleted, Invalid, NotFound
from domain.ids import Reference
from store.audit import AuditAction
from store.database import Transaction
from store.fhir import reading
from store.fhir.writing import Write


async def patch(call: Call, tx: Transaction) -> Answer:
    """Raises NotFound, Deleted, Invalid, StaleRevision, ProcessOwned, MultipleMatches."""
    call.require("u", call.address.type)
    write_ = await patched(tx, call)
    kept = await keep(tx, call, write_, AuditAction.UPDATE)
    return told(call, HTTPStatus.OK, kept, at=versions.location(call, kept))


async def patched(tx: Transaction, call: Call) -> Write:
    """The write that a patch comes to."""
    ref = await _target(tx, call)
    head = await reading.locked(tx, ref)
    versions.refuse_stale(call, ref, head)
    if head is None:
        raise NotFound("no such resource", reference=ref)
    if head.deleted:
        raise Deleted("deleted; its history stays", reference=ref, version=str(head.version))
    before = parse(masked(call, await reading.read(tx, ref)).text)  # `test` and paths would tell what is masked
    resource = _applied(call, before)
    if resource.get("id") != ref.id or resource.get("resourceType") != ref.resource_type:
        raise Invalid("a patch changes neither the type of a resource nor its id", field="/id")
    refuse_heavy(resource)
    await refuse_wrong_state(tx, call, ref, head, resource)
    await checked(resource, ref.resource_type)
    return Write(ref, resource, write(resource), head.version, locked=head)


async def _target(tx: Transaction, call: Call) -> Reference:
    kind, id_ = call.address.type, call.address.id
    if id_:
        return Reference.to(kind, id_)
    found = await conditional.the_one(tx, call, kind, call.params, "http.query")
    if found is None:
        raise NotFound("nothing meets the criteria")
    await refuse_unseen(call, tx, [found], "u")  # who may find it need not reach it to change it
    return found


def _applied(call: Call, before: Json) -> Json:
    if not call.body:
        raise Invalid("the request has no body; it needs a patch", field="")
    sent = parse(call.body)
    content_type = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    apply: Callable[[Json, Any], Json]
    if content_type == JSON_PATCH or isinstance(sent, list):
        apply, root = apply_json_patch, "Patch"
    elif isinstance(sent, dict) and sent.get("resourceType") == "Parameters":
        apply, root = apply_fhirpath_patch, "Parameters"
    else:
        raise Invalid("a patch is a JSON Patch or a Parameters resource", field="/resourceType")
    try:
        after = apply(before, sent)
    except Invalid as refused:
        raise Invalid(str(refused), expression=expression_of(refused.params, root)) from refused
    if not isinstance(after, dict):
        raise Invalid("the patch leaves no resource", expression=root)
    return after
