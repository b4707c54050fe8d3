"""create: a new resource under an id that the server gives (hl7.org/fhir/R4/http.html#create, #ccreate)."""

from __future__ import annotations

from http import HTTPStatus
from uuid import uuid4

from api.fhir import conditional, versions
from api.fhir.checking import checked
from api.fhir.exchange import Answer, Call
from api.fhir.kept import refuse_joined
from api.fhir.writes import keep, told
from domain.ids import Reference
from store.audit import AuditAction
from store.database import Transaction
from store.fhir import reading
from store.fhir.writing import Write


async def create(call: Call, tx: Transaction) -> Answer:
    """With If-None-Exist: 200 and the resource that exists, if one does. Raises MultipleMatches, Invalid.

    Criteria in the address mean the same. R4 does not say so, but its clients write them, and passing them over would
    make the duplicate that they are there to prevent.
    """
    kind = call.address.type
    call.require("c", kind)
    resource = await checked(call.sent(), kind)
    condition, pairs, field = call.headers.get("if-none-exist"), conditional.named_by(call.params), "http.query"
    if condition is not None:
        field = "http.If-None-Exist"
        pairs = conditional.criteria_of(condition, field)
    if condition is not None or pairs:
        found = await conditional.the_one(tx, call, kind, pairs, field)
        if found is not None:
            there = await reading.read(tx, found)
            return told(call, HTTPStatus.OK, there, at=versions.location(call, there))
    ref = Reference.to(kind, str(uuid4()))
    if (rights := call.asker.rights) is not None:
        refuse_joined(ref, resource, rights.unchangeable(kind))
    kept = await keep(tx, call, Write(ref, resource, call.body, 0, known_new=True), AuditAction.CREATE)
    return told(call, HTTPStatus.CREATED, kept, at=versions.location(call, kept))
