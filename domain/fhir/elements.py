"""Types of FHIR R4 and their elements, from HL7's StructureDefinitions (https://hl7.org/fhir/R4/elementdefinition.html)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from sys import intern
from types import MappingProxyType
from typing import Any, Literal

from domain.fhir import tables

Kind = Literal["resource", "complex-type", "primitive-type"]


@dataclass(frozen=True, slots=True)
class TypeInfo:
    """A type of R4; `base` is empty for Element and Resource. Those of Quantity (Age, Count …) are types too."""

    name: str
    kind: Kind
    base: str
    abstract: bool


@dataclass(frozen=True, slots=True)
class Element:
    """An element as its type defines it.

    path: as HL7 writes it, a choice without its `[x]`: `Observation.value`.
    types: FHIR's names; more than one for a choice, one for each JSON name of it, none where `content_reference` says
    which element gives the content.
    min, max: `max` is "0", "1", a number or "*".
    binding: strength and URL of the value set, without a version.
    targets: what a Reference or canonical may point at, empty for anything.
    simple: whether a Quantity is a SimpleQuantity, without comparator.
    """

    path: str
    types: tuple[str, ...]
    min: int
    max: str
    binding: tuple[str, str] | None
    targets: tuple[str, ...]
    content_reference: str
    summary: bool
    modifier: bool
    choice: bool
    simple: bool

    @property
    def name(self) -> str:
        """The last part of the path: `value`."""
        return self.path.rpartition(".")[2]

    @property
    def repeats(self) -> bool:
        """Whether its JSON is an array."""
        return self.max not in {"0", "1"}


@dataclass(frozen=True, slots=True)
class Invariant:
    """A constraint in FHIRPath; `path` is the element it is evaluated on."""

    key: str
    severity: Literal["error", "warning"]
    human: str
    expression: str
    path: str


@dataclass(frozen=True, slots=True)
class Structure:
    """Everything about one type: elements by path, children by path and JSON name, invariants by path."""

    elements: Mapping[str, Element]
    children: Mapping[str, Mapping[str, Element]]
    invariants: Mapping[str, tuple[Invariant, ...]]


NONE: Mapping[str, Element] = MappingProxyType({})


@cache
def types() -> Mapping[str, TypeInfo]:
    """Every type, abstract ones included, by its name."""
    listed = tables.entry("structures", "types")
    return MappingProxyType({name: TypeInfo(intern(name), *columns) for name, columns in listed.items()})


@cache
def resource_types() -> frozenset[str]:
    """The 146 resource types that have instances: not the abstract `Resource` and `DomainResource`."""
    return frozenset(each.name for each in types().values() if each.kind == "resource" and not each.abstract)


def supertypes(name: str) -> tuple[str, ...]:
    """The type itself and what it specialises, nearest first: `("Age", "Quantity", "Element")`."""
    found: list[str] = []
    while name in types():
        found.append(name)
        name = types()[name].base
    return tuple(found)


def is_primitive(name: str) -> bool:
    known = types().get(name)
    return known is not None and known.kind == "primitive-type"


def element(path: str) -> Element | None:
    """The element at a path; goes on into data types (`Patient.name.given`) and takes JSON names of choices.

    A type's own name gives its root.
    """
    structure, names = None, path.split(".")
    if names[0] in types():
        structure = structure_of(names[0])
    if structure is None:
        return None
    if (found := structure.elements.get(path)) is not None:
        return found
    parent = ".".join(names[:-1])
    below = children(parent)
    return below.get(names[-1]) or next((each for each in below.values() if each.name == names[-1]), None)


@lru_cache(maxsize=8192)
def children(path: str) -> Mapping[str, Element]:
    """What may stand in the JSON object of a type or at a path, by JSON name, without the `_` twins of primitives.

    A choice appears once for each of its types, with that type alone: `valueQuantity`, `valueString` …
    """
    head = path.partition(".")[0]
    if head not in types():
        return NONE
    structure = structure_of(head)
    if path in structure.children:
        return structure.children[path]
    if (here := element(path)) is None or "." not in path:
        return NONE
    if here.content_reference:
        return children(here.content_reference)
    if here.path != path and not here.choice:
        return children(here.path)
    return children(here.types[0]) if len(here.types) == 1 else NONE


def json_names(path: str) -> tuple[str, ...]:
    """The names an element goes by in JSON: `("valueQuantity", "valueString", …)` for a choice, else its own name."""
    found = element(path)
    return names_of(found) if found else ()


def invariants(path: str) -> tuple[Invariant, ...]:
    """The constraints that the definition of a type or path carries, inherited ones included.

    Those of the data type that stands at a path are given for the type; `ele-1`, which stands on every element, for
    types only.
    """
    head = path.partition(".")[0]
    return structure_of(head).invariants.get(path, ()) if head in types() else ()


@cache
def structure_of(name: str) -> Structure:
    """The decoded definition of a type that exists."""
    content = tables.entry("structures", f"type/{name}")
    elements = [unpack(row) for row in content["elements"]]
    grouped: dict[str, dict[str, Element]] = {}
    for each in elements:
        parent = intern(each.path.rpartition(".")[0])
        for json_name, kind in zip(names_of(each), each.types or ("",), strict=True):
            if parent:
                grouped.setdefault(parent, {})[json_name] = replace(each, types=(kind,)) if each.choice else each

    def rule(key: str, path: str) -> Invariant:
        severity, human, expression = content["rules"][key]
        return Invariant(key, severity, human, expression, path)

    listed = {path: tuple(rule(key, path) for key in keys) for path, keys in content["on"].items()}
    return Structure(
        MappingProxyType({each.path: each for each in elements}),
        MappingProxyType({path: MappingProxyType(group) for path, group in grouped.items()}),
        MappingProxyType(listed),
    )


def unpack(row: list[Any]) -> Element:
    """One row as `setup/definitions/structures.py` writes it."""
    path, kinds, low, high, flags, binding, targets, reference = row
    return Element(
        path=intern(path.removesuffix("[x]")),
        types=tuple(intern(each) for each in kinds),
        min=low,
        max=intern(high),
        binding=(intern(binding[0]), intern(binding[1])) if binding else None,
        targets=tuple(intern(each) for each in targets),
        content_reference=intern(reference),
        summary="s" in flags,
        modifier="m" in flags,
        choice=path.endswith("[x]"),
        simple="q" in flags,
    )


def names_of(found: Element) -> tuple[str, ...]:
    if not found.choice:
        return (found.name,)
    return tuple(intern(found.name + kind[0].upper() + kind[1:]) for kind in found.types)
