"""Evaluates the invariants of a resource whose structure is right (https://hl7.org/fhir/R4/conformance-rules.html)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from adapters.fhir.validation.acceptance import accepted
from adapters.fhir.validation.certainty import BY_STRUCTURE
from adapters.fhir.validation.issues import Findings, Full, Issue
from adapters.fhir.validation.structure import place_name
from domain import fhir, fhirpath
from domain.errors import Invalid
from domain.fhir import Element, Invariant

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """A value within a resource: `paths` are those whose invariants it must keep, `kind` is FHIRPath's type of it."""

    value: Any
    kind: str
    paths: tuple[str, ...]
    where: str
    resource: Json


def broken(resource: Json, *, warnings: bool = False) -> list[Issue]:
    """The invariants that a resource does not keep; when asked for, warnings and what could not be evaluated too."""
    findings = Findings()
    with suppress(Full):
        for part in parts_of(resource, resource["resourceType"], all_of_it=warnings):
            for rule in rules_of(part.paths, warnings):
                wrong = judge(rule, part)
                if wrong and (warnings or wrong.severity == "error"):
                    findings.add(wrong)
    return findings.issues


def rules_of(paths: Iterable[str], warnings: bool) -> Iterator[Invariant]:
    for path in paths:
        for rule in fhir.invariants(path):
            if rule.key not in BY_STRUCTURE and (warnings or rule.severity == "error"):
                yield rule


def judge(rule: Invariant, part: Part) -> Issue | None:
    try:
        # neither true nor false: what the rule compares is not there, or not precise enough
        kept = fhirpath.parse(rule.expression).holds(part.value, type_name=part.kind, root=part.resource) is not False
    except Invalid:
        return Issue("information", "informational", part.where, f"{rule.key} could not be evaluated: {rule.human}")
    return None if kept else Issue(rule.severity, "invariant", part.where, f"{rule.key}: {rule.human}")


def parts_of(resource: Json, where: str, *, all_of_it: bool = True) -> Iterator[Part]:
    """The resource, every element in it, and the resources in it, each of those with itself as `%resource`.

    all_of_it: look into resources within it, too, whose errors are known to be none.
    """
    named = str(resource["resourceType"])
    yield Part(resource, named, (named,), where, resource)
    for part in within(resource, named, where, resource):
        if part.kind != "Resource":
            yield part
        elif all_of_it or not accepted(part.value):
            yield from parts_of(part.value, part.where, all_of_it=all_of_it)


def within(owner: Json, path: str, where: str, resource: Json) -> Iterator[Part]:
    for name, element in fhir.children(path).items():
        if name not in owner:
            continue
        listed = owner[name] if element.repeats else [owner[name]]
        for index, value in enumerate(listed):
            place = f"{where}.{place_name(element)}" + (f"[{index}]" if element.repeats else "")
            yield from element_parts(value, element, place, resource)


def element_parts(value: Any, element: Element, where: str, resource: Json) -> Iterator[Part]:
    kind = element.types[0] if element.types else ""
    if kind == "Resource":
        yield Part(value, kind, (), where, resource)
    elif fhir.is_primitive(kind):
        if value is not None and fhir.invariants(element.path):
            yield Part(value, kind, (element.path,), where, resource)
    elif element.content_reference or kind in {"BackboneElement", "Element"}:
        path = element.content_reference or element.path
        yield Part(value, path, (path,), where, resource)
        yield from within(value, path, where, resource)
    else:
        yield Part(value, kind, (element.path, kind), where, resource)
        yield from within(value, kind, where, resource)
