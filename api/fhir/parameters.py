"""What goes into an operation and comes out of it: the address, or Parameters (hl7.org/fhir/R4/operations.html).

Each operation says which parameters it knows and of which type. A GET brings simple values only; a POST brings a
Parameters resource, or the one resource that the operation is about with the rest in the address.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from api.fhir.checking import checked
from api.fhir.exchange import Answer, Call
from api.fhir.text import Json, write
from domain.errors import Invalid

MOST_REPEATED = 100

_URI = ("valueUri", "valueUrl", "valueCanonical", "valueString")
_VALUES: Mapping[str, tuple[str, ...]] = {
    "uri": _URI,
    "code": ("valueCode", "valueString"),
    "string": ("valueString", "valueCode", "valueMarkdown"),
    "boolean": ("valueBoolean",),
    "integer": ("valueInteger", "valuePositiveInt", "valueUnsignedInt"),
    "dateTime": ("valueDateTime", "valueDate", "valueInstant"),
    "Coding": ("valueCoding",),
    "CodeableConcept": ("valueCodeableConcept",),
    "Identifier": ("valueIdentifier",),
    "Reference": ("valueReference",),
}
"""The type of a parameter → the elements that may bring it, its near relations included."""

_PRESENTATION = frozenset({"_format", "_pretty"})
_DATE = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?")
_LONGEST = 4000


@dataclass
class Given:
    """The parameters that were given, by name; `resources` are those that came as one."""

    values: dict[str, list[Any]] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A parameter of a simple type, empty where it was not given."""
        found = self.values.get(name)
        return str(found[0]) if found else ""

    def texts(self, name: str) -> list[str]:
        return [str(each) for each in self.values.get(name, ())]

    def flag(self, name: str) -> bool | None:
        found = self.values.get(name)
        return bool(found[0]) if found else None

    def number(self, name: str) -> int | None:
        found = self.values.get(name)
        return int(found[0]) if found else None

    def part(self, name: str) -> Json | None:
        """A Coding, a CodeableConcept, a Reference or a resource."""
        found = self.values.get(name)
        return found[0] if found else None


async def given(call: Call, known: Mapping[str, str], *, about: str = "", strict: bool = False) -> Given:
    """Read the parameters of an operation.

    known: name → type, a resource type for one, with `*` at its end for one that repeats.  about: the parameter that a
    bare resource in the body stands for.  strict: a name that is unknown is refused, whatever the client prefers.
    Raises Invalid naming the parameter: twice, of another type, unknown where `Prefer: handling=strict`.
    """
    read = Given()
    for name, value in call.params:
        if name in _PRESENTATION:
            continue
        kind = _kind(call, known, name, strict)
        if kind is not None:
            _add(read, name, kind, _simple(name, kind.rstrip("*"), value))
    sent = call.resource
    if sent is None:
        return read
    if sent.get("resourceType") != "Parameters":
        if not about:
            raise Invalid("the body of this operation is a Parameters resource", field="/resourceType")
        _add(read, about, known[about], await checked(sent, known[about]))
        return read
    for each in (await checked(sent, "Parameters")).get("parameter", ()):
        kind = _kind(call, known, str(each["name"]), strict)
        if kind is not None:
            _add(read, str(each["name"]), kind, _value(each, kind.rstrip("*")))
    return read


def _kind(call: Call, known: Mapping[str, str], name: str, strict: bool) -> str | None:
    kind = known.get(name)
    if kind is None and (strict or call.preference.strict):
        raise Invalid("this operation has no such parameter here", field=name[:64])
    return kind


def _add(read: Given, name: str, kind: str, value: Any) -> None:
    listed = read.values.setdefault(name, [])
    listed.append(value)
    if len(listed) > (MOST_REPEATED if kind.endswith("*") else 1):
        raise Invalid("this parameter is given too often", field=name)


def _simple(name: str, kind: str, text: str) -> Any:
    if kind not in _VALUES or kind[0].isupper():
        raise Invalid("this parameter needs a POST with Parameters", field=name)
    if len(text) > _LONGEST:
        raise Invalid(f"a parameter has at most {_LONGEST} characters", field=name)
    match kind:
        case "boolean" if text in {"true", "false"}:
            return text == "true"
        case "integer" if re.fullmatch(r"-?[0-9]{1,9}", text):
            return int(text)
        case "dateTime" if not _DATE.fullmatch(text):
            raise Invalid("not a date or a time", field=name)
        case "boolean" | "integer":
            raise Invalid(f"not of type {kind}", field=name)
    if not text.strip():
        raise Invalid("a parameter without content", field=name)
    return text


def _value(parameter: Json, kind: str) -> Any:
    name = str(parameter["name"])
    if kind not in _VALUES:
        resource = parameter.get("resource")
        if not isinstance(resource, dict) or resource.get("resourceType") != kind:
            raise Invalid(f"this parameter is a resource of type {kind}", field=name)
        return resource
    for element in _VALUES[kind]:
        if element in parameter:
            return parameter[element]
    raise Invalid(f"this parameter is of type {kind}", field=name)


def part(name: str, **values: Any) -> Json:
    """One parameter of an answer: `part("result", valueBoolean=True)`."""
    return {"name": name, **values}


def parts(name: str, *inner: Json | None) -> Json:
    """A parameter made of others; those that are None are left out."""
    return {"name": name, "part": [each for each in inner if each is not None]}


def answer(*listed: Json) -> Answer:
    return Answer(HTTPStatus.OK, write({"resourceType": "Parameters", "parameter": list(listed)}))
