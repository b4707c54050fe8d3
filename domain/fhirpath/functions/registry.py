"""How a function of FHIRPath is declared and found.

An eager function is given what its arguments give, evaluated beside the path (`$this` is the outer one). A lazy one is
given the expressions themselves, to evaluate for each item.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from domain.fhirpath.evaluation import Evaluate, Run
from domain.fhirpath.lexer import refused
from domain.fhirpath.nodes import Node, Nodes

Eager = Callable[[Run, Nodes, Sequence[Nodes], int], Nodes]
Lazy = Callable[[Run, Nodes, Sequence[Evaluate], int], Nodes]


@dataclass(frozen=True, slots=True)
class Function:
    """`least` and `most` arguments; exactly one of `eager` and `lazy`."""

    name: str
    least: int
    most: int
    eager: Eager | None = None
    lazy: Lazy | None = None


FUNCTIONS: Final[dict[str, Function]] = {}
"""By name. Filled as the modules of this package are imported."""


def eager(name: str, least: int = 0, most: int | None = None) -> Callable[[Eager], Eager]:
    def declare(function: Eager) -> Eager:
        FUNCTIONS[name] = Function(name, least, least if most is None else most, eager=function)
        return function

    return declare


def lazy(name: str, least: int = 0, most: int | None = None) -> Callable[[Lazy], Lazy]:
    def declare(function: Lazy) -> Lazy:
        FUNCTIONS[name] = Function(name, least, least if most is None else most, lazy=function)
        return function

    return declare


def single(nodes: Nodes, at: int) -> Node | None:
    """The one item; None of an empty collection. Raises Invalid where there are more."""
    if len(nodes) > 1:
        raise refused("one item is needed here and there are more", at)
    return nodes[0] if nodes else None


def truth_of(nodes: Nodes, at: int) -> bool | None:
    """The collection as a condition: a single item that is no boolean counts as true.

    hl7.org/fhirpath/N1/#singleton-evaluation-of-collections
    """
    node = single(nodes, at)
    if node is None:
        return None
    value = node.system
    return value if isinstance(value, bool) else True


def text_of(nodes: Nodes, at: int) -> str | None:
    """The single string; None of an empty collection. Raises Invalid for anything else."""
    node = single(nodes, at)
    if node is None or node.value is None:
        return None
    value = node.system
    if not isinstance(value, str):
        raise refused("a string is needed here", at)
    return value


def whole_of(nodes: Nodes, at: int) -> int | None:
    node = single(nodes, at)
    if node is None:
        return None
    value = node.system
    if not isinstance(value, int) or isinstance(value, bool):
        raise refused("an integer is needed here", at)
    return value


def number_of(nodes: Nodes, at: int) -> int | Decimal | None:
    node = single(nodes, at)
    if node is None:
        return None
    value = node.system
    if not isinstance(value, int | Decimal) or isinstance(value, bool):
        raise refused("a number is needed here", at)
    return value
