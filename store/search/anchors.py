"""Where a search begins: at the rows of the condition that is likely to be met by the fewest resources."""

from __future__ import annotations

from dataclasses import dataclass

from store.search.query import Matches, ReferenceValue, TokenValue, Value
from store.search.sql import Sql

# What a search begins at, the most telling first.
BEGINS = ("reference", "string", "uri", "quantity", "number", "date", "token", "words")


@dataclass(frozen=True)
class Anchor:
    """A condition whose rows a search begins at: `rows` gives the number of each resource once."""

    condition: Matches
    rows: Sql
    kind: str

    @property
    def rank(self) -> int:
        """The lower, the fewer resources it is likely to have: a code that stands in few places comes last."""
        primitive = all(place.fhir_type[0].islower() for place in self.condition.parameter.places)
        if self.condition.modifier in {"identifier", "of-type"} or "Identifier" in _types_of(self.condition):
            return 0
        return BEGINS.index(self.kind) + (len(BEGINS) if self.kind == "token" and primitive else 0)


def _types_of(asked: Matches) -> set[str]:
    return {place.fhir_type for place in asked.parameter.places}


def exact(value: Value) -> bool:
    """Whether a resource has at most one row of it at one place."""
    if isinstance(value, ReferenceValue):
        return len(value.targets) == 1
    return isinstance(value, TokenValue) and value.code is not None and value.system is not None
