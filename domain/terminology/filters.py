"""Filters of a value set over the properties of a code system (hl7.org/fhir/R4/valueset.html#filters)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import re2  # type: ignore[import-untyped]  # it brings no types

from domain.errors import Invalid, TooCostly
from domain.terminology.concepts import CodeSystem, Concept

Json = Mapping[str, Any]
Test = Callable[[Concept], bool]

LONGEST_PATTERN = 1000
_HIERARCHY = frozenset({"concept", "code"})
_QUIET = re2.Options()
_QUIET.log_errors = False


def predicate(system: CodeSystem, condition: Json) -> Test:
    """Whether a concept passes one filter. Raises Invalid for a filter that means nothing over this system."""
    name, op, value = str(condition.get("property", "")), condition.get("op"), str(condition.get("value", ""))
    match op:
        case "is-a" | "descendent-of" | "is-not-a" | "generalizes":
            return _hierarchical(system, name, op, value)
        case "=":
            return lambda concept: value in values(system, concept, name)
        case "in":
            allowed = frozenset(each.strip() for each in value.split(","))
            return lambda concept: not allowed.isdisjoint(values(system, concept, name))
        case "not-in":
            refused = frozenset(each.strip() for each in value.split(","))
            return lambda concept: refused.isdisjoint(values(system, concept, name))
        case "regex":
            pattern = _pattern(value)
            return lambda concept: any(pattern.fullmatch(each) for each in values(system, concept, name))
        case "exists":
            if value not in {"true", "false"}:
                raise Invalid("the filter `exists` has the value true or false", field="compose.include.filter")
            return lambda concept: any(values(system, concept, name)) is (value == "true")
    raise Invalid("a filter's operator is none of R4's", field="compose.include.filter.op")


def _hierarchical(system: CodeSystem, name: str, op: str, value: str) -> Test:
    if name not in _HIERARCHY:
        raise Invalid(f"the filter {op} goes with the property `concept`", field="compose.include.filter.property")
    root = system.find(value)
    if root is None:
        return lambda _: op == "is-not-a"  # nothing is related to a code that is not there
    at = root.place
    if op == "generalizes":
        above = system.ancestors(root)
        return lambda concept: concept.place == at or concept.place in above
    # asked from beneath: what is above one concept is little, what is beneath one may be all of the system
    match op:
        case "is-a":
            return lambda concept: concept.place == at or at in system.ancestors(concept)
        case "descendent-of":
            return lambda concept: concept.place != at and at in system.ancestors(concept)
    return lambda concept: concept.place != at and at not in system.ancestors(concept)


def candidates(system: CodeSystem, conditions: Sequence[Json]) -> list[Concept]:
    """The concepts that may pass all the filters, in the order of the system; those that surely do not are left out."""
    for each in conditions:
        if each.get("op") in {"is-a", "descendent-of"}:
            root = system.find(str(each.get("value", "")))
            if root is None:
                return []
            return [system.concepts[place] for place in sorted({root.place, *system.descendants(root)})]
    return system.concepts


@lru_cache(maxsize=256)
def _pattern(text: str) -> Any:
    if len(text) > LONGEST_PATTERN:
        raise TooCostly("a filter's pattern is too long", limit=str(LONGEST_PATTERN))
    try:
        # RE2: linear time, whatever a value set says
        return re2.compile(text, options=_QUIET)
    except re2.error:
        raise Invalid("a filter's pattern is no regular expression", field="compose.include.filter.value") from None


def values(system: CodeSystem, concept: Concept, name: str) -> list[str]:
    """The values of a property as filters compare them: codes and texts as they are, booleans as true and false."""
    match name:
        case "concept" | "code":
            found = [concept.code]
        case "display":
            found = [concept.display]
        case "definition":
            found = [concept.definition]
        case "parent":
            found = [each.code for each in system.parents(concept)]
        case "child":
            found = [each.code for each in system.children(concept)]
        case "designation":
            found = [str(each.get("value", "")) for each in system.designations(concept)]
        case _:
            found = [*_of_property(system, concept, name)]
            if not found and name == "inactive":
                found = [str(concept.place in system.inactive).lower()]
    return [each for each in found if each]


def _of_property(system: CodeSystem, concept: Concept, name: str) -> Iterator[str]:
    for each in system.properties(concept):
        if each.get("code") == name:
            for key, value in each.items():
                if key == "valueCoding":
                    yield str(value.get("code", ""))
                elif key.startswith("value"):
                    yield str(value).lower() if isinstance(value, bool) else str(value)
