"""One evaluation: what surrounds it, what `$this` is, and how much it may still cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from domain.errors import Invalid
from domain.fhirpath.lexer import refused
from domain.fhirpath.nodes import Node, Nodes, literal, node_of

STEPS: Final = 500_000
"""Items that one evaluation may look at: about a second. A bundle of 5,000 entries has some 300,000."""
LONGEST_TEXT: Final = 4_000_000
"""Characters of a string that an expression makes; `replace` could double one with each call."""

Resolve = Callable[[str], Mapping[str, Any] | None]
"""A reference as it is written → the resource, None where it cannot be found."""
MemberOf = Callable[[Any, str], bool | None]
"""A code, Coding or CodeableConcept as in JSON, and a value set → whether it is in it, None where nobody knows."""
ConformsTo = Callable[[Any, str], bool]
"""A resource and a profile's URL → whether it conforms. Raises Invalid where the profile is not known."""

Evaluate = Callable[["Run"], Nodes]

_ENVIRONMENT: Final = {
    "ucum": "http://unitsofmeasure.org",
    "sct": "http://snomed.info/sct",
    "loinc": "http://loinc.org",
}
_PREFIXES: Final = {
    "vs-": "http://hl7.org/fhir/ValueSet/",
    "ext-": "http://hl7.org/fhir/StructureDefinition/",
}


@dataclass(slots=True)
class Run:
    """`this`, `index` and `total` change as functions go over their input; the rest stands for the whole evaluation."""

    this: Nodes
    context: Node
    root: Node
    variables: Mapping[str, Any] | None = None
    resolve: Resolve | None = None
    member_of: MemberOf | None = None
    conforms_to: ConformsTo | None = None
    now: datetime | None = None
    left: int = STEPS
    index: int | None = None
    total: Nodes | None = None
    defined: dict[str, Nodes] | None = None

    def spend(self, steps: int) -> None:
        self.left -= steps
        if self.left < 0:
            raise Invalid("FHIRPath: the evaluation looks at more items than one may")

    def each(self, focus: Nodes, evaluate: Evaluate) -> list[Nodes]:
        """What the expression gives for each item, with `$this` and `$index` set."""
        outer, outer_index = self.this, self.index
        results = []
        for number, node in enumerate(focus):
            self.this = [node]
            self.index = number
            result = evaluate(self)
            self.spend(1 + len(result))
            results.append(result)
        self.this, self.index = outer, outer_index
        return results

    def variable(self, name: str, at: int) -> Nodes:
        """`%name`: of the caller first, then of the environment (hl7.org/fhir/R4/fhirpath.html#variables)."""
        if self.variables is not None and name in self.variables:
            return _nodes(self.variables[name])
        if self.defined is not None and name in self.defined:
            return self.defined[name]
        if name in _ENVIRONMENT:
            return [literal(_ENVIRONMENT[name])]
        if name == "context":
            return [self.context]
        if name in ("resource", "rootResource"):
            return [self.root]
        for prefix, base in _PREFIXES.items():
            if name.startswith(prefix):
                return [literal(base + name.removeprefix(prefix))]
        raise refused("a variable that nobody has set", at)


def _nodes(value: Any) -> Nodes:
    if value is None:
        return []
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [node_of(each) for each in value]
    return [node_of(value)]
