"""Single values: primitives, references, and what around them decides whether they may stand there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from adapters.fhir.validation import bindings, narrative, primitives, references
from adapters.fhir.validation.issues import Findings, IssueType
from domain.fhir import Element

ABSENT: Final = object()
DEEPEST: Final = 100  # levels of objects
_HALF_PAIR = re.compile("[\ud800-\udfff]")  # half a surrogate pair: JSON can write it, text cannot


def at(listed: Any, index: int) -> Any:
    """A place of an array of primitives or of their `_` twins; null and what lies behind the end are absent."""
    return ABSENT if listed is ABSENT or index >= len(listed) or listed[index] is None else listed[index]


@dataclass(slots=True)
class Surroundings:
    """What a resource offers to the references in it.

    contained: ids of its contained resources; local: every text in it that begins with `#`, if it contains any.
    """

    contained: tuple[str, ...]
    local: frozenset[str]
    conditional: bool
    is_transaction: bool

    @classmethod
    def of(cls, resource: Any, conditional: bool) -> Self:
        known = resource if isinstance(resource, dict) else {}
        listed = known.get("contained")
        inner = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
        ids = tuple(each["id"] for each in inner if isinstance(each.get("id"), str))
        is_transaction = known.get("resourceType") == "Bundle" and known.get("type") in ("transaction", "batch")
        return cls(ids, frozenset(local_texts(resource)) if inner else frozenset(), conditional, is_transaction)

    def is_within_contained(self, where: str) -> bool:
        return where.count(".contained[") > 1


def local_texts(value: Any, depth: int = 0) -> Iterator[str]:
    """Texts that begin with `#`: references, and canonical URLs, to what is contained."""
    if isinstance(value, str):
        if value.startswith("#"):
            yield value
    elif isinstance(value, dict | list) and depth < DEEPEST:
        for each in value.values() if isinstance(value, dict) else value:
            yield from local_texts(each, depth + 1)


def refers_to_its_container(contained: Any) -> bool:
    return "#" in local_texts(contained)


def check_primitive(value: Any, element: Element, where: str, findings: Findings) -> None:
    (kind,) = element.types
    if value is None:
        return findings.error("structure", where, "must not be null")
    if not primitives.holds(kind, value) or (isinstance(value, str) and _HALF_PAIR.search(value)):
        return findings.error(wrong_code_of(kind, value), where, f"must be {primitives.SAYS[kind]}")
    if kind == "xhtml" and (wrong := narrative.wrong(value)):
        findings.error("value", where, wrong)
    elif isinstance(value, str) and (wrong := bindings.wrong_code(bindings.required(element), value)):
        findings.error("code-invalid", where, wrong)
    return None


def wrong_code_of(kind: str, value: Any) -> IssueType:
    too_long = isinstance(value, str) and len(value) > primitives.LONGEST_STRING
    return "too-long" if too_long and kind != "base64Binary" else "value"


def check_reference(reference: Mapping[str, Any], where: str, around: Surroundings, findings: Findings) -> None:
    """The form of a literal reference (https://hl7.org/fhir/R4/references.html#literal), and ref-1 for local ones."""
    text = reference.get("reference")
    if not isinstance(text, str) or references.is_literal(text):
        return  # what is no string has been said already
    place = f"{where}.reference"
    if references.is_search(text):
        if not around.conditional:
            findings.error("value", place, "a reference by search has its place in a transaction only")
    elif text[:1] != "#":
        findings.error("value", place, "must be `Type/id`, `#id` or an absolute address")
    elif text != "#" and text[1:] not in around.contained:
        findings.error("not-found", place, "ref-1: there is no contained resource with this id")
