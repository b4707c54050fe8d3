"""Codes of value sets and their order in code systems, for `:in`, `:not-in`, `:above` and `:below`.

HL7's own, and those of a hospital where they were looked up before. hl7.org/fhir/R4/search.html#modifiers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.errors import NotFound, TooCostly
from domain.fhir import value_set_codes
from domain.terminology import Canonical, Shelves, ValueSet, expand

MOST_CODES = 5000
"""Codes of a value set, or beneath a code, in one search."""

Code = tuple[str, str | None]
"""A system and a code of it; None for all codes of the system."""


@dataclass(frozen=True)
class CodeSets:
    """The code systems and value sets that come with R4, and those of a hospital.

    by_name: value sets that are named by a reference, `ValueSet/1` or an absolute one, instead of their canonical URL.
    """

    shelves: Shelves = field(default_factory=Shelves)
    by_name: Mapping[str, ValueSet] = field(default_factory=dict)

    def members(self, value_set: str) -> list[Code] | None:
        """Each member, or None for a set that is unknown or cannot be listed. Raises TooCostly."""
        canonical = Canonical.of(value_set)
        found = self.by_name.get(value_set)
        if found is None and not self.shelves.sets.get(canonical.url):
            known = value_set_codes(value_set)
            if known is not None:
                return _few([(system, code) for system, codes in known.items() for code in sorted(codes)])
        found = found or self.shelves.value_set(canonical)
        if found is None:
            return None
        try:
            return _few([(each.system, each.code) for each in expand(self.shelves, found).members])
        except NotFound:
            return _whole_systems(found)
        except TooCostly:
            whole = _whole_systems(found)
            if whole is None:
                raise
            return whole

    def related(self, system: str, code: str, *, above: bool) -> list[str]:
        """The code, and all that subsume it or that it subsumes. Alone in a system without known hierarchy."""
        known = self.shelves.code_system(Canonical.of(system))
        concept = known.find(code) if known else None
        if known is None or concept is None:
            return [code]
        places = known.ancestors(concept) if above else known.descendants(concept)
        if len(places) >= MOST_CODES:
            raise TooCostly(f"the code has more than {MOST_CODES} codes beneath it", limit=str(MOST_CODES))
        return [concept.code, *(known.concepts[place].code for place in sorted(places))]


def _few(codes: list[Code]) -> list[Code]:
    if len(codes) > MOST_CODES:
        raise TooCostly(f"the value set has more than {MOST_CODES} codes", limit=str(MOST_CODES))
    return codes


def _whole_systems(value_set: ValueSet) -> list[Code] | None:
    """The systems of a set that is nothing but all codes of some: they need not be known to be searched for."""
    if not value_set.includes or value_set.excludes or not value_set.inactive:
        return None
    for part in value_set.includes:
        if not part.system or part.concepts is not None or part.filters or part.value_sets:
            return None
    return [(part.system, None) for part in value_set.includes]
