"""Every literal reference in a resource, with what its element may point at (hl7.org/fhir/R4/references.html).

Found by a walk over the JSON beside a tree of R4's elements, a few microseconds a resource. References in resources
that a Bundle or Parameters carries are those resources' own and are left out; those in contained ones belong to their
container.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from domain.fhir.elements import children, resource_types

_CARRIED = "Resource"


class _Node:
    """An element's place in the tree: `targets` are the types that a Reference standing there may point at."""

    __slots__ = ("below", "home", "path", "targets")

    def __init__(self, path: str, home: str, targets: frozenset[str] = frozenset()) -> None:
        self.path = path
        self.home = home  # where its children are looked up: a type, or a path of elements of its own
        self.targets = targets
        self.below: dict[str, _Node | None] = {}

    def child(self, name: str) -> _Node | None:
        """The node of a JSON name; None for resources that are only carried."""
        try:
            return self.below[name]
        except KeyError:
            made = self.below[name] = self._made(name)
            return made

    def _made(self, name: str) -> _Node | None:
        path = f"{self.path}.{name}"
        element = children(self.home).get(name)
        if element is None:
            # `_name` carries a primitive's extensions; what is unknown was refused before anybody asks here.
            return _Node(path, "Element" if name.startswith("_") else "")
        kind = element.types[0] if element.types else ""
        if kind == _CARRIED:
            return None
        if kind == "Reference":
            return _Node(path, "Reference", frozenset(element.targets) - {_CARRIED})
        own = element.content_reference or kind in {"BackboneElement", "Element"}
        return _Node(path, f"{self.home}.{name}" if own else kind)


Pointing = tuple[str, str, frozenset[str]]
"""(FHIRPath of the Reference, its text, the types that it may point at; empty for any)."""


def pointings(resource: dict[str, Any]) -> list[Pointing]:
    """All of them. A value that is no string is none."""
    return [(node.path, holder["reference"], node.targets) for node, holder in holders(resource)]


def holders(resource: dict[str, Any]) -> Iterator[tuple[_Node, dict[str, Any]]]:
    """The Reference objects themselves, each with its element's place: whoever rewrites them does it in there."""
    kind = resource.get("resourceType")
    if not isinstance(kind, str) or kind not in resource_types():
        return
    pending: list[tuple[dict[str, Any], _Node]] = [(resource, _root(kind))]
    while pending:
        here, node = pending.pop()
        for name, value in here.items():
            what = type(value)
            if what is dict or what is list:
                if name == "contained":
                    pending += _contained(value, node.path)
                elif (child := node.child(name)) is not None:
                    if what is dict:
                        pending.append((value, child))
                    else:
                        pending += [(each, child) for each in value if type(each) is dict]
            elif name == "reference" and what is str and node.home == "Reference":
                yield node, here


def _contained(value: Any, path: str) -> list[tuple[dict[str, Any], _Node]]:
    listed = value if isinstance(value, list) else []
    known = [each for each in listed if isinstance(each, dict) and each.get("resourceType") in resource_types()]
    return [(each, _root(each["resourceType"], f"{path}.contained")) for each in known]


@cache
def _root(kind: str, path: str = "") -> _Node:
    return _Node(path or kind, kind)
