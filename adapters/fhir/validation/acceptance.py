"""The fast answer: a compiled schema a resource type says yes, or that a closer look is needed.

Measured on two cores with Python 3.11: 3 µs for an Observation; 8 ms and 0.5 MB for a type when first met.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from jsonschema_rs import Draft202012Validator, RegexOptions

from adapters.fhir.validation import narrative
from adapters.fhir.validation.keywords import KEYWORDS
from adapters.fhir.validation.schema import schema_of
from domain import fhir

Json = Mapping[str, Any]

KEPT = 64  # compiled schemas; a hospital writes some forty types


@lru_cache(maxsize=KEPT)
def validator(resource_type: str, *, contained: bool = False) -> Draft202012Validator:
    return Draft202012Validator(
        schema_of(resource_type, contained=contained),
        formats={"narrative": narrative.fits},
        validate_formats=True,
        keywords=KEYWORDS,
        pattern_options=RegexOptions(),  # linear time, whatever the text
    )


def accepted(resource: Any) -> bool:
    """Whether the resource is surely right. False means: not known yet."""
    kind = resource.get("resourceType") if isinstance(resource, dict) else None
    if not isinstance(kind, str) or kind not in fhir.resource_types():
        return False
    contained = resource.get("contained")
    try:
        if not validator(kind, contained=contained is not None).is_valid(resource):
            return False
    except UnicodeEncodeError:  # half a surrogate pair
        return False
    if contained and not all_in_place(resource, contained):
        return False
    if kind == "Bundle":
        return all(accepted(each) for each in in_bundle(resource))
    return kind != "Parameters" or all(accepted(each) for each in in_parameters(resource.get("parameter", ())))


def all_in_place(resource: Json, contained: list[Any]) -> bool:
    """Contained resources are right, have ids that differ and are referred to; every `#id` finds one (dom-3, ref-1)."""
    if not all(isinstance(each, dict) and is_contained(each) for each in contained):
        return False
    ids = {each["id"] for each in contained}
    return len(ids) == len(contained) and ids == set(locals_in(resource))


def is_contained(resource: dict[str, Any]) -> bool:
    """Right, with an id, and without what a contained resource may not have (dom-2, dom-4, dom-5)."""
    kind, meta = resource.get("resourceType"), resource.get("meta", {})
    if "id" not in resource or "contained" in resource:
        return False
    if not isinstance(kind, str) or kind not in fhir.resource_types() or kind in NESTING:
        return False
    if not isinstance(meta, dict) or meta.keys() & {"versionId", "lastUpdated", "security"}:
        return False
    return validator(kind, contained=True).is_valid(resource)


# Resources that hold others, and are looked at closely where they are contained themselves.
NESTING = {"Bundle", "Parameters"}


def locals_in(value: Any) -> Iterator[str]:
    """The ids of all references beginning with `#`; the schema has bounded the depth already."""
    if isinstance(value, dict):
        reference = value.get("reference")
        if isinstance(reference, str) and len(reference) > 1 and reference[0] == "#":
            yield reference[1:]
        for each in value.values():
            if isinstance(each, dict | list):
                yield from locals_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from locals_in(each)


def in_bundle(bundle: Json) -> Iterator[Any]:
    for entry in bundle.get("entry", ()):
        if "resource" in entry:
            yield entry["resource"]
        if "outcome" in entry.get("response", ()):
            yield entry["response"]["outcome"]


def in_parameters(listed: Iterable[Json]) -> Iterator[Any]:
    for each in listed:
        if "resource" in each:
            yield each["resource"]
        yield from in_parameters(each.get("part", ()))
