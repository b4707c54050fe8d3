"""What an expression can never find: elements that a type does not have, order where there is none.

Strict evaluation of hl7.org/fhirpath/N1/#type-safety-and-strict-evaluation, before any resource is seen. Where the type
is not known, as after children(), nothing is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from domain import fhir
from domain.errors import Invalid
from domain.fhirpath.compiler import type_named
from domain.fhirpath.lexer import refused
from domain.fhirpath.model import BOOLEAN, DECIMAL, INTEGER, STRING, SYSTEM, Type, fhir_type, known_type, system_type
from domain.fhirpath.nodes import literal
from domain.fhirpath.syntax import Binary, Call, Index, Literal, Member, Sign, Special, Tree, TypeTest, Variable


@dataclass(frozen=True, slots=True)
class Shape:
    """What a part may give: of these types (None: nobody knows), one item or many, in an order or not."""

    types: frozenset[Type] | None = None
    many: bool = True
    ordered: bool = True


_UNKNOWN: Final = Shape()
_ABSTRACT: Final = frozenset({"Element", "BackboneElement", "Resource", "DomainResource"})
_ORDERED: Final = frozenset({"first", "last", "tail", "skip", "take"})
_KEEPING: Final = _ORDERED | {
    "where", "single", "distinct", "trace", "intersect", "exclude", "sort", "checkModifiers", "defineVariable",
}  # fmt: skip
"""Functions that give some of their input."""
_PER_ITEM: Final = frozenset({"where", "all", "exists", "select", "repeat", "sort", "trace"})
_STRING_TO_BOOLEAN: Final = ("startsWith", "endsWith", "contains", "matches", "matchesFull")
_STRING_TO_INTEGER: Final = ("length", "indexOf", "lastIndexOf")
_STRING_TO_STRING: Final = (
    "upper", "lower", "trim", "substring", "replace", "replaceMatches", "encode", "decode", "escape", "unescape",
)  # fmt: skip
_OF_STRINGS: Final = frozenset({"toChars", "split", *_STRING_TO_BOOLEAN, *_STRING_TO_INTEGER, *_STRING_TO_STRING})
_TO_BOOLEAN: Final = (
    "exists", "empty", "not", "all", "allTrue", "anyTrue", "allFalse", "anyFalse", "subsetOf", "supersetOf",
    "isDistinct", "hasValue", "conformsTo", "memberOf", "htmlChecks", "comparable",
)  # fmt: skip
_RESULTS: Final[Mapping[str, Type]] = (
    dict.fromkeys((*_TO_BOOLEAN, *_STRING_TO_BOOLEAN, *(f"convertsTo{name}" for name in SYSTEM)), BOOLEAN)
    | dict.fromkeys(("count", "precision", "ceiling", "floor", "truncate", *_STRING_TO_INTEGER), INTEGER)
    | dict.fromkeys(("join", *_STRING_TO_STRING), STRING)
    | dict.fromkeys(("exp", "ln", "log", "sqrt", "round"), DECIMAL)
    | {f"to{name}": type_ for name, type_ in SYSTEM.items()}
    | {"now": SYSTEM["DateTime"], "today": SYSTEM["Date"], "timeOfDay": SYSTEM["Time"]}
)
"""Functions whose single result has one type."""
_CALCULATING: Final = frozenset({"+", "-", "*", "/", "div", "mod"})


def _one(type_: Type) -> Shape:
    return Shape(frozenset({type_}), many=False)


class Checker:
    """Goes over a tree with the type of its context."""

    def __init__(self, type_name: str) -> None:
        context = fhir_type(type_name)
        if context is None:
            raise Invalid("FHIRPath: the type of the context is not one of R4's")
        element = fhir.element(type_name)
        choice = element is not None and element.choice
        kinds = [known_type(each) for each in element.types] if choice and element is not None else [context]
        self._context = Shape(frozenset(kinds), many=False)
        self._is_resource = context.resource

    def check(self, tree: Tree) -> None:
        self._shape(tree, self._context)

    def _shape(self, tree: Tree, this: Shape) -> Shape:  # noqa: PLR0911  (one a kind of tree)
        match tree:
            case Literal(value):
                return _one(literal(value).type) if value is not None else Shape(frozenset(), many=False)
            case Variable("context"):
                return self._context
            case Variable("resource" | "rootResource") if self._is_resource:
                return self._context
            case Variable():
                return _UNKNOWN
            case Special(name):
                return this if name == "this" else (_one(INTEGER) if name == "index" else _UNKNOWN)
            case Member():
                return self._member(tree, this)
            case Call():
                return self._call(tree, this)
            case Index(base, index, at):
                self._shape(index, this)
                shape = self._shape(base, this)
                _needs_order(shape, at)
                return replace(shape, many=False)
            case Sign(_, operand, _):
                return replace(self._shape(operand, this), many=False)
            case TypeTest(operator, operand, name, at):
                shape = self._shape(operand, this)
                return _one(BOOLEAN) if operator == "is" else _chosen(shape, type_named(name, at))
            case Binary(operator, left, right, _):
                return self._binary(operator, self._shape(left, this), self._shape(right, this))

    def _binary(self, operator: str, left: Shape, right: Shape) -> Shape:
        if operator == "|":
            return _joined(left, right)
        if operator in _CALCULATING:
            return Shape(None, many=False)
        return _one(STRING if operator == "&" else BOOLEAN)

    def _member(self, tree: Member, this: Shape) -> Shape:
        root = fhir_type(tree.name) if tree.base is None and tree.name[:1].isupper() else None
        if root is not None:
            if this.types is not None and not any(each.is_a(root) or root.is_a(each) for each in this.types):
                raise refused(f"{tree.name} is not the type that is looked at", tree.at)
            return Shape(frozenset({root}), this.many, this.ordered)
        base = this if tree.base is None else self._shape(tree.base, this)
        if base.types is None:
            return Shape()
        fields = [field for each in base.types if (field := each.fields.get(tree.name)) is not None]
        if not fields and base.types:
            raise refused(f"there is no element {tree.name} here", tree.at)
        types = {option.type for field in fields for option in field.options or (field,)}
        many = base.many or any(field.repeats for field in fields)
        unknown = any(each.name in _ABSTRACT for each in types)
        return Shape(None if unknown else frozenset(types), many, base.ordered)

    def _call(self, tree: Call, this: Shape) -> Shape:
        base = this if tree.base is None else self._shape(tree.base, this)
        name, at = tree.name, tree.at
        if name in ("is", "as", "ofType"):
            return self._typed(tree, base)
        if name in _OF_STRINGS:
            _needs(base, "String", name, at)
        if name in _ORDERED:
            _needs_order(base, at)
        arguments = [self._shape(each, _inner(name, base, this)) for each in tree.arguments]
        if name in _RESULTS:
            return _one(_RESULTS[name])
        return self._result(name, base, arguments, at)

    def _result(self, name: str, base: Shape, arguments: list[Shape], at: int) -> Shape:
        if name in _KEEPING:
            return replace(base, many=base.many and name not in ("first", "last", "single"))
        match name:
            case "select" | "repeat":
                return replace(arguments[0], many=True)
            case "union" | "combine":
                return _joined(base, arguments[0])
            case "iif":
                _needs(arguments[0], "Boolean", name, at)
                return _joined(arguments[1], arguments[-1])
            case "extension":
                return Shape(frozenset({known_type("Extension")}), many=True, ordered=base.ordered)
            case _:
                return Shape(None, many=True, ordered=name not in ("children", "descendants"))

    def _typed(self, tree: Call, base: Shape) -> Shape:
        wanted = tree.arguments[0]
        if tree.name == "is":
            return _one(BOOLEAN)
        if tree.name == "as" and base.many and base.types is not None:
            raise refused("as takes one item; ofType chooses among many", tree.at)
        name = ""
        at: Tree | None = wanted
        while isinstance(at, Member):
            name = f"{at.name}.{name}" if name else at.name
            at = at.base
        return _chosen(base, type_named(name, tree.at))


def _inner(name: str, base: Shape, this: Shape) -> Shape:
    """What `$this` is within the arguments."""
    if name in _PER_ITEM:
        return replace(base, many=False)
    if name == "aggregate":
        return _UNKNOWN
    return base if name == "iif" and base.types else this


def _chosen(shape: Shape, wanted: tuple[Type, ...]) -> Shape:
    if shape.types is None:
        return replace(shape, types=frozenset(wanted))
    possible = {each for each in wanted if any(each.is_a(known) or known.is_a(each) for known in shape.types)}
    return replace(shape, types=frozenset(possible))


def _joined(left: Shape, right: Shape) -> Shape:
    types = None if left.types is None or right.types is None else left.types | right.types
    return Shape(types, many=True, ordered=left.ordered and right.ordered)


def _needs(shape: Shape, wanted: str, name: str, at: int) -> None:
    if shape.types and not any((known := system_type(each)) and known.name == wanted for each in shape.types):
        raise refused(f"{name} takes a {wanted} here", at)


def _needs_order(shape: Shape, at: int) -> None:
    if not shape.ordered:
        raise refused("these items have no order", at)
