"""Where search parameters look in a resource: HL7's expressions, compiled to JSON names.

The parameters of R4 use a small part of FHIRPath: paths, unions, `as`, `where(system='phone')`, `where(resolve() is
Patient)`, an index, and one boolean formula. All of it is understood here, so that reading a resource's values is a
walk over its JSON. Parameters that look at the same place share its rows: `patient` and `subject`, `code` and
`combo-code`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

from domain.fhir import Element, SearchParameter, children, parameters_by_url, search_parameters
from store.search.keyed import hashed

_RESOLVES = re.compile(r"\.where\(resolve\(\) is (\w+)\)")
_PRESENT = re.compile(r"([\w.]+)\.exists\(\) and \1 != false")
_AS = re.compile(r"\(([\w.]+) as (\w+)\)")
_PART = re.compile(
    r"(?:as|ofType)\((?P<type>\w+)\)|where\((?P<on>\w+)='(?P<is>[^']*)'\)|(?P<name>\w+)(?:\[(?P<at>\d+)\])?"
)

# What each kind of parameter can be read from; the other types of a choice are not searched.
_READABLE: dict[str, frozenset[str]] = {
    "string": frozenset({"string", "markdown", "HumanName", "Address", "code", "uri"}),
    "token": frozenset(
        {"code", "string", "id", "uri", "boolean", "Coding", "CodeableConcept", "Identifier", "ContactPoint", "oid"}
        | {"uuid", "markdown", "canonical", "url", "integer", "positiveInt", "unsignedInt"}
    ),
    "reference": frozenset({"Reference", "canonical", "uri", "url", "Resource"}),
    "date": frozenset({"date", "dateTime", "instant", "Period", "Timing"}),
    "number": frozenset({"integer", "decimal", "positiveInt", "unsignedInt"}),
    "quantity": frozenset(
        {"Quantity", "Age", "Duration", "Count", "Distance", "Money", "MoneyQuantity", "SimpleQuantity", "Range"}
        | {"SampledData", "decimal"}
    ),
    "uri": frozenset({"uri", "url", "canonical", "oid", "uuid"}),
}

WORDS = frozenset(
    {"Observation.valueString", "Observation.valueCodeableConcept.text", "Condition.onsetString"}
    | {"Condition.abatementString", "List.note.text", "List.title", "Composition.title"}
    | {"DocumentReference.description", "DocumentManifest.description"}
)
"""What is said of health in words: found by beginnings, and readable nowhere but in the body (ADR 0028)."""

_SEARCHED_IN_THE_ROW = frozenset({"_id", "_lastUpdated", "_text", "_content", "_query"})


@dataclass(frozen=True, slots=True)
class Step:
    """One JSON name; of its values only those whose `on` is `equals`, or only the one at an index."""

    name: str
    on: str = ""
    equals: str = ""
    at: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Values of one FHIR type at one place, searched as one kind; `words` are strings of which only hashes are kept.

    number: names the place in the search tables.  binding: the value set that a code is bound to.
    """

    steps: tuple[Step, ...]
    fhir_type: str
    kind: str
    number: int
    binding: str = ""

    def values(self, resource: dict[str, Any]) -> list[Any]:
        """The values there, in order."""
        return walk(resource, self.steps)


@dataclass(frozen=True, slots=True)
class Composite:
    """Values that belong together because they stand in one element, `context`.

    parts: for each component the places within the element; a place that begins at the resource has `%resource` as its
    first step.  number: the base of the numbers under which rows are kept.
    """

    context: tuple[Step, ...]
    parts: tuple[tuple[Place, ...], ...]
    number: int


@dataclass(frozen=True, slots=True)
class Parameter:
    """A search parameter of a type. `only`: of the references at its places only those to this type.

    words: some of its texts stand in bodies only.
    """

    resource_type: str
    code: str
    kind: str
    places: tuple[Place, ...] = ()
    composites: tuple[Composite, ...] = ()
    presence: str = ""
    only: str = ""
    targets: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    words: bool = False

    @property
    def numbers(self) -> list[int]:
        return [place.number for place in self.places]


def walk(node: Any, steps: tuple[Step, ...]) -> list[Any]:
    """Values at a path of JSON, lists opened; whatever has another shape is passed over."""
    found = [node]
    for step in steps:
        below: list[Any] = []
        for each in found:
            value = each.get(step.name) if isinstance(each, dict) else None
            if isinstance(value, list):
                below.extend(value)
            elif value is not None:
                below.append(value)
        if step.on:
            below = [each for each in below if isinstance(each, dict) and each.get(step.on) == step.equals]
        if step.at is not None:
            below = below[step.at : step.at + 1]
        if not below:
            return below
        found = below
    return found


@cache
def parameters(resource_type: str) -> dict[str, Parameter]:
    """What a type can be searched by, compiled. Empty for what is no resource type."""
    return {code: _compiled(resource_type, each) for code, each in search_parameters(resource_type).items()}


def parameter(resource_type: str, code: str) -> Parameter | None:
    return parameters(resource_type).get(code)


def _compiled(resource_type: str, defined: SearchParameter) -> Parameter:
    kind = "uri" if defined.code == "_profile" else defined.type
    if defined.code in _SEARCHED_IN_THE_ROW:
        return Parameter(resource_type, defined.code, kind)
    if kind == "composite":
        return _composite(resource_type, defined)
    if (present := _PRESENT.fullmatch(defined.expression)) is not None:
        place = Place((), "boolean", "token", hashed(f"{present[1]}!=false|token"))
        return Parameter(resource_type, defined.code, kind, (place,), presence=present[1].rpartition(".")[2])
    if kind == "special":
        position = "Location.position."
        paths = (position + "latitude", position + "longitude")
        near = tuple(place for path in paths for place in _places(resource_type, path, "number"))
        return Parameter(resource_type, defined.code, kind, near)
    expression = defined.expression
    only = set(_RESOLVES.findall(expression))
    bare = _RESOLVES.sub("", expression)
    places = {place.number: place for path in bare.split(" | ") for place in _places(resource_type, path, kind)}
    return Parameter(
        resource_type,
        defined.code,
        kind,
        tuple(places.values()),
        only=only.pop() if len(only) == 1 else "",
        targets=defined.targets,
        words=any(place.kind == "words" for place in places.values()),
    )


def _places(resource_type: str, path: str, kind: str) -> Iterator[Place]:
    for steps, fhir_type, binding in _leaves(resource_type, path):
        if fhir_type in _READABLE[kind]:
            path = f"{resource_type}.{_spelled(steps)}"
            kept = "words" if kind == "string" and path in WORDS else kind
            yield Place(steps, fhir_type, kept, hashed(f"{path}|{kept}"), binding)


def _spelled(steps: tuple[Step, ...]) -> str:
    return ".".join(f"{each.name}{f'({each.on}={each.equals})' if each.on else ''}" for each in steps)


def _leaves(base: str, path: str) -> list[tuple[tuple[Step, ...], str, str]]:
    """JSON paths from `base`, a type or the path of a backbone element, each with the type and binding at its end."""
    found: list[tuple[tuple[Step, ...], str, str]] = [((), base, "")]
    parts = list(_PART.finditer(_AS.sub(r"\1.as(\2)", path)))
    if parts and parts[0]["name"] in {base, "Resource", "DomainResource"}:
        parts = parts[1:]
    for index, part in enumerate(parts):
        if part["name"]:
            wanted = parts[index + 1]["type"] if index + 1 < len(parts) else None
            at = int(part["at"]) if part["at"] else None
            found = [
                ((*steps, Step(json_name, at=at)), _type_of(here, json_name, child), (child.binding or ("", ""))[1])
                for steps, here, _ in found
                for json_name, child in children(here).items()
                if child.name == part["name"] and (wanted is None or child.types[0].lower() == wanted.lower())
            ]
        elif part["on"]:
            on, equals = part["on"], part["is"]
            found = [
                ((*steps[:-1], replace(steps[-1], on=on, equals=equals)), kind, bound) for steps, kind, bound in found
            ]
    return found


def _type_of(here: str, json_name: str, child: Element) -> str:
    """Where the children of an element are looked up: its data type, or its own path if it has elements of its own."""
    if child.content_reference or child.types[0] in {"BackboneElement", "Element"}:
        return f"{here}.{json_name}"
    return child.types[0]


def _composite(resource_type: str, defined: SearchParameter) -> Parameter:
    made = []
    kinds = [_kind_of_component(each.definition) for each in defined.components]
    for path in defined.expression.split(" | "):
        for context, base, _ in _leaves(resource_type, path):
            parts = [
                _part(resource_type, base, component.expression, kind)
                for component, kind in zip(defined.components, kinds, strict=True)
            ]
            if all(parts):
                named = f"{resource_type}.{_spelled(context)}:{defined.code.removeprefix('combo-')}"
                made.append(Composite(context, tuple(parts), hashed(named)))
    seen = tuple(part[0].kind for part in made[0].parts) if made else ()
    words = any(place.kind == "words" for each in made for part in each.parts for place in part)
    # What is asked of words is asked as of any string.
    asked = tuple("string" if each == "words" else each for each in seen)
    return Parameter(resource_type, defined.code, "composite", composites=tuple(made), kinds=asked, words=words)


@lru_cache(maxsize=256)
def _kind_of_component(url: str) -> str:
    return parameters_by_url()[url].type


def _part(resource_type: str, base: str, expression: str, kind: str) -> tuple[Place, ...]:
    found = []
    # HL7's definition of DocumentReference.relationship has its two components crossed: the type at hand decides.
    for other in dict.fromkeys((kind, "token", "reference")):
        for path in expression.split(" | "):
            if path.startswith("%resource."):
                rooted = _places(resource_type, path.removeprefix("%resource."), other)
                found += [
                    Place((Step("%resource"), *each.steps), each.fhir_type, other, each.number) for each in rooted
                ]
            else:
                found += list(_places(base, path, other))
        if found:
            return tuple(found)
    return ()
