"""$translate: a code in the terms of another code system (hl7.org/fhir/R4/conceptmap-operation-translate.html)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from api.fhir import auditing
from api.fhir.exchange import Answer, Call
from api.fhir.parameters import Given, answer, given, part, parts
from api.fhir.terminology import Coded, codings, instance, terminology
from api.fhir.text import Json
from domain import fhir
from domain.errors import Invalid, NotFound
from domain.terminology import Canonical, ConceptMap, Match
from store.audit import AuditAction
from store.database import Transaction
from store.fhir.versions import Version
from store.terminology import Terminology

_KNOWN = {
    "url": "uri",
    "conceptMap": "ConceptMap",
    "conceptMapVersion": "string",
    "code": "code",
    "system": "uri",
    "version": "string",
    "source": "uri",
    "coding": "Coding",
    "codeableConcept": "CodeableConcept",
    "target": "uri",
    "targetsystem": "uri",
    "reverse": "boolean",
}


async def translate(call: Call, tx: Transaction) -> Answer:
    """`result` and every match with its equivalence. Raises NotFound for a map that nobody knows."""
    call.require("r", "ConceptMap")
    read = await given(call, _KNOWN)
    asked = codings(read)
    if not all(each.system for each in asked):
        raise Invalid("a code is translated with its code system", field="system")
    found = await terminology(call, tx)
    maps, touched = await _maps(call, found, read, asked)
    await auditing.note(tx, call, AuditAction.QUERY, touched)
    reverse, into = read.flag("reverse") is True, read.text("targetsystem")
    matches = [
        match
        for concept_map in maps
        for each in asked
        for match in concept_map.translate(each.system, each.code, reverse=reverse, into=into)
    ]
    matched = any(each.is_match for each in matches)
    message = [] if matched else [part("message", valueString="no map that is known here translates this code")]
    return answer(part("result", valueBoolean=matched), *message, *(_match(each) for each in matches))


async def _maps(
    call: Call, found: Terminology, read: Given, asked: Iterable[Coded]
) -> tuple[list[ConceptMap], list[Version]]:
    """The map that is named; without one all that map between the value sets that are named, if any."""
    sent, url = read.part("conceptMap"), read.text("url")
    if call.address.id:
        version, thing = await instance(call, found)
        assert isinstance(thing, ConceptMap)  # noqa: S101  # the address names the type
        return [thing], [version]
    if sent is not None:
        return [ConceptMap.of(sent)], []
    if url:
        named = Canonical.of(url)
        named = Canonical(named.url, read.text("conceptMapVersion") or named.version)
        await found.find(named.url)
        maps = list(found.shelves.concept_maps(named))
        if not maps:
            raise NotFound(f"the concept map {named} is not known here", field="url")
        return maps, []
    for each in asked:
        await found.find_maps(each.system)
    return [each for each in _all(found) if _between(each, read)], []


def _all(found: Terminology) -> Iterator[ConceptMap]:
    yield from (each for each in found.shelves.concept_maps(None) if each.status != "retired")
    for url in fhir.published_urls("ConceptMap"):
        yield from found.shelves.concept_maps(Canonical(url))


def _between(concept_map: ConceptMap, read: Given) -> bool:
    ends = ((read.text("source"), concept_map.source), (read.text("target"), concept_map.target))
    return all(not asked or Canonical.of(asked).url == Canonical.of(own).url for asked, own in ends)


def _match(match: Match) -> Json:
    values = (("system", match.system), ("version", match.version), ("code", match.code), ("display", match.display))
    coding = {name: value for name, value in values if value}
    return parts(
        "match",
        part("equivalence", valueCode=match.equivalence),
        part("concept", valueCoding=coding) if match.code else None,
        *(_product(each) for each in match.products),
        part("source", valueUri=match.source) if match.source else None,
    )


def _product(product: Mapping[str, Any]) -> Json:
    names = (("system", "system"), ("code", "value"), ("display", "display"))
    coding = {name: str(product[element]) for name, element in names if element in product}
    return parts(
        "product",
        part("element", valueUri=str(product.get("property", ""))),
        part("concept", valueCoding=coding),
    )
