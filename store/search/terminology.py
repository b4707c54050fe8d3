"""Codes of value sets and their order in code systems, for `:in`, `:not-in`, `:above` and `:below`.

HL7's own; a subclass may know a hospital's. hl7.org/fhir/R4/search.html#modifiers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from domain.errors import TooCostly
from domain.fhir import iter_terminology, value_set_codes

MOST_CODES = 5000
"""Codes of a value set in one search."""


class CodeSets:
    """The code systems and value sets that come with R4."""

    def members(self, value_set: str) -> list[tuple[str, str]] | None:
        """(system, code) of each member, or None for a set that is unknown or cannot be listed. Raises TooCostly."""
        known = value_set_codes(value_set)
        if known is None:
            return None
        if sum(map(len, known.values())) > MOST_CODES:
            raise TooCostly("the value set has too many codes", limit=str(MOST_CODES))
        return [(system, code) for system, codes in known.items() for code in sorted(codes)]

    def related(self, system: str, code: str, *, above: bool) -> list[str]:
        """The code, and all that subsume it or that it subsumes. Alone in a system without known hierarchy."""
        parents = _parents(system)
        if above:
            return list(_up(parents, code))
        return [code, *(each for each in parents if each != code and code in _up(parents, each))]


def _up(parents: Mapping[str, frozenset[str]], code: str) -> Iterator[str]:
    waiting, seen = [code], {code}
    while waiting:
        each = waiting.pop()
        yield each
        more = parents.get(each, frozenset()) - seen
        seen |= more
        waiting += more


@lru_cache(maxsize=64)
def _parents(system: str) -> Mapping[str, frozenset[str]]:
    """Code → the codes just above it, by nesting and by the property `subsumedBy`."""
    found: dict[str, frozenset[str]] = {}
    defined = next(
        (each for each in iter_terminology() if each["resourceType"] == "CodeSystem" and each.get("url") == system), {}
    )
    _collect(defined.get("concept", ()), None, found)
    return found


def _collect(concepts: Any, parent: str | None, found: dict[str, frozenset[str]]) -> None:
    for concept in concepts:
        named = {each.get("valueCode") for each in concept.get("property", ()) if each.get("code") == "subsumedBy"}
        above = ({parent} if parent else set()) | {each for each in named if isinstance(each, str)}
        found[concept["code"]] = found.get(concept["code"], frozenset()) | above
        _collect(concept.get("concept", ()), concept["code"], found)
