"""The search rows of a resource: every value of every R4 parameter of its type, each once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from domain.fhir import pointings
from store.search.finding import find_rows
from store.search.instants import bounds
from store.search.keyed import Hash, hashed
from store.search.links import link_rows
from store.search.matching import match_keys
from store.search.places import Composite, Place, Step, parameters, walk
from store.search.values import (
    of_type_rows,
    quantity_rows,
    reference_rows,
    string_rows,
    token_rows,
    uri_rows,
)
from store.search.words import word_rows

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
    read: set[int] = field(default_factory=set, compare=False)  # References that a parameter reads, by `id()`

    def of(self, kind: str) -> set[Any]:
        """The table that rows of a kind of parameter go to."""
        match kind:
            case "token" | "words":
                return self.tokens
            case "reference":
                return self.references
            case "date":
                return self.dates
            case "number" | "quantity":
                return self.quantities
            case _:
                return self.strings


def extract(resource: dict[str, Any], hash_: Hash, text: bytes | None = None) -> Rows:
    """The rows of a resource of R4, empty for another type. `hash_` makes its tokens.

    text: the resource's own, where it is at hand: it shows at a glance whether there are references to look for.
    """
    rows = Rows()
    compiled = _compiled(str(resource.get("resourceType")))
    _visit(compiled.tree, resource, rows, hash_)
    for place in compiled.counted:
        writer = _writer(place.kind, place.fhir_type, [place])
        for value in walk(resource, place.steps):
            writer(rows, value, hash_)
    for group in compiled.groups:
        if not group.names.isdisjoint(resource):
            _add_composites(rows, group, resource, hash_)
    if resource.get("resourceType") == "Patient":
        rows.references.update(link_rows(resource))
        rows.tokens.update((number, hash_(key), 0) for number, key in match_keys(resource))
        rows.tokens.update((number, hash_(key), 0) for number, key in find_rows(resource))
    # A name written with an escape, `\u0072eference`, would not be counted.
    if text is None or text.count(b'"reference"') > len(rows.read) or b"\\u" in text:
        _add_elsewhere(rows, resource)
    for place, name in compiled.presences:
        present = any(key.startswith(name) and value is not False for key, value in resource.items())
        rows.tokens.update((place.number, *row) for row in token_rows(present, "boolean", hash_))
    return rows


def _visit(node: _Node, element: dict[str, Any], rows: Rows, hash_: Hash) -> None:
    """One walk for all places: what the tree knows beneath an element goes to its writers, the rest is passed over."""
    below = node.below
    for name, value in element.items():
        branches = below.get(name)
        if branches is None or value is None:
            continue
        for branch in branches:
            for each in value if isinstance(value, list) else (value,):
                is_object = isinstance(each, dict)
                if branch.on and not (is_object and each.get(branch.on) == branch.equals):
                    continue
                for writer in branch.node.writers:
                    writer(rows, each, hash_)
                if is_object and branch.node.below:
                    _visit(branch.node, each, rows, hash_)


def converted(place: Place, value: Any, hash_: Hash) -> Converted:
    """The rows of one value, without the place's number."""
    match place.kind:
        case "token":
            return [*token_rows(value, place.fhir_type, hash_)]
        case "words":
            return [*word_rows(value, hash_)]
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


def _writer(kind: str, fhir_type: str, places: list[Place]) -> _Writer:
    """What puts a value at places of one kind and type into its table, converted once for all of them."""
    numbers = [place.number for place in places]
    if kind == "token":
        of_type = [special(place, "of-type") for place in places] if fhir_type == "Identifier" else []

        def write_tokens(rows: Rows, value: Any, hash_: Hash) -> None:
            for code, system in token_rows(value, fhir_type, hash_):
                for number in numbers:
                    rows.tokens.add((number, code, system))
            for number in of_type:
                rows.tokens.update((number, *row) for row in of_type_rows(value, hash_))

        return write_tokens
    if kind == "date":

        def write_dates(rows: Rows, value: Any, _hash: Hash) -> None:
            if (found := bounds(value)) is not None:
                rows.dates.update((number, *found) for number in numbers)

        return write_dates
    if kind == "words":

        def write_words(rows: Rows, value: Any, hash_: Hash) -> None:
            for row in word_rows(value, hash_):
                rows.tokens.update((number, *row) for number in numbers)

        return write_words
    plain = _PLAIN[kind]
    identified = [special(place, "identifier") for place in places] if fhir_type == "Reference" else []

    def write(rows: Rows, value: Any, hash_: Hash) -> None:
        table = rows.of(kind)
        for row in plain(value):
            for number in numbers:
                table.add((number, *row))
        if not identified or not isinstance(value, dict):
            return
        if isinstance(value.get("reference"), str):
            rows.read.add(id(value))
        if "identifier" in value:
            named = token_rows(value["identifier"], "Identifier", hash_)
            rows.tokens.update((number, *row) for number in identified for row in named)

    return write


def _add_elsewhere(rows: Rows, resource: dict[str, Any]) -> None:
    if named := pointings(resource):
        read = {row[1] for row in rows.references}
        for _, text, _ in named:
            rows.references.update((ELSEWHERE, key, kind) for key, kind in reference_rows(text) if key not in read)


def _add_composites(rows: Rows, group: _Group, resource: dict[str, Any], hash_: Hash) -> None:
    """The composites of one context; a component that several of them have is read once an element."""
    for element in walk(resource, group.context):
        known: dict[int, Converted] = {}
        for composite, parts in group.composites:
            for part, places in zip(parts, composite.parts, strict=True):
                if part not in known:
                    known[part] = _part(places, element, resource, hash_)
            first, *others = (known[part] for part in parts)
            if first and all(others):
                _add_composite(rows, composite, first, others)


def _add_composite(rows: Rows, composite: Composite, first: Converted, others: list[Converted]) -> None:
    # Of three components the last two are the ends of one range: start and end on a chromosome.
    seconds = others[0] if len(others) == 1 else [(0, low[1], high[2]) for low in others[0] for high in others[1]]
    table = rows.of(composite.parts[1][0].kind)
    for code in {row[0] for row in first}:
        table.update((derived(composite, code), *row) for row in seconds)


def _part(places: tuple[Place, ...], element: Any, resource: dict[str, Any], hash_: Hash) -> Converted:
    found: Converted = []
    for place in places:
        rooted = place.steps[0].name == "%resource"
        values = walk(resource, place.steps[1:]) if rooted else walk(element, place.steps)
        for value in values:
            found += converted(place, value, hash_)
    return found


_Writer = Callable[[Rows, Any, Hash], None]


class _Node:
    """An element on the way to places: what is beneath it by JSON name, and what becomes of its own values."""

    __slots__ = ("below", "places", "writers")

    def __init__(self) -> None:
        self.below: dict[str, list[_Branch]] = {}
        self.places: dict[tuple[str, str], list[Place]] = {}
        self.writers: list[_Writer] = []

    def at(self, step: Step) -> _Node:
        """The node of a step, made when first asked for."""
        branches = self.below.setdefault(step.name, [])
        for each in branches:
            if (each.on, each.equals) == (step.on, step.equals):
                return each.node
        branches.append(_Branch(step.on, step.equals, _Node()))
        return branches[-1].node

    def finish(self) -> None:
        """Make the writers, here and beneath."""
        self.writers = [_writer(kind, fhir_type, places) for (kind, fhir_type), places in self.places.items()]
        for branches in self.below.values():
            for each in branches:
                each.node.finish()


@dataclass(frozen=True, slots=True)
class _Branch:
    """Values of a name, or only those whose `on` is `equals`."""

    on: str
    equals: str
    node: _Node


@dataclass(frozen=True, slots=True)
class _Group:
    """Composites of one context. names: JSON names of the resource without all of which there is nothing to read."""

    names: frozenset[str]
    context: tuple[Step, ...]
    composites: list[tuple[Composite, tuple[int, ...]]]  # with a number for each of its components


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A type's places as one tree, so that absent elements cost nothing. `counted`: those that name an index."""

    tree: _Node
    counted: list[Place]
    groups: list[_Group]
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
    counted = [place for place in places.values() if any(step.at is not None for step in place.steps)]
    return _Compiled(_tree(places.values()), counted, _groups(composites.values()), list(presences.values()))


def _tree(places: Iterable[Place]) -> _Node:
    root = _Node()
    for place in places:
        if all(step.at is None for step in place.steps):
            node = root
            for step in place.steps:
                node = node.at(step)
            node.places.setdefault((place.kind, place.fhir_type), []).append(place)
    root.finish()
    return root


def _groups(composites: Iterable[Composite]) -> list[_Group]:
    numbers: dict[tuple[Place, ...], int] = {}
    by_context: dict[tuple[Step, ...], list[tuple[Composite, tuple[int, ...]]]] = {}
    for each in composites:
        parts = tuple(numbers.setdefault(part, len(numbers)) for part in each.parts)
        by_context.setdefault(each.context, []).append((each, parts))
    return [
        _Group(frozenset().union(*(_first_names(composite) for composite, _ in listed)), context, listed)
        for context, listed in by_context.items()
    ]


def _first_names(composite: Composite) -> set[str]:
    if composite.context:
        return {composite.context[0].name}
    return {place.steps[0].name for place in composite.parts[-1]}
