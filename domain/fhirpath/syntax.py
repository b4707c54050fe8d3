"""The shape of a FHIRPath expression: what the parser makes and the compiler and the checker read.

`at` is the character where the part begins, for messages.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from domain.fhirpath.quantities import Quantity
from domain.fhirpath.temporal import Temporal


@dataclass(frozen=True, slots=True)
class Literal:
    """A value, or the empty collection when it is None."""

    value: bool | int | Decimal | str | Temporal | Quantity | None
    at: int


@dataclass(frozen=True, slots=True)
class Variable:
    """`%name`: handed in with the evaluation, or one of the environment."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Special:
    """`$this`, `$index` or `$total`."""

    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Member:
    """An element of what `base` gives, or of the context where there is no base."""

    base: Tree | None
    name: str
    at: int


@dataclass(frozen=True, slots=True)
class Call:
    """A function of what `base` gives, or of the context where there is no base."""

    base: Tree | None
    name: str
    arguments: tuple[Tree, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Index:
    base: Tree
    index: Tree
    at: int


@dataclass(frozen=True, slots=True)
class Sign:
    sign: str
    operand: Tree
    at: int


@dataclass(frozen=True, slots=True)
class Binary:
    operator: str
    left: Tree
    right: Tree
    at: int


@dataclass(frozen=True, slots=True)
class TypeTest:
    """`operand is Type` or `operand as Type`; `type_name` may be qualified, `FHIR.Patient`."""

    operator: str
    operand: Tree
    type_name: str
    at: int


Tree = Literal | Variable | Special | Member | Call | Index | Sign | Binary | TypeTest
