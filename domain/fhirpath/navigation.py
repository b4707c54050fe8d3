"""From a node to its children: the hot path of search indexing and of invariants.

hl7.org/fhirpath/N1/#path-selection and hl7.org/fhir/R4/fhirpath.html#polymorphism: a choice goes by its name without a
type (`Observation.value`), a primitive's id and extensions stand in its `_` twin (hl7.org/fhir/R4/json.html#primitive).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from domain.fhirpath.model import Field, Type
from domain.fhirpath.nodes import Node, Nodes, Place, resource_type

Step = Callable[[Nodes], Nodes]


def member(name: str) -> Step:
    """A step by name. An element that the type does not have gives nothing; the checker finds those before."""

    def taken(focus: Nodes) -> Nodes:
        found: Nodes = []
        for node in focus:
            field = node.type.fields.get(name)
            if field is None:
                continue
            key = field.key
            source = node.value
            if key and source.__class__ is dict and key in source:
                value = source[key]
                twin = field.twin
                type_ = field.type
                # No twin, a type that is known, no place to remember: most steps of most paths.
                if (not twin or twin not in source) and not type_.resource and node.place is None:
                    if value.__class__ is list:
                        found.extend([Node(each, type_) for each in value if each is not None])
                    elif value is not None:
                        found.append(Node(value, type_))
                    continue
            _collect(node, field, found)
        return found

    return taken


def children(node: Node) -> Nodes:
    """Every child that the type defines, in the order of the definition."""
    found: Nodes = []
    for field in node.type.fields.values():
        if not field.own:
            _collect(node, field, found)
    return found


def _collect(node: Node, field: Field, found: Nodes) -> None:
    source = node.value
    if source.__class__ is not dict:
        if field.own:
            if source is not None:
                found.append(Node(node.system, field.type))
            return
        source = node.twin
        if source.__class__ is not dict:
            return
    if not field.options:
        _gather(node, source, field, found)
        return
    for option in field.options:
        if option.key in source or (option.twin and option.twin in source):
            _gather(node, source, option, found)


def _gather(node: Node, source: dict[str, Any], field: Field, found: Nodes) -> None:
    value = source.get(field.key)
    twin = source.get(field.twin) if field.twin else None
    if value.__class__ is list or twin.__class__ is list:
        _gather_list(node, value, twin, field, found)
    elif value is not None or twin is not None:
        place = Place(node, field.key, None) if node.place is not None else None
        found.append(Node(value, _actual(field.type, value), twin, place))


def _gather_list(node: Node, value: Any, twin: Any, field: Field, found: Nodes) -> None:
    values = value if value.__class__ is list else []
    type_, resource = field.type, field.type.resource
    if twin is None and node.place is None:
        found.extend([Node(each, _actual(type_, each) if resource else type_) for each in values if each is not None])
        return
    twins = twin if twin.__class__ is list else []
    for number in range(max(len(values), len(twins))):
        each = values[number] if number < len(values) else None
        beside = twins[number] if number < len(twins) else None
        if each is not None or beside is not None:
            place = Place(node, field.key, number) if node.place is not None else None
            found.append(Node(each, _actual(type_, each) if resource else type_, beside, place))


def _actual(declared: Type, value: Any) -> Type:
    """A contained resource, or one in a bundle, says itself what it is."""
    if declared.resource and value.__class__ is dict:
        return resource_type(value) or declared
    return declared
