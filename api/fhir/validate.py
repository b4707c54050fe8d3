"""$validate: would this be kept, and what else is there to say (hl7.org/fhir/R4/resource-operation-validate.html).

It answers 200 with an OperationOutcome, also for a resource full of errors, and keeps nothing.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from adapters.fhir.validation import check_fully
from api.fhir import auditing, outcome
from api.fhir.checking import issues
from api.fhir.exchange import Answer, Call
from api.fhir.text import Json, write
from domain.errors import Deleted, Invalid
from domain.ids import Reference
from store.audit import AuditAction
from store.database import Transaction
from store.fhir import reading

_MODES = frozenset({"create", "update", "delete", "profile"})


async def validate(call: Call, tx: Transaction) -> Answer:
    """A resource in the body, bare or in Parameters; without a body the one that the address names."""
    at = call.address
    resource, mode = _asked(call)
    if mode not in {None, *_MODES}:
        raise Invalid("mode is create, update, delete or profile", field="mode")
    if resource is None and at.id:
        call.require("r", at.type)
        resource = await _kept(call, tx, Reference.to(at.type, at.id))
    if resource is None:
        raise Invalid("there is no resource to validate", field="resource")
    profile = call.first("profile")
    found = issues(check_fully(resource, profile_urls=[profile] if profile else []))
    if resource.get("resourceType") != at.type:
        found.insert(0, outcome.error("invalid", f"the address validates a {at.type}", at.type))
    if mode == "update" and at.id and resource.get("id") != at.id:
        found.insert(0, outcome.error("invalid", "the resource's id is not the id of the address", f"{at.type}.id"))
    said = outcome.outcome(found) if found else outcome.all_well("no issues")
    return Answer(HTTPStatus.OK, write(said))


def _asked(call: Call) -> tuple[Json | None, str | None]:
    sent, mode = call.resource, call.first("mode")
    if sent is None or sent.get("resourceType") != "Parameters" or call.address.type == "Parameters":
        return sent, mode
    given: dict[str, Any] = {}
    parameters = sent.get("parameter", [])
    for parameter in parameters if isinstance(parameters, list) else []:
        if isinstance(parameter, dict):
            given[str(parameter.get("name"))] = parameter
    resource = given.get("resource", {}).get("resource")
    if resource is not None and not isinstance(resource, dict):
        raise Invalid("a resource is an object", field="resource")
    return resource, given.get("mode", {}).get("valueCode", mode)


async def _kept(call: Call, tx: Transaction, ref: Reference) -> Json:
    found = await reading.read(tx, ref)
    if found.deleted:
        raise Deleted("deleted; its history stays", reference=ref, version=str(found.version))
    await auditing.note(tx, call, AuditAction.READ, [found])
    return found.body
