"""CodeSystems and ValueSets are kept without their narrative; what can be enumerated of a ValueSet is enumerated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

KINDS = ("CodeSystem", "ValueSet")
MAP = "ConceptMap"
Codes = dict[str, set[str]]


class NotEnumerable(Exception):
    """The set rests on a code system that HL7 does not ship, or on a filter over one."""


def compile_resources(resources: list[dict[str, Any]]) -> dict[str, object]:
    kept = (each for each in resources if each["resourceType"] in KINDS)
    return {name_of(each): without_narrative(each) for each in kept}


def compile_maps(resources: list[dict[str, Any]]) -> dict[str, object]:
    return {name_of(each): without_narrative(each) for each in resources if each["resourceType"] == MAP}


def compile_canonicals(resources: list[dict[str, Any]]) -> dict[str, object]:
    """`index`: a type and a URL → the entries that define it."""
    index: dict[str, list[str]] = {}
    for each in resources:
        if each["resourceType"] in (*KINDS, MAP) and "url" in each:
            index.setdefault(f"{each['resourceType']} {each['url']}", []).append(name_of(each))
    return {"index": dict(sorted(index.items()))}


def name_of(resource: dict[str, Any]) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def without_narrative(resource: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in resource.items() if name != "text"}


def compile_expansions(resources: list[dict[str, Any]]) -> dict[str, object]:
    """URL of a value set → system → codes, for each set that can be enumerated."""
    expander = Expander(resources)
    table: dict[str, object] = {}
    for url in expander.value_sets:
        try:
            codes = expander.value_set(url)
        except NotEnumerable:
            continue
        table[url] = {system: sorted(listed) for system, listed in sorted(codes.items())}
    return table


class Expander:
    def __init__(self, resources: list[dict[str, Any]]) -> None:
        self.value_sets = {each["url"]: each for each in resources if each["resourceType"] == "ValueSet"}
        systems = [each for each in resources if each["resourceType"] == "CodeSystem"]
        self.systems = {each["url"]: each for each in systems if each["content"] == "complete"}

    def value_set(self, url: str, within: tuple[str, ...] = ()) -> Codes:
        url = url.partition("|")[0]
        if url in within or url not in self.value_sets or "compose" not in self.value_sets[url]:
            raise NotEnumerable(url)
        compose = self.value_sets[url]["compose"]
        codes: Codes = {}
        for part in compose["include"]:
            for system, listed in self.part(part, (*within, url)).items():
                codes.setdefault(system, set()).update(listed)
        for part in compose.get("exclude", ()):
            for system, listed in self.part(part, (*within, url)).items():
                codes.get(system, set()).difference_update(listed)
        return {system: listed for system, listed in codes.items() if listed}

    def part(self, part: dict[str, Any], within: tuple[str, ...]) -> Codes:
        """What one include or exclude names: a system's codes, cut down to the value sets it names too."""
        codes: Codes | None = {part["system"]: self.of_system(part)} if "system" in part else None
        for url in part.get("valueSet", ()):
            other = self.value_set(url, within)
            codes = other if codes is None else {k: v & other[k] for k, v in codes.items() if k in other}
        if codes is None:
            raise NotEnumerable(within[-1])
        return codes

    def of_system(self, part: dict[str, Any]) -> set[str]:
        if "concept" in part:
            return {each["code"] for each in part["concept"]}
        system = self.systems.get(part["system"])
        if system is None or "concept" not in system:
            raise NotEnumerable(part["system"])
        concepts = list(walk(system["concept"], ()))
        for condition in part.get("filter", ()):
            concepts = [each for each in concepts if passes(each, condition)]
        return {concept["code"] for concept, _ in concepts}


Placed = tuple[dict[str, Any], tuple[str, ...]]


def walk(concepts: list[dict[str, Any]], above: tuple[str, ...]) -> Iterator[Placed]:
    """Each concept with the codes above it: by nesting, or by the property `subsumedBy` of the older tables."""
    for concept in concepts:
        yield concept, above
        yield from walk(concept.get("concept", []), (*above, concept["code"]))


def passes(placed: Placed, condition: dict[str, str]) -> bool:
    """A filter of a ValueSet (R4, section 4.9.8.1); those on properties other than the hierarchy are not enumerated."""
    concept, above = placed
    match condition["property"], condition["op"]:
        case "concept", "is-a":
            return condition["value"] in (concept["code"], *above)
        case "concept", "descendent-of":
            return condition["value"] in above
        case "concept", "is-not-a":
            return condition["value"] not in (concept["code"], *above)
        case _:
            raise NotEnumerable(condition["property"])
