"""$validate: would this be kept, and what else is there to say (hl7.org/fhir/R4/resource-operation-validate.html).

It answers 200 with an OperationOutcome, also for a resource full of errors, and keeps nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from adapters.fhir.validation import check_fully
from api.fhir import auditing, outcome
from api.fhir.checking import closely, issues
from api.fhir.exchange import Answer, Call
from api.fhir.profiles import Profiles
from api.fhir.terminology import terminology
from api.fhir.text import Json, write
from domain.errors import Deleted, Invalid, ProcessOwned
from domain.ids import Reference
from domain.ownership import refuse_change, refuse_delete
from store.audit import AuditAction
from store.database import Transaction
from store.fhir import reading
from store.fhir.versions import Version

_MODES = frozenset({"create", "update", "delete", "profile"})


async def validate(call: Call, tx: Transaction) -> Answer:
    """A resource in the body, bare or in Parameters; without a body the one that the address names.

    mode: `create` and `update` ask whether a write would be accepted; `delete` whether the resource of the address may
    be deleted; `profile` looks at that resource by the profile that is named.
    """
    at = call.address
    resource, mode, profile = _asked(call)
    if mode not in {None, *_MODES}:
        raise Invalid("mode is create, update, delete or profile", field="mode")
    if mode in {"update", "delete", "profile"} and not at.id:
        raise Invalid(f"the mode {mode} is asked of a resource that the address names", field="mode")
    if mode == "profile" and profile is None:
        raise Invalid("the mode profile needs the profile to look at", field="profile")
    kept = await _kept(call, tx) if at.id and (resource is None or mode in {"delete", "profile"}) else None
    if mode == "delete" and kept is not None:
        return _answer(_of_delete(kept))
    if kept is not None:
        resource = kept.body
    if resource is None:
        raise Invalid("there is no resource to validate", field="resource")
    found = await _checked(call, tx, resource, [profile] if profile else [])
    if resource.get("resourceType") != at.type:
        found.insert(0, outcome.error("invalid", f"the address validates a {at.type}", at.type))
    if mode == "update":
        found[:0] = await _of_update(call, tx, resource)
    return _answer(found)


async def _checked(call: Call, tx: Transaction, resource: Json, named: list[str]) -> list[Json]:
    meta = resource.get("meta")
    declared = meta.get("profile") if isinstance(meta, dict) else None
    urls = [*named, *(each for each in declared if isinstance(each, str))] if isinstance(declared, list) else named
    if not urls:
        return issues(await closely(resource, lambda: check_fully(resource)))
    known = await Profiles.named(await terminology(call, tx), urls)
    return issues(
        await closely(resource, lambda: check_fully(resource, profile_urls=named, find=known.find, inside=known.inside))
    )


async def _of_update(call: Call, tx: Transaction, resource: Json) -> list[Json]:
    """What would be refused of an update, were the content right."""
    at = call.address
    if resource.get("id") != at.id:
        return [outcome.error("invalid", "the resource's id is not the id of the address", f"{at.type}.id")]
    ref = Reference.to(at.type, at.id)
    before = (await reading.read_many(tx, [ref])).get(ref)
    if before is None or before.deleted or before.owner is None:
        return []
    call.require("r", at.type)
    try:
        refuse_change(ref, before.body, resource)
    except ProcessOwned as owned:
        return _owned(owned)
    return []


def _of_delete(kept: Version) -> list[Json]:
    if kept.owner is not None:
        try:
            refuse_delete(kept.reference)
        except ProcessOwned as owned:
            return _owned(owned)
    return []


def _owned(refused: ProcessOwned) -> list[Json]:
    return list(outcome.face(refused).issues)


def _answer(found: Iterable[Json]) -> Answer:
    listed = list(found)
    return Answer(HTTPStatus.OK, write(outcome.outcome(listed) if listed else outcome.all_well("no issues")))


def _asked(call: Call) -> tuple[Json | None, str | None, str | None]:
    """The resource, the mode and the profile that were sent."""
    sent, mode, profile = call.resource, call.first("mode"), call.first("profile")
    if sent is None or sent.get("resourceType") != "Parameters" or call.address.type == "Parameters":
        return sent, mode, profile
    given: dict[str, Any] = {}
    parameters = sent.get("parameter", [])
    for parameter in parameters if isinstance(parameters, list) else []:
        if isinstance(parameter, dict):
            given[str(parameter.get("name"))] = parameter
    resource = given.get("resource", {}).get("resource")
    if resource is not None and not isinstance(resource, dict):
        raise Invalid("a resource is an object", field="resource")
    named = given.get("profile", {})
    named = next((named[name] for name in ("valueUri", "valueCanonical", "valueUrl") if name in named), profile)
    if named is not None and not isinstance(named, str):
        raise Invalid("a profile is named by its URL", field="profile")
    return resource, given.get("mode", {}).get("valueCode", mode), named


async def _kept(call: Call, tx: Transaction) -> Version:
    call.require("r", call.address.type)
    ref = Reference.to(call.address.type, call.address.id)
    found = await reading.read(tx, ref)
    if found.deleted:
        raise Deleted("deleted; its history stays", reference=ref, version=str(found.version))
    await auditing.note(tx, call, AuditAction.READ, [found])
    return found
