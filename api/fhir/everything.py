"""$everything of a patient or an encounter: all that is in its compartment, and what that refers to.

hl7.org/fhir/R4/patient-operation-everything.html, encounter-operation-everything.html
"""

from __future__ import annotations

import re
from http import HTTPStatus

from api.fhir import auditing, bundles
from api.fhir.exchange import Answer, Call
from api.fhir.reach import reach
from api.fhir.veil import veiled
from domain import fhir
from domain.errors import Deleted, Invalid
from domain.ids import Reference
from store.audit import AuditAction
from store.database import Transaction
from store.fhir import reading
from store.fhir.versions import Version
from store.search import parse_query, searching

_REFERENCE = re.compile(rb'"reference"\s*:\s*"([A-Z][A-Za-z]{1,63}/[A-Za-z0-9\-.]{1,64})"')
_ASIDE = frozenset({"Patient", "Encounter"})
"""What is not followed: other people's records hang on them."""


async def everything(call: Call, tx: Transaction) -> Answer:
    """A page, of `_count` resources of the compartment. Parameters: `_type`, `_since`, `_count`; raises Deleted."""
    at = call.address
    call.require("r", at.type)
    subject = await reading.read(tx, Reference.to(at.type, at.id))
    if subject.deleted:
        raise Deleted("deleted; its history stays", reference=subject.reference, version=str(subject.version))
    wanted = _types(call)
    pairs = [("_count", call.first("_count") or "500")]
    if (since := call.first("_since")) is not None:
        pairs.append(("_lastUpdated", f"ge{since}"))
    cursor = call.first("_cursor")
    if cursor is not None:
        pairs.append(("_cursor", cursor))
    if wanted:
        pairs.append(("_type", ",".join(sorted(wanted))))
    query = parse_query(None, pairs, strict=True, base=call.base, compartment=(at.type, at.id))
    page = await searching.search(tx, query, scope=await reach(call, tx))
    found = [version for version in page.matches if version.reference != subject.reference]
    if cursor is None and (not wanted or at.type in wanted):
        found.insert(0, subject)
    beside = await _referred(tx, call, found, wanted)
    await auditing.note(tx, call, AuditAction.QUERY, [*found, *beside])
    entries = [_entry(call, version, "match") for version in found]
    entries += [_entry(call, version, "include") for version in beside]
    given = [(name, value) for name, value in call.params if name in {"_type", "_since", "_count", "_cursor"}]
    links = [bundles.self_link(call, given)]
    if page.next is not None:
        links.append(bundles.next_link(call, given, page.next))
    return Answer(HTTPStatus.OK, bundles.bundle("searchset", entries, at=call.now, links=links))


def _types(call: Call) -> frozenset[str]:
    given = frozenset(name for key, value in call.params if key == "_type" for name in value.split(",") if name)
    unknown = given - fhir.resource_types()
    if unknown:
        raise Invalid("R4 has no such resource type", field="_type")
    return given


async def _referred(tx: Transaction, call: Call, found: list[Version], wanted: frozenset[str]) -> list[Version]:
    """What the resources refer to outside the compartment: practitioners, organizations, places, medications."""
    named = {Reference(match.decode()) for version in found for match in _REFERENCE.findall(version.text)}
    missing = [
        ref
        for ref in named - {version.reference for version in found}
        if ref.resource_type not in _ASIDE
        and (not wanted or ref.resource_type in wanted)
        and not any(fhir.compartment(call.address.type, ref.resource_type))
        and call.asker.grants.allow("r", ref.resource_type)
    ]
    versions = await reading.read_many(tx, sorted(missing)) if missing else {}
    return [version for _, version in sorted(versions.items()) if not version.deleted]


def _entry(call: Call, version: Version, mode: str) -> bytes:
    text = veiled(call, version).text
    return bundles.entry(full_url=f"{call.base}/{version.reference}", resource=text, search={"mode": mode})
