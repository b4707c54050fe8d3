"""HL7's definitions of FHIR R4 (4.0.1), looked up; `make setup` compiles the tables behind them."""

from domain.fhir.elements import (
    Element,
    Invariant,
    TypeInfo,
    children,
    element,
    invariants,
    is_primitive,
    json_names,
    resource_types,
    supertypes,
    types,
)
from domain.fhir.pointing import Pointing, holders, pointings
from domain.fhir.profiles import profile, profile_urls
from domain.fhir.search_parameters import (
    Component,
    SearchParameter,
    compartment,
    compartments,
    parameters_by_url,
    search_parameters,
)
from domain.fhir.terminology import iter_terminology, published, published_urls, value_set_codes

__all__ = [
    "Component",
    "Element",
    "Invariant",
    "Pointing",
    "SearchParameter",
    "TypeInfo",
    "children",
    "compartment",
    "compartments",
    "element",
    "holders",
    "invariants",
    "is_primitive",
    "iter_terminology",
    "json_names",
    "parameters_by_url",
    "pointings",
    "profile",
    "profile_urls",
    "published",
    "published_urls",
    "resource_types",
    "search_parameters",
    "supertypes",
    "types",
    "value_set_codes",
]
