"""FHIR's XML as FHIR's JSON, by HL7's definitions: HL7's own test cases are written in XML.

hl7.org/fhir/R4/xml.html and hl7.org/fhir/R4/json.html
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

from domain import fhir

NAMESPACE = "{http://hl7.org/fhir}"
XHTML = "{http://www.w3.org/1999/xhtml}"


def read_resource(name: str, content: bytes) -> dict[str, Any]:
    """A resource from a file of either format, numbers as they are written."""
    if name.endswith(".json"):
        resource: dict[str, Any] = json.loads(content, parse_float=Decimal)
        return resource
    return resource_of(ET.fromstring(content))  # noqa: S314 — HL7's own cases


def resource_of(element: ET.Element) -> dict[str, Any]:
    name = element.tag.removeprefix(NAMESPACE)
    return {"resourceType": name} | _children(element, name)


def _children(element: ET.Element, path: str) -> dict[str, Any]:
    known = fhir.children(path)
    found: dict[str, Any] = {}
    if "id" in element.attrib:
        found["id"] = element.attrib["id"]
    if "url" in element.attrib:
        found["url"] = element.attrib["url"]
    for child in element:
        name = child.tag.removeprefix(NAMESPACE).removeprefix(XHTML)
        definition = known[name]
        type_ = definition.types[0] if definition.types else ""
        value, twin = _converted(child, type_, f"{path}.{name}")
        if not definition.repeats:
            found |= ({} if value is None else {name: value}) | ({f"_{name}": twin} if twin else {})
            continue
        values, twins = found.setdefault(name, []), found.setdefault(f"_{name}", [])
        values.append(value)
        twins.append(twin)
    return {
        name: value for name, value in found.items() if not isinstance(value, list) or any(x is not None for x in value)
    }


def _converted(element: ET.Element, type_: str, path: str) -> tuple[Any, Any]:
    """The value and what stands beside it."""
    if type_ == "xhtml":
        text = ET.tostring(element, encoding="unicode").rstrip()
        for prefixed, plain in (("xmlns:html=", "xmlns="), ("<html:", "<"), ("</html:", "</")):
            text = text.replace(prefixed, plain)
        return text, None
    if type_ == "Resource":
        return resource_of(element[0]), None
    if type_ in ("BackboneElement", "Element", ""):
        return _children(element, path), None
    if not fhir.is_primitive(type_):
        return _children(element, type_), None
    beside = _children(element, type_)
    text = element.get("value")
    return (None if text is None else _primitive(text, type_)), beside or None


def _primitive(text: str, type_: str) -> Any:
    if type_ == "boolean":
        return text == "true"
    if "integer" in fhir.supertypes(type_):
        return int(text)
    return Decimal(text) if type_ == "decimal" else text
