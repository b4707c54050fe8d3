"""$everything of a patient, of all patients, or of an encounter: what is in its compartment, and what that refers to.

hl7.org/fhir/R4/patient-operation-everything.html, encounter-operation-everything.html
"""

from __future__ import annotations

import re
from http import HTTPStatus

from api.fhir import auditing, bundles
from api.fhir.exchange import Answer, Call
from api.fhir.export_request import patient_types
from api.fhir.reach import reach, seen
from api.fhir.veil import veiled
from api.fhir.versions import time_of
from domain import fhir
from domain.errors import Deleted, Invalid
from domain.ids import Reference
from store.audit import AuditAction
from store.database import Transaction
from store.fhir import reading
from store.fhir.versions import Version
from store.search import ScopePredicate, all_of, parse_query, searching
from store.search.care import cared_for
from store.search.sql import Sql, of_patients

_REFERENCE = re.compile(rb'"reference"\s*:\s*"([A-Z][A-Za-z]{1,63}/[A-Za-z0-9\-.]{1,64})"')
_ASIDE = frozenset({"Patient", "Encounter"})
"""What is not followed: other people's records hang on them."""

_OWN = frozenset({"_type", "_since", "_count", "_cursor"})
_OF_CARE = frozenset({"start", "end"})


async def everything(call: Call, tx: Transaction) -> Answer:
    """A page, of `_count` resources of the compartment; without an id, of the compartments of all patients.

    Parameters: `_type`, `_since`, `_count`; for patients `start` and `end`, dates of care. Raises Deleted.
    """
    at = call.address
    call.require("r", at.type)
    _refuse_unknown(call)
    subject = await _subject(tx, at.type, at.id) if at.id else None
    wanted, since, cursor = _types(call), call.first("_since"), call.first("_cursor")
    pairs = [("_count", call.first("_count") or "500")]
    pairs += [("_lastUpdated", f"ge{since}")] if since else []
    pairs += [("_cursor", cursor)] if cursor else []
    types = wanted if at.id else (wanted or patient_types()) & patient_types()
    pairs += [("_type", ",".join(sorted(types)))] if types else []
    compartment = (at.type, at.id) if at.id else None
    query = parse_query(None, pairs, strict=True, base=call.base, compartment=compartment)
    page = await searching.search(
        tx, query, scope=all_of(await reach(call, tx), _of_care(call), *([] if at.id else [_anybodys]))
    )
    found = list(page.matches)
    if subject is not None:
        found = [version for version in found if version.reference != subject.reference]
        if cursor is None and (not wanted or at.type in wanted) and _is_since(subject, since):
            found.insert(0, subject)
    beside = [each for each in await _referred(tx, call, found, wanted) if _is_since(each, since)]
    await auditing.note(tx, call, AuditAction.QUERY, [*found, *beside])
    entries = [_entry(call, version, "match") for version in found]
    entries += [_entry(call, version, "include") for version in beside]
    given = [(name, value) for name, value in call.params if name in _OWN | _OF_CARE]
    links = [bundles.self_link(call, given)]
    if page.next is not None:
        links.append(bundles.next_link(call, given, page.next))
    return Answer(HTTPStatus.OK, bundles.bundle("searchset", entries, at=call.now, links=links))


async def _subject(tx: Transaction, kind: str, id_: str) -> Version:
    found = await reading.read(tx, Reference.to(kind, id_))
    if found.deleted:
        raise Deleted("deleted; its history stays", reference=found.reference, version=str(found.version))
    return found


def _refuse_unknown(call: Call) -> None:
    """Raises Invalid for what the operation does not know, when the client is strict."""
    known = _OWN | {"_format", "_pretty"} | (_OF_CARE if call.address.type == "Patient" else frozenset())
    unknown = [name for name, _ in call.params if name not in known]
    if unknown and call.preference.strict:
        raise Invalid("the operation has no such parameter", field=unknown[0][:64])


def _of_care(call: Call) -> ScopePredicate:
    start, end = (call.first(name) if call.address.type == "Patient" else None for name in ("start", "end"))
    low = time_of(start, "start")[0] if start else None
    high = time_of(end, "end")[1] if end else None
    return cared_for(low, high)


def _anybodys(resource_type: str, alias: str) -> Sql:
    return of_patients(None, resource_type, alias)


def _is_since(version: Version, since: str | None) -> bool:
    return since is None or version.last_updated >= time_of(since, "_since")[0]


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
    versions = await reading.read_many(tx, await seen(call, tx, sorted(missing)))
    return [version for _, version in sorted(versions.items()) if not version.deleted]


def _entry(call: Call, version: Version, mode: str) -> bytes:
    text = veiled(call, version).text
    return bundles.entry(full_url=f"{call.base}/{version.reference}", resource=text, search={"mode": mode})
