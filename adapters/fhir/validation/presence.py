"""JSON schemas that say: this is, or is not, at a path within an object of a FHIR type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from domain import fhir
from domain.fhir import Element

Schema = dict[str, Any] | bool


def any_of(parts: list[Schema]) -> Schema:
    kept = [each for each in parts if each is not False]
    if any(each is True or each == {} for each in kept):
        return True
    return {"anyOf": kept} if len(kept) > 1 else kept[0] if kept else False


def all_of(parts: list[Schema]) -> Schema:
    kept = [each for each in parts if each is not True and each != {}]
    if any(each is False for each in kept):
        return False
    return {"allOf": kept} if len(kept) > 1 else kept[0] if kept else True


def some(path: str, steps: list[str], leaf: Schema, *, valued: bool = False) -> Schema:
    """There is something at the path for which `leaf` holds; `valued`: a `_` twin alone is not enough."""
    if not steps or leaf is False:
        return leaf
    parts: list[Schema] = []
    for name, element in named(path, steps[0]):
        inner = some(inside(path, element), steps[1:], leaf, valued=valued)
        if inner is False:
            continue
        held = {"properties": {name: {"contains": inner} if element.repeats else inner}} if inner is not True else {}
        parts.append({"required": [name], **held})
        if inner is True and not valued and is_primitive(element):
            parts.append({"required": [f"_{name}"]})
    return any_of(parts)


def every(path: str, steps: list[str], leaf: Schema) -> Schema:
    """For whatever is at the path `leaf` holds; with False nothing may be there."""
    if not steps or leaf is True:
        return leaf
    properties: dict[str, Schema] = {}
    for name, element in named(path, steps[0]):
        inner = every(inside(path, element), steps[1:], leaf)
        properties[name] = inner if inner is False or not element.repeats else {"items": inner}
        if inner is False and is_primitive(element):
            properties[f"_{name}"] = False
    return {"properties": properties}


def is_single(path: str, steps: list[str]) -> bool:
    found = (fhir.element(path) for path in prefixes(path, steps))
    return all(each is not None and not each.repeats and not each.choice for each in found)


def named(path: str, name: str) -> list[tuple[str, Element]]:
    """The JSON names that an element goes by beneath a path."""
    return [(each, element) for each, element in fhir.children(path).items() if element.name == name]


def inside(path: str, element: Element) -> str:
    """Where the children of an element are found."""
    if element.content_reference:
        return element.content_reference
    (kind,) = element.types
    return element.path if kind in {"BackboneElement", "Element"} else kind


def prefixes(path: str, steps: list[str]) -> Iterator[str]:
    for step in steps:
        path = f"{path}.{step}"
        yield path


def content_path(path: str, steps: list[str]) -> str | None:
    """Where the last of some steps leads: a type or a path. None if it leads nowhere, or to several types before."""
    for number, step in enumerate(steps):
        found = named(path, step)
        if not found or (len(found) > 1 and number < len(steps) - 1):
            return None
        path = inside(path, found[0][1])
    return path


def is_primitive(element: Element) -> bool:
    return not element.repeats and not element.choice and bool(element.types) and fhir.is_primitive(element.types[0])
