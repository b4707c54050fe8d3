"""Does a resource keep a profile: cardinality, slices, fixed values and patterns, types, bindings, constraints.

https://hl7.org/fhir/R4/profiling.html. The structure of the base type has been looked at before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from adapters.fhir.validation import bindings, references
from adapters.fhir.validation.held import Held, held_resource
from adapters.fhir.validation.invariants import Part, judge
from adapters.fhir.validation.issues import Findings, Issue
from adapters.fhir.validation.profile_tree import Rule, tree_of
from adapters.fhir.validation.snapshots import elements_of
from domain import fhir
from domain.errors import Invalid
from domain.fhir import Invariant

Json = Mapping[str, Any]
Find = Callable[[str], Json | None]
"""A canonical URL, with a version where one is named → the StructureDefinition, None where nobody knows it."""

Inside = Callable[[str, str | None, str], bool | None]
"""(value set, system or None for a bare code, code) → whether it is in it, None where it cannot be told."""

DEEPEST = 8  # profiles that ask for profiles


class Conformance:
    """One resource against one profile, and what that profile asks of its parts."""

    def __init__(self, resource: Json, find: Find, findings: Findings, inside: Inside | None = None) -> None:
        self.resource = resource
        self.find = find
        self.inside = inside
        self.findings = findings
        self.url = ""
        self.depth = 0

    def profile(self, url: str, held: Held) -> None:
        """Raises Invalid where the profile is unusable."""
        found = self.find(url)
        if found is None or self.depth == DEEPEST:
            return
        root = tree_of(elements_of(found, self.find))
        outer, self.url = self.url, url
        self.depth += 1
        if held.kind not in (found.get("type"), "") and found.get("type") not in fhir.supertypes(held.kind):
            self.error("structure", held.where, f"is for {found.get('type')}, and this is another type")
        else:
            self.keeps(root, held)
        self.url = outer
        self.depth -= 1

    def error(self, code: Any, where: str, says: str) -> None:
        self.findings.add(Issue("error", code, where, f"{says} (profile {self.url})"))

    def keeps(self, rule: Rule, held: Held) -> None:
        """One value under one rule, with everything in it."""
        self.fits(rule, held)
        self.constraints(rule, held)
        for url in rule.profiles[:1] if len(rule.profiles) == 1 else ():
            self.profile(url, held)
        for name, child in rule.children.items():
            values = list(held.named(name))
            self.occurs(child, len(values), f"{held.where}.{name}", name)
            for each in values:
                self.keeps(child, each)
            if child.slices:
                self.sliced(child, values, held.where)

    def occurs(self, rule: Rule, count: int, where: str, name: str) -> None:
        where = where.removesuffix("[x]")
        if count < rule.min:
            self.error("required", where, f"`{name}` must occur at least {rule.min} times, and occurs {count}")
        if rule.max != "*" and count > int(rule.max):
            self.error("structure", where, f"`{name}` may occur {rule.max} times, and occurs {count}")

    def sliced(self, rule: Rule, values: list[Held], where: str) -> None:
        """Each value goes to the first slice that it matches; each slice has as many as it must have."""
        members: dict[str, list[Held]] = defaultdict(list)
        for each in values:
            slice_ = next((one for one in rule.slices if self.matches(one, rule, each)), None)
            if slice_ is not None:
                members[slice_.slice_name].append(each)
                self.keeps(slice_, each)
            elif rule.is_closed:
                self.error("structure", each.where, "belongs to no slice, and others are not allowed")
        name = rule.path.rpartition(".")[2]
        for slice_ in rule.slices:
            self.occurs(slice_, len(members[slice_.slice_name]), f"{where}.{name}", f"{name}:{slice_.slice_name}")

    def matches(self, slice_: Rule, rule: Rule, held: Held) -> bool:
        return all(self.discriminates(kind, path, slice_, held) for kind, path in rule.discriminators)

    def discriminates(self, kind: str, path: str, slice_: Rule, held: Held) -> bool:
        found, rules = list(held.at(path)), list(slice_.at(path))
        match kind:
            case "exists":
                return bool(found) == (not rules or rules[0].max != "0")
            case "type":
                return any(is_of(each, rule) for each in found for rule in rules)
            case "profile":
                return any(self.conforms(each, rule.profiles) for each in found for rule in rules)
        if path == "url" and not any(decides(rule) for rule in rules):
            return any(each.value in slice_.profiles for each in found)
        return any(decides(rule) and self.agrees(rule, each) for each in found for rule in rules)

    def conforms(self, held: Held, urls: list[str]) -> bool:
        trial = Conformance(self.resource, self.find, Findings(), self.inside)
        trial.depth = self.depth
        for url in urls:
            trial.profile(url, held)
        return not any(each.severity == "error" for each in trial.findings.issues)

    def fits(self, rule: Rule, held: Held) -> None:
        """Type, fixed value, pattern, binding and target of one value."""
        if rule.types and "." in rule.path and not is_of(held, rule):
            self.error("structure", held.where, f"must be {' or '.join(sorted(set(rule.types)))}")
        fixed, pattern = rule.given("fixed"), rule.given("pattern")
        if fixed is not None and not same(fixed, held.value):
            self.error("value", held.where, "must have the fixed value of the profile")
        if pattern is not None and not covers(pattern, held.value):
            self.error("value", held.where, "must have the pattern of the profile")
        if wrong := self.outside(required_set(rule), held.value):
            self.error("code-invalid", held.where, wrong)
        elif (url := bound(rule, "extensible")) and held.kind != "code" and self.outside(url, held.value):
            says = f"has no code of the value set {url}, where one of it should be used (profile {self.url})"
            self.findings.add(Issue("warning", "code-invalid", held.where, says))
        target = references.type_of(held.value.get("reference", "")) if held.kind == "Reference" else ""
        if target and rule.targets and target not in rule.targets:
            self.error("value", held.where, f"may not point to {target}: {', '.join(sorted(rule.targets))}")

    def agrees(self, rule: Rule, held: Held) -> bool:
        fixed, pattern = rule.given("fixed"), rule.given("pattern")
        if fixed is not None:
            return same(fixed, held.value)
        if pattern is not None:
            return covers(pattern, held.value)
        return self.outside(required_set(rule), held.value) is None

    def outside(self, url: str, value: Any) -> str | None:
        """What is wrong with a value bound to a value set; None also where it cannot be told."""
        if self.inside is None or not url:
            return bindings.wrong_in(url.partition("|")[0], value)
        asked = list(bindings.codes_in(value))
        if any(self.inside(url, system, code) is not False for system, code in asked):
            return None
        if not asked and not bindings.is_coded(value):
            return None
        return f"must be a code of the value set {url}" if asked else f"needs a code of the value set {url}"

    def constraints(self, rule: Rule, held: Held) -> None:
        """The profile's own constraints; those of the base type have been evaluated."""
        known = {each.key for path in (rule.path.removesuffix("[x]"), held.content) for each in fhir.invariants(path)}
        part = Part(held.value, held.content, (), held.where, self.resource)
        for each in rule.element.get("constraint", ()):
            if each["key"] in known or each["key"] in BASIC or not each.get("expression"):
                continue
            invariant = Invariant(each["key"], each["severity"], each["human"], each["expression"], rule.path)
            if wrong := judge(invariant, part):
                self.findings.add(wrong)


BASIC = {"ele-1", "ext-1"}


def is_of(held: Held, rule: Rule) -> bool:
    kinds = {*fhir.supertypes(held.kind), held.kind}
    return bool(kinds & set(rule.types)) or any(each.startswith("http") for each in rule.types)


def decides(rule: Rule) -> bool:
    return rule.given("fixed") is not None or rule.given("pattern") is not None or bool(required_set(rule))


def required_set(rule: Rule) -> str:
    return bound(rule, "required")


def bound(rule: Rule, strength: str) -> str:
    """The value set, with its version, that a rule binds to with this strength; empty where it does not."""
    binding = rule.element.get("binding", {})
    return str(binding.get("valueSet", "")) if binding.get("strength") == strength else ""


def same(fixed: Any, value: Any) -> bool:
    """Equal in every part; numbers by value, 1.0 being 1 where the profile came without its digits."""
    if isinstance(fixed, dict) and isinstance(value, Mapping):
        return fixed.keys() == value.keys() and all(same(fixed[name], value[name]) for name in fixed)
    if isinstance(fixed, list) and isinstance(value, list):
        return len(fixed) == len(value) and all(same(*pair) for pair in zip(fixed, value, strict=True))
    if isinstance(fixed, float):
        return isinstance(value, int | Decimal) and Decimal(str(fixed)) == value
    return type(fixed) is type(value) and bool(fixed == value)


def covers(pattern: Any, value: Any) -> bool:
    """Whether a value has everything that a pattern has (https://hl7.org/fhir/R4/elementdefinition.html#pattern)."""
    if isinstance(pattern, dict) and isinstance(value, Mapping):
        return all(name in value and covers(pattern[name], value[name]) for name in pattern)
    if isinstance(pattern, list) and isinstance(value, list):
        return all(any(covers(part, each) for each in value) for part in pattern)
    return same(pattern, value)


def breaches(resource: Json, url: str, find: Find, findings: Findings, inside: Inside | None = None) -> None:
    """Adds what of a profile the resource does not keep."""
    conformance = Conformance(resource, find, findings, inside)
    unusable = partial(Issue, "error", "not-found", str(resource["resourceType"]))
    if find(url) is None:
        findings.add(unusable(f"the profile {url} is not known here"))
        return
    try:
        conformance.profile(url, held_resource(resource))
    except Invalid as refused:
        findings.add(unusable(f"the profile {url} cannot be used: {refused}"))


def declared(resource: Json) -> list[str]:
    """The profiles that a resource says it keeps."""
    return [str(url) for url in resource.get("meta", {}).get("profile", ())]
