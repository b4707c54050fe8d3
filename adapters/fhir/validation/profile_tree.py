"""A profile as a tree: each element's rule, its children, and its slices (https://hl7.org/fhir/R4/profiling.html)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.errors import Invalid

Json = Mapping[str, Any]
BASE = "http://hl7.org/fhir/StructureDefinition/"


@dataclass(slots=True)
class Rule:
    """One ElementDefinition. `children` by name as HL7 writes it (`value[x]`); `slices` are further rules for some."""

    element: Json
    children: dict[str, Rule] = field(default_factory=dict)
    slices: list[Rule] = field(default_factory=list)

    @property
    def path(self) -> str:
        return str(self.element["path"])

    @property
    def slice_name(self) -> str:
        return str(self.element.get("sliceName", ""))

    @property
    def min(self) -> int:
        return int(self.element.get("min", 0))

    @property
    def max(self) -> str:
        """A number or `*`. Raises Invalid for anything else, which R4's own checks let pass."""
        most = str(self.element.get("max", "*"))
        if most != "*" and not (most.isascii() and most.isdecimal()):
            raise Invalid("an element occurs at most a number of times, or `*`", field=f"{self.path}.max")
        return most

    @property
    def types(self) -> list[str]:
        return [str(each["code"]).removeprefix(BASE) for each in self.element.get("type", ())]

    @property
    def profiles(self) -> list[str]:
        """The profiles that a value must keep, one of them."""
        return [url for each in self.element.get("type", ()) for url in each.get("profile", ())]

    @property
    def targets(self) -> set[str]:
        """The types that a reference may point at; empty for any."""
        urls = [url for each in self.element.get("type", ()) for url in each.get("targetProfile", ())]
        names = {url.removeprefix(BASE) for url in urls if url.startswith(BASE)}
        return set() if "Resource" in names or len(names) < len(urls) else names

    @property
    def discriminators(self) -> list[tuple[str, str]]:
        listed = self.element.get("slicing", {}).get("discriminator", ())
        return [(each["type"], each["path"]) for each in listed]

    @property
    def is_closed(self) -> bool:
        return bool(self.element.get("slicing", {}).get("rules") == "closed")

    def given(self, kind: str) -> Any:
        """The content of `fixed[x]` or `pattern[x]`; None where there is none."""
        return next((value for name, value in self.element.items() if name.startswith(kind)), None)

    def at(self, path: str) -> Iterator[Rule]:
        """The rules that a discriminator's path leads to, those within slices of what lies on the way included."""
        name, _, rest = path.partition(".")
        if name == "$this":
            yield self
            return
        found = self.children.get(name) or self.children.get(f"{name}[x]")
        for each in [found, *found.slices] if found else []:
            if rest:
                yield from each.at(rest)
            else:
                yield each


def tree_of(listed: Sequence[Json]) -> Rule:
    """The rule of a profile's root, of its elements in order. Raises Invalid where they are no tree."""
    rules: dict[str, Rule] = {}
    for element in listed:
        rule = Rule(element)
        identity = str(element.get("id", ""))
        rules[identity] = rule
        head, _, last = identity.rpartition(".")
        place, colon, _ = last.partition(":")
        whole = f"{head}.{place}" if head else place
        if colon and whole in rules:
            rules[whole].slices.append(rule)
        elif head in rules:
            rules[head].children[last] = rule
        elif head:
            raise Invalid("the profile's snapshot is not a tree of elements", field=identity)
    return rules[str(listed[0].get("id", ""))]
