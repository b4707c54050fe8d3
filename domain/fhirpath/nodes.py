"""What an expression gives: values, each with its type and, where asked for, its place in the resource."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from domain.errors import Invalid
from domain.fhirpath.model import (
    BOOLEAN,
    DECIMAL,
    INTEGER,
    QUANTITY,
    STRING,
    SYSTEM,
    Type,
    Value,
    fhir_type,
    known_type,
)
from domain.fhirpath.quantities import Quantity
from domain.fhirpath.temporal import Temporal


class Place:
    """Where a node stands: under which node (None for the context itself), by which JSON key, at which array index."""

    __slots__ = ("index", "key", "parent")

    def __init__(self, parent: Node | None, key: str, index: int | None) -> None:
        self.parent = parent
        self.key = key
        self.index = index


class Node:
    """One item of a collection.

    `value`: as it stands in JSON for a FHIR type (None for a primitive that has extensions only), else the language's.
    `twin`: the `_name` object beside a primitive, with its id and extensions. `place`: only in located results.
    """

    __slots__ = ("place", "twin", "type", "value")

    def __init__(self, value: Any, type_: Type, twin: Any = None, place: Place | None = None) -> None:
        self.value = value
        self.type = type_
        self.twin = twin
        self.place = place

    def __repr__(self) -> str:  # never the value, a patient's
        return f"<{self.type!r}>"

    @property
    def system(self) -> Value | None:
        """The language's value of it, None where it has none: a Quantity's, but not an Address's."""
        convert = self.type.convert
        return None if convert is None or self.value is None else convert(self.value)


Nodes = list[Node]

TRUE: Final = [Node(True, BOOLEAN)]
FALSE: Final = [Node(False, BOOLEAN)]
"""Shared: a collection is never changed after it was given."""


def truth(value: bool | None) -> Nodes:
    return [] if value is None else (TRUE if value else FALSE)


def text(value: str) -> Nodes:
    return [Node(value, STRING)]


def whole(value: int) -> Nodes:
    return [Node(value, INTEGER)]


def literal(value: Value) -> Node:
    """A value of the language with its type."""
    if isinstance(value, bool):
        return Node(value, BOOLEAN)
    if isinstance(value, int):
        return Node(value, INTEGER)
    if isinstance(value, Decimal):
        return Node(value, DECIMAL)
    if isinstance(value, str):
        return Node(value, STRING)
    return Node(value, QUANTITY if isinstance(value, Quantity) else SYSTEM[value.kind])


def resource_type(value: Mapping[str, Any]) -> Type | None:
    """The type a resource says it has, None where it is none of R4's."""
    name = value.get("resourceType")
    found = fhir_type(name) if isinstance(name, str) else None
    return found if found is not None and found.resource else None


def node_of(value: Any, type_name: str | None = None, twin: Any = None) -> Node:
    """A resource, or an element with the name or path of its type. Raises Invalid where the type is not known."""
    if type_name is not None and value.__class__ is not Node:
        type_ = fhir_type(type_name)
        if type_ is None:
            raise Invalid("FHIRPath: the type of the context is not one of R4's")
        return Node(value, type_, twin)
    if value.__class__ is dict:
        return Node(value, resource_type(value) or known_type("Element"))
    if isinstance(value, Node):
        return value
    if isinstance(value, Mapping):
        return node_of(dict(value))
    if isinstance(value, bool | int | Decimal | str | Temporal | Quantity):
        return literal(value)
    raise Invalid("FHIRPath: the context is neither a resource nor a value")
