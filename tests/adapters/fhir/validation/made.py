"""Resources made at random from HL7's definitions: right in structure, and wrong in invariants as chance has it."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

from domain import fhir
from domain.fhir import Element

PRIMITIVES: dict[str, list[Any]] = {
    "boolean": [True, False],
    "integer": [-3, 0, 1, 2],
    "unsignedInt": [0, 7],
    "positiveInt": [1, 12],
    "decimal": [Decimal("72.50"), Decimal("-0.1"), 3, 0],
    "string": ["text", "한글", " "],
    "markdown": ["*text*"],
    "code": ["code", "two words", "%"],
    "id": ["a-1.B"],
    "uri": ["http://example.org/x", "urn:oid:1.2.3", "http://unitsofmeasure.org"],
    "url": ["http://example.org/x"],
    "canonical": ["http://example.org/x|1.0"],
    "oid": ["urn:oid:1.2.3"],
    "uuid": ["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"],
    "base64Binary": ["QUJD"],
    "date": ["2024", "2024-02", "2024-02-29", "2023-12-31"],
    "dateTime": ["2024", "2024-02-29", "2024-02-29T10:15:00+09:00", "2023-12-31T23:59:59Z"],
    "instant": ["2024-02-29T10:15:00.123+09:00"],
    "time": ["10:15:00"],
    "xhtml": ['<div xmlns="http://www.w3.org/1999/xhtml"><p>text</p></div>'],
}


def resource(kind: str, chance: Random, *, share: float = 0.3) -> dict[str, Any]:
    """`share`: how many of the elements that may be left out are there."""
    return {"resourceType": kind, **content(kind, chance, share, 0)}


def content(path: str, chance: Random, share: float, depth: int) -> dict[str, Any]:
    made: dict[str, Any] = {}
    chosen: set[str] = set()
    wanted = share / (1 + depth)
    children = list(fhir.children(path).items())
    chance.shuffle(children)
    for name, element in children:
        if element.name in {"contained", "extension", "modifierExtension"} or element.path in chosen:
            continue
        if element.name in {"id", "comparator"} and path not in fhir.resource_types():
            continue
        if element.min or (depth < 5 and chance.random() < wanted):
            if "Resource" in element.types:
                continue
            chosen.add(element.path)
            one = value(element, chance, share, depth + 1)
            made[name] = [one] if element.repeats else one
    if not made and path not in fhir.resource_types():
        made["extension"] = [{"url": "http://example.org/why", "valueCode": "unknown"}]
    return made


def value(element: Element, chance: Random, share: float, depth: int) -> Any:
    if element.content_reference:
        return content(element.content_reference, chance, share, depth)
    (kind,) = element.types
    bound = element.binding[1] if element.binding and element.binding[0] == "required" else ""
    systems = fhir.value_set_codes(bound)
    if kind == "CodeableConcept" and systems:
        system = chance.choice(sorted(systems))
        return {"coding": [{"system": system, "code": chance.choice(sorted(systems[system]))}]}
    if kind == "code" and bound:
        codes = frozenset().union(*systems.values()) if systems else {"KRW"}  # or a MIME type, which has no form
        return chance.choice(sorted(codes))
    if fhir.is_primitive(kind):
        return "Patient/1" if element.path == "Reference.reference" else chance.choice(PRIMITIVES[kind])
    return content(element.path if kind in {"BackboneElement", "Element"} else kind, chance, share, depth)
