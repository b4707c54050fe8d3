"""The JSON schema of one resource type, made from its definition: the fast half of validation.

What the schema accepts is right; what it refuses may still be right, and `structure.py` then looks closely. That lets
the schema be narrow where the standard is wide but nearly nobody goes: no ids on inner elements, no `_` twins in
arrays and choices, extensions with a URL and a value. Rules that JSON Schema would pay dearly for become cheap: an
element without `id` is empty exactly when its object is, and an extension with two properties has one value.

Nothing in it is endlessly recursive: the library behind it follows a recursive schema down a document of any depth,
until the stack is gone. So extensions within extensions are *plain*, that is without extensions of their own, and an
item within an item stops after a few levels.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from adapters.fhir.validation import bindings, certainty, primitives, references
from domain import fhir
from domain.fhir import Element

Schema = dict[str, Any]

# Extensions carry any type; these are what records use.
EXTENSION_VALUES = {
    "valueAddress", "valueBoolean", "valueCode", "valueCodeableConcept", "valueCoding", "valueDate", "valueDateTime",
    "valueDecimal", "valueId", "valueIdentifier", "valueInstant", "valueInteger", "valueMoney", "valuePeriod",
    "valuePositiveInt", "valueQuantity", "valueReference", "valueString", "valueUnsignedInt", "valueUri", "valueUrl",
    "valueUuid",
}  # fmt: skip
DEEPEST = 4  # an element that borrows its own definition (Questionnaire.item.item) is followed so far


@dataclass(frozen=True, slots=True)
class Place:
    """A definition to make. `plain`: without extensions; `level`: how often a definition was borrowed on the way."""

    path: str
    plain: bool = False
    level: int = 0

    @property
    def name(self) -> str:
        return f"{self.path}{'-plain' if self.plain else ''}{f'-{self.level}' if self.level else ''}"


def schema_of(resource_type: str, *, contained: bool) -> Schema:
    """`contained`: whether it may hold contained resources, and with them references that begin with `#`."""
    maker = Maker(contained)
    root = maker.need(Place(resource_type))
    while maker.wanted:
        place = maker.wanted.pop()
        maker.definitions[place.name] = maker.object_at(place)
    return {**root, "$defs": maker.definitions}


class Maker:
    """Definitions made so far, and the places that they refer to and that are still to be made."""

    def __init__(self, contained: bool) -> None:
        self.contained = contained
        self.definitions: dict[str, Schema] = {}
        self.wanted: list[Place] = []
        self.known: set[Place] = set()

    def need(self, place: Place) -> Schema:
        if place not in self.known:
            self.known.add(place)
            self.wanted.append(place)
        return {"$ref": f"#/$defs/{place.name}"}

    def object_at(self, place: Place) -> Schema:
        children = self.children(place)
        properties = dict(self.properties(children, place))
        required = [name for name, each in children.items() if each.min and not each.choice]
        rules: list[Schema | bool] = certainty.rules_of(place.path, place.path)
        made: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
        if place.path in fhir.resource_types():
            properties["resourceType"] = {"const": place.path}
            required.append("resourceType")
        else:
            made["minProperties"] = 1
        if place.path == "Extension":
            # a URL and either a value or extensions: invariant ext-1, and never two values
            made.update(minProperties=2, maxProperties=2)
        else:
            rules += [one_of(names, required=each.min > 0) for names, each in choices(children)]
        if required:
            made["required"] = required
        if rules:
            made["allOf"] = rules
        return made

    def children(self, place: Place) -> Mapping[str, Element]:
        children = dict(fhir.children(place.path))
        if place.path not in fhir.resource_types():
            del children["id"]
        if not self.contained:
            children.pop("contained", None)
        if place.plain:
            children.pop("extension", None)
            if place.path == "Reference":
                del children["identifier"]  # whose assigner is a reference again
        if place.path == "Extension":
            children = {name: each for name, each in children.items() if not each.choice or name in EXTENSION_VALUES}
        if place.level == DEEPEST:
            children = {name: each for name, each in children.items() if not each.content_reference}
        return children

    def properties(self, children: Mapping[str, Element], place: Place) -> Iterator[tuple[str, Schema]]:
        for name, each in children.items():
            content = self.content(each, place)
            if each.repeats:
                limits = {} if each.max == "*" else {"maxItems": int(each.max)}
                yield name, {"type": "array", "minItems": 1, "items": content, **limits}
                continue
            yield name, content
            has_twin = not (each.choice or place.plain or each.name in {"id", "url"})
            if has_twin and each.types and fhir.is_primitive(each.types[0]):
                yield f"_{name}", self.twin()

    def content(self, element: Element, place: Place) -> Schema:
        """What one value of an element looks like; its choices have been told apart, so it has one type."""
        if element.content_reference:
            return self.need(replace(place, path=element.content_reference, level=place.level + 1))
        (kind,) = element.types
        if kind in {"BackboneElement", "Element"}:
            return self.need(replace(place, path=element.path))
        if kind == "Resource":
            return {"type": "object", "required": ["resourceType"]}
        return self.primitive(element) if fhir.is_primitive(kind) else self.datatype(element, place)

    def primitive(self, element: Element) -> Schema:
        if element.path == "Reference.reference":
            return {"type": "string", "pattern": references.pattern(local=self.contained)}
        if bound := bindings.code_schema(element):
            return bound
        (kind,) = element.types
        self.definitions.setdefault(kind, primitives.schema(kind))
        return {"$ref": f"#/$defs/{kind}"}

    def datatype(self, element: Element, place: Place) -> Schema:
        (kind,) = element.types
        inner = place.path == "Extension" or place.plain or (place.path, kind) == ("Reference", "Identifier")
        own = self.need(Place(kind, plain=inner))
        rules: list[Schema | bool] = certainty.rules_of(element.path, kind)
        if kind == "CodeableConcept" and (bound := bindings.concept_schema(element)):
            rules.append(bound)
        if element.simple and kind == "Quantity":
            rules.append({"properties": {"comparator": False}})
        return {"allOf": [own, *rules]} if rules else own

    def twin(self) -> Schema:
        """What stands beside a primitive under its name with a `_`."""
        listed = {"type": "array", "minItems": 1, "items": self.need(Place("Extension"))}
        self.definitions["twin"] = {
            "type": "object",
            "properties": {"extension": listed},
            "required": ["extension"],
            "additionalProperties": False,
        }
        return {"$ref": "#/$defs/twin"}


def choices(children: Mapping[str, Element]) -> Iterator[tuple[list[str], Element]]:
    """The JSON names that each choice goes by."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name, each in children.items():
        if each.choice:
            groups[each.path].append(name)
    for names in groups.values():
        yield names, children[names[0]]


def one_of(names: list[str], *, required: bool) -> Schema:
    present = [{"required": [name]} for name in names]
    return {"oneOf": present if required else [*present, {"not": {"anyOf": present}}]}
