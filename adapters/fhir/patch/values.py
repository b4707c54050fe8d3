"""What an operation brings, as the JSON of the element where it goes.

hl7.org/fhir/R4/fhirpatch.html: a `value[x]` for an element with a type; parts by the elements' names for one without.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.errors import Invalid
from domain.fhirpath.model import Field, Type, fhir_type


@dataclass(frozen=True, slots=True)
class Content:
    """The JSON of one element: its field (of a choice, the one chosen), its value and what stands beside it."""

    field: Field
    value: Any
    twin: Any


def field_named(owner: Type, name: str, at: str) -> Field:
    """An element by its name, or a choice by its JSON name, `valueQuantity`. Raises Invalid."""
    found = owner.fields.get(name)
    if found is not None and not found.own:
        return found
    for field in owner.fields.values():
        for option in field.options:
            if option.key == name:
                return option
    raise Invalid("there is no element of this name here", field=at)


def content(field: Field, part: Mapping[str, Any], at: str) -> Content:
    """Raises Invalid where the part has no value, or one that this element cannot take."""
    if isinstance(resource := part.get("resource"), dict):
        if not field.type.resource:
            raise Invalid("a resource cannot stand here", field=at)
        return Content(field, resource, None)
    if isinstance(parts := part.get("part"), list):
        if field.options:
            raise Invalid("a choice of types needs a value with its type", field=at)
        return Content(field, _assembled(field.type, parts, at), None)
    key = next((name for name in part if name.startswith(("value", "_value"))), None)
    if key is None:
        raise Invalid("the value is missing", field=at)
    name = key.removeprefix("_").removeprefix("value")
    given = fhir_type(name) or fhir_type(name[:1].lower() + name[1:])
    if given is None:
        raise Invalid("the value is of no type of R4", field=at)
    return Content(_fitting(field, given, at), part.get(f"value{name}"), part.get(f"_value{name}"))


def _fitting(field: Field, given: Type, at: str) -> Field:
    """A choice takes its very types; elsewhere a string may stand for a code, whose form validation will judge."""
    if field.options:
        chosen = next((option for option in field.options if option.type is given), None)
        if chosen is not None:
            return chosen
    elif given.is_a(field.type) or _alike(given, field.type):
        return field
    raise Invalid("the element does not take a value of this type", field=at)


def _alike(given: Type, wanted: Type) -> bool:
    if not given.primitive or not wanted.primitive:
        return False
    return given.convert is wanted.convert or {given.name, wanted.name} <= {"date", "dateTime", "instant"}


def _assembled(type_: Type, parts: list[Any], at: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for number, part in enumerate(parts):
        here = f"{at}/part/{number}"
        name = part.get("name") if isinstance(part, dict) else None
        if not isinstance(name, str):
            raise Invalid("a part of a value has the name of an element", field=here)
        each = content(field_named(type_, name, here), part, here)
        if not each.field.repeats:
            if each.field.key in made or each.field.twin in made:
                raise Invalid("the element does not repeat", field=here)
            place(made, each)
        else:
            made.setdefault(each.field.key, [])
            insert(made, each, len(made[each.field.key]))
    return made


def place(owner: dict[str, Any], given: Content) -> None:
    """As the one value of an element that does not repeat."""
    owner.pop(given.field.key, None)
    owner.pop(given.field.twin, None)
    if given.value is not None:
        owner[given.field.key] = given.value
    if given.twin is not None:
        owner[given.field.twin] = given.twin


def insert(owner: dict[str, Any], given: Content, index: int) -> None:
    """Into a list, keeping the two lists of a primitive in step (hl7.org/fhir/R4/json.html#primitive)."""
    values: list[Any] = owner.setdefault(given.field.key, [])
    twins: list[Any] | None = owner.get(given.field.twin) if given.field.twin else None
    if twins is None and given.twin is not None:
        twins = owner[given.field.twin] = []
    if twins is not None:
        length = max(len(values), len(twins))
        values.extend([None] * (length - len(values)))
        twins.extend([None] * (length - len(twins)))
        twins.insert(index, given.twin)
    values.insert(index, given.value)
