"""The search rows of a resource: every value of every R4 parameter of its type, each once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from domain.fhir import pointings
from store.search.instants import bounds
from store.search.keyed import Hash, hashed
from store.search.links import link_rows
from store.search.matching import match_keys
from store.search.places import Composite, Place, parameters, walk
from store.search.values import (
    of_type_rows,
    quantity_rows,
    reference_rows,
    string_rows,
    token_rows,
    uri_rows,
)

Converted = list[tuple[Any, ...]]

ELSEWHERE = hashed("Reference.reference|elsewhere")
"""The place of references that no search parameter reads."""


@dataclass(slots=True)
class Rows:
    """Rows by table, without hospital and resource; the first column is the place's number."""

    strings: set[tuple[int, str, int]] = field(default_factory=set)
    tokens: set[tuple[int, int, int]] = field(default_factory=set)
    references: set[tuple[int, str, str]] = field(default_factory=set)
    dates: set[tuple[int, str, str]] = field(default_factory=set)
    quantities: set[tuple[int, int, int, int]] = field(default_factory=set)

    def of(self, kind: str) -> set[Any]:
        """The table that rows of a kind of parameter go to."""
        match kind:
            case "token":
                return self.tokens
            case "reference":
                return self.references
            case "date":
                return self.dates
            case "number" | "quantity":
                return self.quantities
            case _:
                return self.strings


def extract(resource: dict[str, Any], hash_: Hash) -> Rows:
    """The rows of a resource of R4, empty for another type. `hash_` makes its tokens."""
    rows = Rows()
    compiled = _compiled(str(resource.get("resourceType")))
    for name in resource:
        for place in compiled.by_name.get(name, ()):
            for value in walk(resource, place.steps):
                _add(rows, place, value, hash_)
        for composite in compiled.composites_by_name.get(name, ()):
            _add_composite(rows, composite, resource, hash_)
    if resource.get("resourceType") == "Patient":
        rows.references.update(link_rows(resource))
        rows.tokens.update((number, hash_(key), 0) for number, key in match_keys(resource))
    _add_elsewhere(rows, resource)
    for place, name in compiled.presences:
        present = any(key.startswith(name) and value is not False for key, value in resource.items())
        rows.tokens.update((place.number, *row) for row in token_rows(present, "boolean", hash_))
    return rows


def converted(place: Place, value: Any, hash_: Hash) -> Converted:
    """The rows of one value, without the place's number."""
    match place.kind:
        case "token":
            return [*token_rows(value, place.fhir_type, hash_)]
        case "date":
            found = bounds(value)
            return [found] if found else []
        case _:
            return [*_PLAIN[place.kind](value)]


_PLAIN: dict[str, Callable[[Any], Any]] = {
    "string": string_rows,
    "uri": uri_rows,
    "reference": reference_rows,
    "number": quantity_rows,
    "quantity": quantity_rows,
}


def special(place: Place, purpose: str) -> int:
    """The number of rows that serve one modifier of a place: `identifier` or `of-type`."""
    return _special(place.number, purpose)


@cache
def _special(number: int, purpose: str) -> int:
    return hashed(f"{number}:{purpose}")


def derived(composite: Composite, code: int | str) -> int:
    """The number of a composite's rows whose first component is `code`, a token's hash or a reference's key."""
    return hashed(f"{composite.number}${code}")


def _add(rows: Rows, place: Place, value: Any, hash_: Hash) -> None:
    number, table = place.number, rows.of(place.kind)
    for row in converted(place, value, hash_):
        table.add((number, *row))
    if place.fhir_type == "Identifier" and place.kind == "token":
        rows.tokens.update((special(place, "of-type"), *row) for row in of_type_rows(value, hash_))
    elif place.fhir_type == "Reference" and isinstance(value, dict) and "identifier" in value:
        named = token_rows(value["identifier"], "Identifier", hash_)
        rows.tokens.update((special(place, "identifier"), *row) for row in named)


def _add_elsewhere(rows: Rows, resource: dict[str, Any]) -> None:
    read = {row[1] for row in rows.references}
    for _, text, _ in pointings(resource):
        rows.references.update((ELSEWHERE, key, kind) for key, kind in reference_rows(text) if key not in read)


def _add_composite(rows: Rows, composite: Composite, resource: dict[str, Any], hash_: Hash) -> None:
    for element in walk(resource, composite.context):
        first, *others = ([*_part(part, element, resource, hash_)] for part in composite.parts)
        if not all(others):
            continue
        kind = composite.parts[1][0].kind
        # Of three components the last two are the ends of one range: start and end on a chromosome.
        seconds = others[0] if len(others) == 1 else [(0, low[1], high[2]) for low in others[0] for high in others[1]]
        for code in {row[0] for row in first}:
            rows.of(kind).update((derived(composite, code), *row) for row in seconds)


def _part(places: tuple[Place, ...], element: Any, resource: dict[str, Any], hash_: Hash) -> Converted:
    found: Converted = []
    for place in places:
        rooted = place.steps[0].name == "%resource"
        values = walk(resource, place.steps[1:]) if rooted else walk(element, place.steps)
        for value in values:
            found += converted(place, value, hash_)
    return found


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A type's places by the first JSON name on their path, so that absent elements cost nothing."""

    by_name: dict[str, list[Place]]
    composites_by_name: dict[str, list[Composite]]
    presences: list[tuple[Place, str]]


@cache
def _compiled(resource_type: str) -> _Compiled:
    places: dict[int, Place] = {}
    composites: dict[int, Composite] = {}
    presences = {}
    for parameter in parameters(resource_type).values():
        if parameter.presence:
            presences[parameter.places[0].number] = (parameter.places[0], parameter.presence)
        else:
            places.update((place.number, place) for place in parameter.places)
        composites.update((each.number, each) for each in parameter.composites)
    by_name: dict[str, list[Place]] = {}
    for place in places.values():
        by_name.setdefault(place.steps[0].name, []).append(place)
    together: dict[str, list[Composite]] = {}
    for each in composites.values():
        for name in _first_names(each):
            together.setdefault(name, []).append(each)
    return _Compiled(by_name, together, list(presences.values()))


def _first_names(composite: Composite) -> set[str]:
    if composite.context:
        return {composite.context[0].name}
    return {place.steps[0].name for place in composite.parts[-1]}
