"""A value within a resource together with what it is and where: what rules of a profile look at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from adapters.fhir.validation.presence import inside
from adapters.fhir.validation.structure import place_name
from domain import fhir

_EXTENSION = re.compile(r"extension\('([^']+)'\)")


@dataclass(frozen=True, slots=True)
class Held:
    """`content`: the type or path under which its children are defined; `kind`: its type as a profile names it."""

    value: Any
    content: str
    kind: str
    where: str

    def named(self, name: str) -> Iterator[Held]:
        """What it holds of an element: `name`, `value[x]`, or `valueQuantity`."""
        if not isinstance(self.value, Mapping):
            return
        bare = name.removesuffix("[x]")
        for json_name, element in fhir.children(self.content).items():
            if element.name != bare and json_name != name:
                continue
            values = self.value.get(json_name)
            if values is None and f"_{json_name}" in self.value:
                values = self.value[f"_{json_name}"]  # no value, and extensions that say why
            if values is None:
                continue
            kind = element.types[0] if element.types else "BackboneElement"
            content = inside(self.content, element)
            for index, value in enumerate(values if element.repeats else [values]):
                place = f"{self.where}.{place_name(element)}" + (f"[{index}]" if element.repeats else "")
                if kind == "Resource" and isinstance(value, Mapping):
                    yield held_resource(value, place)
                else:
                    yield Held(value, content, kind, place)

    def at(self, path: str) -> Iterator[Held]:
        """What a discriminator's path leads to; nothing where it leaves the resource by `resolve()`."""
        extension = _EXTENSION.match(path)
        if path in ("$this", ""):
            yield self
        elif extension:
            for each in self.named("extension"):
                if each.value.get("url") == extension[1]:
                    yield from each.at(path[extension.end() :].lstrip("."))
        else:
            name, _, rest = path.partition(".")
            if name.startswith("ofType("):
                if name == f"ofType({self.kind})":
                    yield from self.at(rest)
                return
            for each in self.named(name):
                yield from each.at(rest)


def held_resource(resource: Mapping[str, Any], where: str = "") -> Held:
    named = str(resource.get("resourceType", ""))
    return Held(resource, named, named, where or named)
