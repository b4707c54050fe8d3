"""Required bindings: a code must be one of its value set, a concept must have a coding that is.

https://hl7.org/fhir/R4/terminologies.html#required
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from domain import fhir
from domain.fhir import Element

# ISO 4217 is not HL7's to ship; its form can be checked.
_FORMS = {"http://hl7.org/fhir/ValueSet/currencies": r"[A-Z]{3}"}
_SHOWN = 12


@lru_cache(maxsize=512)
def codes_of(url: str) -> frozenset[str] | None:
    """The codes of a value set, whatever their systems; None where they cannot be listed."""
    systems = fhir.value_set_codes(url)
    return frozenset().union(*systems.values()) if systems else None


def required(element: Element) -> str:
    """URL of the value set that the element must keep to; empty if it need not."""
    return element.binding[1] if element.binding and element.binding[0] == "required" else ""


def code_schema(element: Element) -> dict[str, Any] | None:
    """JSON schema of a code or string under a required binding, None where there is nothing to check."""
    url = required(element)
    if url in _FORMS:
        return {"type": "string", "pattern": f"^(?:{_FORMS[url]})$"}
    codes = codes_of(url) if url else None
    return {"enum": sorted(codes)} if codes else None


def concept_schema(element: Element) -> dict[str, Any] | None:
    """What a CodeableConcept under a required binding needs beyond being one."""
    systems = fhir.value_set_codes(required(element))
    if not systems:
        return None
    fitting = [
        {"properties": {"system": {"const": system}, "code": {"enum": sorted(codes)}}, "required": ["system", "code"]}
        for system, codes in systems.items()
    ]
    return {"properties": {"coding": {"contains": {"anyOf": fitting}}}, "required": ["coding"]}


def wrong_code(url: str, code: str) -> str | None:
    """What is wrong with a code that must be of a value set; None if it may stand there."""
    if url in _FORMS:
        return None if re.fullmatch(_FORMS[url], code) else "must be a currency of ISO 4217"
    codes = codes_of(url) if url else None
    return None if codes is None or code in codes else f"must be a code of the value set {url}{listed(codes)}"


def wrong_concept(url: str, concept: Mapping[str, Any]) -> str | None:
    """What is wrong with a CodeableConcept one of whose codings must be of a value set."""
    systems = fhir.value_set_codes(url) if url else None
    if not systems or any(belongs(systems, coding) for coding in codings(concept)):
        return None
    return f"needs a coding, with system, of the value set {url}{listed(frozenset().union(*systems.values()))}"


def wrong_in(url: str, value: Any) -> str | None:
    """The same for whatever is bound: a code, a Coding, a CodeableConcept; others are not looked at."""
    if isinstance(value, str):
        return wrong_code(url, value)
    if not isinstance(value, Mapping):
        return None
    return wrong_concept(url, value if "code" not in value else {"coding": [value]})


def codes_in(value: Any) -> Iterator[tuple[str | None, str]]:
    """(system, code) of whatever is bound: a code without system, a Coding or Quantity, a CodeableConcept."""
    if isinstance(value, str):
        yield None, value
    elif isinstance(value, Mapping):
        for coding in [value] if "code" in value else codings(value):
            if isinstance(coding.get("code"), str):
                system = coding.get("system")
                yield (system if isinstance(system, str) else ""), coding["code"]


def is_coded(value: Any) -> bool:
    """Whether a value could have had a code: a CodeableConcept with a text alone, a Coding with a display."""
    return isinstance(value, Mapping) and not value.keys() & {"value", "url", "extension"}


def listed(codes: frozenset[str]) -> str:
    return f": {', '.join(sorted(codes))}" if len(codes) <= _SHOWN else ""


def codings(concept: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = concept.get("coding")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def belongs(systems: Mapping[str, frozenset[str]], coding: Mapping[str, Any]) -> bool:
    system, code = coding.get("system"), coding.get("code")
    return isinstance(system, str) and isinstance(code, str) and code in systems.get(system, ())
