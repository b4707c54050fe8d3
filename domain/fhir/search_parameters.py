"""R4's search parameters and compartments (https://hl7.org/fhir/R4/searchparameter-registry.html)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Literal

from domain.fhir import tables
from domain.fhir.elements import resource_types, supertypes

ParameterType = Literal["string", "token", "date", "number", "quantity", "reference", "uri", "composite", "special"]


@dataclass(frozen=True, slots=True)
class Component:
    """A part of a composite: the URL of the parameter it is, and where it is found from the composite's expression."""

    definition: str
    expression: str


@dataclass(frozen=True, slots=True)
class SearchParameter:
    """A parameter as one resource type has it.

    expression: FHIRPath, only the alternatives that concern the type; empty for `_text`, `_content` and `_query`.
    targets: types a reference may point at; a parameter of another type has none.
    """

    code: str
    type: ParameterType
    expression: str
    targets: tuple[str, ...]
    components: tuple[Component, ...]
    url: str


@cache
def search_parameters(resource_type: str) -> Mapping[str, SearchParameter]:
    """What a type can be searched by, by code: its own parameters and those of Resource and DomainResource.

    Empty for what is no resource type.
    """
    found: dict[str, SearchParameter] = {}
    for base in reversed(supertypes(resource_type)):
        for code, kind, expression, targets, components, url in tables.entry("search", f"parameters/{base}") or ():
            parts = tuple(Component(*each) for each in components)
            found[code] = SearchParameter(code, kind, expression, tuple(targets), parts, url)
    return MappingProxyType(found)


@cache
def parameters_by_url() -> Mapping[str, SearchParameter]:
    """Every parameter by its URL; of one that several types share, the expression is that of one of them."""
    listed = (each for name in sorted(resource_types()) for each in search_parameters(name).values())
    return MappingProxyType({each.url: each for each in listed})


def compartments() -> tuple[str, ...]:
    """The types that compartments are made around: Device, Encounter, Patient, Practitioner, RelatedPerson."""
    prefix = "compartment/"
    return tuple(name.removeprefix(prefix) for name in tables.names("search") if name.startswith(prefix))


def compartment(name: str, resource_type: str) -> tuple[str, ...]:
    """Codes of the parameters that put a resource of a type into a compartment; empty if nothing does.

    `{def}` in it means: the resource that the compartment is made around belongs to it by itself.
    """
    return membership(name).get(resource_type, ())


@cache
def membership(name: str) -> Mapping[str, tuple[str, ...]]:
    listed = tables.entry("search", f"compartment/{name}") or {}
    return MappingProxyType({kind: tuple(codes) for kind, codes in listed.items()})
