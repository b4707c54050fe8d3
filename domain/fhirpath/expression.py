"""A FHIRPath text, ready to be asked of many resources."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import DecimalException
from functools import lru_cache
from typing import Any, TypedDict, Unpack

from domain.errors import Invalid
from domain.fhirpath.checking import Checker
from domain.fhirpath.compiler import compiled
from domain.fhirpath.evaluation import STEPS, ConformsTo, Evaluate, MemberOf, Resolve, Run
from domain.fhirpath.functions.registry import truth_of
from domain.fhirpath.nodes import Node, Nodes, Place, node_of
from domain.fhirpath.parser import parse_tree
from domain.fhirpath.syntax import Member


class Surroundings(TypedDict, total=False):
    """What may be handed in with a resource.

    type_name: the type of an element that is no resource, `HumanName` or `Patient.contact`.
    root: the resource that `%resource` means, where what is looked at is only a part of it.
    variables: by name without `%`; nodes, values, or lists of them.
    resolve, member_of, conforms_to: who is asked what lies beyond the resource (see `evaluation`).
    now: the moment of `now()` and `today()`, aware; without it they are refused.
    steps: how many items may be looked at.
    """

    type_name: str | None
    root: Any
    variables: Mapping[str, Any] | None
    resolve: Resolve | None
    member_of: MemberOf | None
    conforms_to: ConformsTo | None
    now: datetime | None
    steps: int


@lru_cache(maxsize=4096)
def parse(text: str) -> Expression:
    """Raises Invalid, with a `position`, for a text that is no FHIRPath."""
    return Expression(text)


class Expression:
    """Made by `parse`, which keeps what it made."""

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            self._tree = parse_tree(text)
            self._evaluate = compiled(self._tree)
        except RecursionError:
            raise Invalid("FHIRPath: nested too deep") from None

    def __repr__(self) -> str:
        return f"<FHIRPath of {len(self.text)} characters>"

    def evaluate(self, resource: Any, **surroundings: Unpack[Surroundings]) -> list[Any]:
        """The values found: JSON's for FHIR types, the language's for what it calculated. See `nodes` for the rest.

        A primitive that has extensions only has no value and is left out.
        """
        return [node.value for node in self.nodes(resource, **surroundings) if node.value is not None]

    def nodes(self, resource: Any, **surroundings: Unpack[Surroundings]) -> Nodes:
        """What the expression gives for a resource, an element or a node, each item with its type."""
        return _run(self._evaluate, resource, **surroundings)

    def located(self, resource: Mapping[str, Any], **surroundings: Unpack[Surroundings]) -> Nodes:
        """The same, each node with its `place`, so that a patch can change the resource there."""
        return self.nodes(_rooted(resource), **surroundings)

    def located_owner(
        self, resource: Mapping[str, Any], **surroundings: Unpack[Surroundings]
    ) -> tuple[Nodes, str] | None:
        """Of a path that ends in a name: the nodes that have, or could have, an element of that name, and the name.

        A list without items has no node of its own, but an owner. None for an expression of another form.
        """
        tree = self._tree
        if not isinstance(tree, Member):
            return None
        if tree.base is None:
            return [_rooted(resource)], tree.name
        return _run(compiled(tree.base), _rooted(resource), **surroundings), tree.name

    def holds(self, resource: Any, **surroundings: Unpack[Surroundings]) -> bool | None:
        """The result as a condition, as an invariant reads it: None where it is empty."""
        return truth_of(self.nodes(resource, **surroundings), 0)

    def check(self, type_name: str) -> None:
        """Raises Invalid where the expression asks such a type for what it cannot have.

        Evaluation gives nothing for an unknown element; a person who writes `name.given1` should hear of it.
        """
        Checker(type_name).check(self._tree)


def _rooted(resource: Mapping[str, Any]) -> Node:
    context = node_of(resource)
    return Node(context.value, context.type, context.twin, Place(None, "", None))


def _run(
    evaluate: Evaluate,
    resource: Any,
    *,
    type_name: str | None = None,
    root: Any = None,
    variables: Mapping[str, Any] | None = None,
    resolve: Resolve | None = None,
    member_of: MemberOf | None = None,
    conforms_to: ConformsTo | None = None,
    now: datetime | None = None,
    steps: int = STEPS,
) -> Nodes:
    context = node_of(resource, type_name)
    whole = context if root is None else node_of(root)
    run = Run([context], context, whole, variables, resolve, member_of, conforms_to, now, steps)
    try:
        return evaluate(run)
    except RecursionError:
        raise Invalid("FHIRPath: the resource or the expression is nested too deep") from None
    except DecimalException:
        raise Invalid("FHIRPath: a number that is none, or beyond all bounds") from None
