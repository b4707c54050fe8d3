"""From tree to closures: what is decided once a text is decided here, what depends on the resource in the closures.

hl7.org/fhirpath/N1/#operations for the operators; functions are in `functions/`.
"""

from __future__ import annotations

from decimal import Decimal

from domain.fhirpath.arithmetic import negated
from domain.fhirpath.comparison import distinct
from domain.fhirpath.evaluation import Evaluate, Run
from domain.fhirpath.functions import FUNCTIONS
from domain.fhirpath.functions.filtering import sorted_by
from domain.fhirpath.functions.registry import single, whole_of
from domain.fhirpath.lexer import refused
from domain.fhirpath.model import Type, fhir_type, named_types
from domain.fhirpath.navigation import Step, member
from domain.fhirpath.nodes import Nodes, literal, truth, whole
from domain.fhirpath.operators import OPERATORS
from domain.fhirpath.quantities import Quantity
from domain.fhirpath.syntax import Binary, Call, Index, Literal, Member, Sign, Special, Tree, TypeTest, Variable


def compiled(tree: Tree) -> Evaluate:  # noqa: PLR0911  (one a kind of tree)
    """Raises Invalid for a function or a type that does not exist, or the wrong number of arguments."""
    match tree:
        case Literal(value):
            nodes = [] if value is None else [literal(value)]
            return lambda _run: nodes
        case Variable(name, at):
            return lambda run: run.variable(name, at)
        case Special(name, at):
            return _special(name, at)
        case Member():
            return _path(tree)
        case Call():
            return _call(tree)
        case Index(base, index, at):
            return _index(compiled(base), compiled(index), at)
        case Sign(sign, operand, at):
            return _signed(sign, compiled(operand), at)
        case TypeTest(operator, operand, name, at):
            return (_is if operator == "is" else _as)(compiled(operand), type_named(name, at), at)
        case Binary(operator, left, right, at):
            if operator == "|":
                return _union(tree)
            return OPERATORS[operator](compiled(left), compiled(right), operator, at)


def _special(name: str, at: int) -> Evaluate:
    if name == "this":
        return lambda run: run.this
    if name == "total":
        return lambda run: run.total or []

    def index(run: Run) -> Nodes:
        if run.index is None:
            raise refused("$index has a meaning only within a function that goes over items", at)
        return whole(run.index)

    return index


def _path(tree: Member) -> Evaluate:
    """A chain of names as one closure: the hot path."""
    steps: list[Step] = []
    base: Tree | None = tree
    while isinstance(base, Member):
        root = _root(base)
        if root is not None:
            return _followed(root, tuple(reversed(steps)))
        steps.append(member(base.name))
        base = base.base
    return _followed(None if base is None else compiled(base), tuple(reversed(steps)))


def _followed(base: Evaluate | None, steps: tuple[Step, ...]) -> Evaluate:
    if base is None and len(steps) == 1:
        only = steps[0]
        return lambda run: only(run.this)

    def follow(run: Run) -> Nodes:
        focus = run.this if base is None else base(run)
        for step in steps:
            if not focus:
                return focus
            focus = step(focus)
            run.left -= len(focus)
        if run.left < 0:
            run.spend(0)
        return focus

    return follow


def _root(tree: Member) -> Evaluate | None:
    """`Patient` at the head of a path: the context, where it is one (hl7.org/fhirpath/N1/#path-selection)."""
    type_ = fhir_type(tree.name) if tree.base is None and tree.name[:1].isupper() else None
    if type_ is None:
        return None

    def root(run: Run) -> Nodes:
        this = run.this
        if len(this) == 1 and this[0].type is type_:
            return this
        return [node for node in this if node.type.is_a(type_)]

    return root


def type_named(name: str, at: int) -> tuple[Type, ...]:
    types = named_types(name)
    if not types and not name.startswith("System."):
        raise refused("there is no type of this name", at)
    return types


def _is(operand: Evaluate, types: tuple[Type, ...], at: int) -> Evaluate:
    def tested(run: Run) -> Nodes:
        node = single(operand(run), at)
        return [] if node is None else truth(any(node.type.is_a(each) for each in types))

    return tested


def _as(operand: Evaluate, types: tuple[Type, ...], _at: int) -> Evaluate:
    """Items of the type. More than one is let through: R4's own search parameters and dom-3 depend on it.

    A primitive must be of the very type, as HL7's cases have it: a code is not taken `as(string)`.
    """

    def chosen(run: Run) -> Nodes:
        return [
            node
            for node in operand(run)
            if any(node.type is each or (not node.type.primitive and node.type.is_a(each)) for each in types)
        ]

    return chosen


def _call(tree: Call) -> Evaluate:
    base = (lambda run: run.this) if tree.base is None else compiled(tree.base)
    name, at = tree.name, tree.at
    if name in ("is", "as", "ofType"):
        if len(tree.arguments) != 1:
            raise refused(f"{name} takes one type", at)
        types = type_named(_type_name(tree.arguments[0]), tree.arguments[0].at)
        return (_is if name == "is" else _as)(base, types, at)
    if name == "sort":
        return _sort(base, tree)
    function = FUNCTIONS.get(name)
    if function is None:
        raise refused("there is no function of this name", at)
    if not function.least <= len(tree.arguments) <= function.most:
        raise refused(f"{name} takes {function.least} to {function.most} arguments", at)
    arguments = tuple(compiled(each) for each in tree.arguments)
    if function.lazy is not None:
        lazy = function.lazy
        return lambda run: lazy(run, base(run), arguments, at)
    eager = function.eager
    if eager is None:
        raise refused("there is no function of this name", at)
    if not arguments:
        return lambda run: eager(run, base(run), (), at)
    return lambda run: eager(run, base(run), [argument(run) for argument in arguments], at)


def _type_name(tree: Tree) -> str:
    if isinstance(tree, Member):
        return tree.name if tree.base is None else f"{_type_name(tree.base)}.{tree.name}"
    raise refused("a type's name is needed here", tree.at)


def _sort(base: Evaluate, tree: Call) -> Evaluate:
    """A key with a minus before it sorts downwards, whatever its type."""
    keys = tuple(
        (compiled(key.operand), True) if isinstance(key, Sign) and key.sign == "-" else (compiled(key), False)
        for key in tree.arguments
    )
    return lambda run: sorted_by(run, base(run), keys, tree.at)


def _index(base: Evaluate, index: Evaluate, at: int) -> Evaluate:
    def picked(run: Run) -> Nodes:
        number = whole_of(index(run), at)
        nodes = base(run)
        return [nodes[number]] if number is not None and 0 <= number < len(nodes) else []

    return picked


def _signed(sign: str, operand: Evaluate, at: int) -> Evaluate:
    def signed(run: Run) -> Nodes:
        node = single(operand(run), at)
        if node is None:
            return []
        value = node.system
        if isinstance(value, bool) or not isinstance(value, int | Decimal | Quantity):
            raise refused("only a number can have a sign", at)
        return [node] if sign == "+" else [literal(negated(value))]

    return signed


def _union(tree: Binary) -> Evaluate:
    """A chain of `|` at once: search parameters join dozens of paths, of which one concerns a resource."""
    parts: list[Tree] = []
    rest: Tree = tree
    while isinstance(rest, Binary) and rest.operator == "|":
        parts.append(rest.right)
        rest = rest.left
    branches = tuple(compiled(part) for part in (rest, *reversed(parts)))

    def union(run: Run) -> Nodes:
        found = [nodes for branch in branches if (nodes := branch(run))]
        if not found:
            return []
        return distinct(run, found[0] if len(found) == 1 else [node for nodes in found for node in nodes])

    return union
