"""Invariants as JSON schema: not what an invariant means, but what makes it certainly hold.

`dataAbsentReason.empty() or value.empty()` becomes "one of the two is not there", exactly; `start <= end` becomes a
comparison that is certain for times written alike. Where nothing is certain the schema refuses, and FHIRPath decides
(`invariants.py`). An invariant that comes to nothing, neither true nor false, is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from adapters.fhir.validation import presence
from adapters.fhir.validation.presence import Schema
from domain import fhir
from domain.fhirpath.parser import parse_tree
from domain.fhirpath.syntax import Binary, Call, Member, Tree
from domain.fhirpath.syntax import Literal as Constant

Outcome = Literal["true", "false", "not true", "not false"]

OPPOSITE: dict[Outcome, Outcome] = {
    "true": "false", "false": "true", "not true": "not false", "not false": "not true",
}  # fmt: skip
# Of what stands on the object itself these are held by the schema's structure, or by the walk over contained resources.
BY_STRUCTURE = {"ele-1", "ext-1", "ref-1", "txt-1", "txt-2", "dom-2", "dom-3", "dom-4", "dom-5"}


def rules_of(path: str, content: str) -> list[Schema]:
    """What must be certain of an object for the invariants at a path to hold; `content`: where its children stand."""
    listed = (each for each in fhir.invariants(path) if each.severity == "error" and each.key not in BY_STRUCTURE)
    found = (Certainty(content).sure(parse_tree(each.expression), "not false") for each in listed)
    return [each for each in found if each is not True]


class Certainty:
    """Reads an expression whose context is the object at `path`."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.operators: Mapping[str, Callable[[Binary, Outcome], Schema]] = {
            "or": self.either,
            "and": self.both,
            "implies": self.implied,
            "xor": lambda tree, outcome: self.different(tree.left, tree.right, outcome),
            "=": self.equality,
            "!=": lambda tree, outcome: self.equality(tree, OPPOSITE[outcome]),
            "in": self.membership,
            "<=": self.comparison,
            ">=": self.comparison,
            ">": self.comparison,
        }
        self.functions: Mapping[str, Callable[[Call, Outcome], Schema]] = {
            "exists": self.existence,
            "empty": self.existence,
            "hasValue": self.existence,
            "all": self.universal,
            "contains": self.matching,
            "startsWith": self.matching,
        }

    def sure(self, tree: Tree, outcome: Outcome) -> Schema:
        """A schema whose instances give this outcome; False where there is none that we know of."""
        match tree:
            case Binary(operator=operator) if operator in self.operators:
                return self.operators[operator](tree, outcome)
            case Call(name="not", base=base) if base is not None:
                return self.sure(base, OPPOSITE[outcome])
            case Call(name=name) if name in self.functions:
                return self.functions[name](tree, outcome)
        return False

    def either(self, tree: Binary, outcome: Outcome) -> Schema:
        parts = [self.sure(tree.left, outcome), self.sure(tree.right, outcome)]
        return presence.any_of(parts) if outcome in ("true", "not false") else presence.all_of(parts)

    def both(self, tree: Binary, outcome: Outcome) -> Schema:
        parts = [self.sure(tree.left, outcome), self.sure(tree.right, outcome)]
        return presence.all_of(parts) if outcome in ("true", "not false") else presence.any_of(parts)

    def implied(self, tree: Binary, outcome: Outcome) -> Schema:
        parts = [self.sure(tree.left, OPPOSITE[outcome]), self.sure(tree.right, outcome)]
        return presence.any_of(parts) if outcome in ("true", "not false") else presence.all_of(parts)

    def different(self, left: Tree, right: Tree, outcome: Outcome) -> Schema:
        """Both sides are one of true and false, so that nothing else comes out."""
        second: tuple[Outcome, Outcome] = ("false", "true") if outcome in ("true", "not false") else ("true", "false")
        return presence.any_of(
            [
                presence.all_of([self.sure(left, "true"), self.sure(right, second[0])]),
                presence.all_of([self.sure(left, "false"), self.sure(right, second[1])]),
            ]
        )

    def equality(self, tree: Binary, outcome: Outcome) -> Schema:
        """`status = 'final'`, or two conditions compared: `start.exists() = end.exists()`."""
        if isinstance(tree.right, Constant) and isinstance(tree.right.value, str | bool | int):
            return self.single(tree.left, {"const": tree.right.value}, outcome)
        return self.different(tree.left, tree.right, OPPOSITE[outcome])

    def membership(self, tree: Binary, outcome: Outcome) -> Schema:
        """`status in ('proposed' | 'cancelled')`."""
        values = list(constants(tree.right))
        return self.single(tree.left, {"enum": values}, outcome) if all(values) else False

    def comparison(self, tree: Binary, outcome: Outcome) -> Schema:
        """`duration >= 0`; `start <= end`, where only "yes" can be certain."""
        if isinstance(tree.right, Constant) and isinstance(tree.right.value, int):
            keyword = {"<=": "maximum", ">=": "minimum", ">": "exclusiveMinimum"}[tree.operator]
            if (total := self.total(tree.left)) is not None:
                wanted = outcome in ("true", "not false")
                return False if (tree.operator, tree.right.value, wanted) != (">", 0, True) else total
            return self.single(tree.left, {keyword: tree.right.value}, outcome)
        names = [*(self.steps(tree.left) or ()), *(self.steps(tree.right) or ())]
        if outcome not in ("true", "not false") or tree.operator == ">" or len(names) != 2:
            return False
        return {"ordered": names if tree.operator == "<=" else names[::-1]}

    def total(self, tree: Tree) -> Schema | None:
        """Of `(identifier.count() + name.count())`: at least one is there. None for what is no such sum."""
        match tree:
            case Call(name="count", base=base) if base is not None and (steps := self.steps(base)) is not None:
                return presence.some(self.path, steps, True)
            case Binary(operator="+"):
                parts = [self.total(tree.left), self.total(tree.right)]
                return presence.any_of([each for each in parts if each is not None]) if None not in parts else None
        return None

    def single(self, tree: Tree, leaf: dict[str, Any], outcome: Outcome) -> Schema:
        """Of the one value at a path: it is, or is not, what `leaf` says; an absent one gives nothing."""
        steps = self.steps(tree)
        if steps is None or not presence.is_single(self.path, steps):
            return False
        wanted: Schema = leaf if outcome in ("true", "not false") else {"not": leaf}
        if outcome in ("true", "false"):
            return presence.some(self.path, steps, wanted, valued=True)
        return presence.every(self.path, steps, wanted)

    def existence(self, tree: Call, outcome: Outcome) -> Schema:
        """`x.exists()`, `x.empty()`, `x.hasValue()`, with or without a `where` before."""
        wanted = (outcome in ("true", "not false")) == (tree.name != "empty")
        base, valued = tree.base, tree.name == "hasValue"
        if base is None or tree.arguments:
            return False
        if isinstance(base, Call) and base.name == "where" and not valued:
            (condition,) = base.arguments
            return self.filtered(base.base, condition, wanted)
        steps = self.steps(base)
        if steps is None or (valued and not presence.is_single(self.path, steps)):
            return False
        return (
            presence.some(self.path, steps, True, valued=valued) if wanted else presence.every(self.path, steps, False)
        )

    def filtered(self, base: Tree | None, condition: Tree, wanted: bool) -> Schema:
        """Some, or none, of what is at a path meets a condition."""
        steps = [] if base is None else self.steps(base)
        inner = None if steps is None else presence.content_path(self.path, steps)
        if steps is None or inner is None:
            return False
        leaf = Certainty(inner).sure(condition, "true" if wanted else "not true")
        return presence.some(self.path, steps, leaf) if wanted else presence.every(self.path, steps, leaf)

    def matching(self, tree: Call, outcome: Outcome) -> Schema:
        """`fullUrl.contains('/_history/')`, `type.startsWith('data-')`."""
        (sought,) = tree.arguments
        if tree.base is None or not isinstance(sought, Constant) or not isinstance(sought.value, str):
            return False
        start = "^" if tree.name == "startsWith" else ""
        return self.single(tree.base, {"pattern": start + re.escape(sought.value)}, outcome)

    def universal(self, tree: Call, outcome: Outcome) -> Schema:
        """`group.all(…)`: certain where the condition is certain of each, and where there is none."""
        (condition,) = tree.arguments
        steps = None if tree.base is None else self.steps(tree.base)
        inner = None if steps is None else presence.content_path(self.path, steps)
        if steps is None or inner is None or outcome not in ("true", "not false"):
            return False
        return presence.every(self.path, steps, Certainty(inner).sure(condition, "true"))

    def steps(self, tree: Tree | None) -> list[str] | None:
        """The names of a plain path of elements that exist: `component.code`. None for anything else."""
        names: list[str] = []
        while tree is not None:
            match tree:
                case Member(base=base, name=name):
                    names.insert(0, name)
                    tree = base
                case Call(name="trace", base=base):  # gives what it is given
                    tree = base
                case _:
                    return None
        if not names:
            return None
        if names[0] == self.path:
            names = names[1:]
        return names if names and presence.content_path(self.path, names) is not None else None


def constants(tree: Tree) -> Iterator[str | None]:
    """The strings of `'a' | 'b'`; None for what is none."""
    match tree:
        case Constant(value=str() as value):
            yield value
        case Binary(operator="|"):
            yield from constants(tree.left)
            yield from constants(tree.right)
        case _:
            yield None
