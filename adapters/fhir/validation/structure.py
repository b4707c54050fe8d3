"""Looks closely at a resource: which elements, how often, of which type (https://hl7.org/fhir/R4/json.html).

Slower than the schema by far and used where that refuses; it says where and what is wrong, in a sentence, and knows the
corners that the schema leaves out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from adapters.fhir.validation import bindings, values
from adapters.fhir.validation.acceptance import accepted
from adapters.fhir.validation.issues import Findings, Full, Issue, shown
from adapters.fhir.validation.values import Surroundings
from domain import fhir
from domain.fhir import Element

Json = Mapping[str, Any]


def examine(resource: Any, *, conditional_references: bool = False) -> list[Issue]:
    """Everything wrong with the structure of a resource, at most `issues.MOST` findings.

    conditional_references: whether a reference may be a search (`Patient?identifier=…`), as in a transaction.
    """
    findings = Findings()
    with suppress(Full):
        Examiner(findings, Surroundings.of(resource, conditional_references)).resource(resource, "")
    return findings.issues


class Examiner:
    def __init__(self, findings: Findings, around: Surroundings) -> None:
        self.findings = findings
        self.around = around
        self.depth = 0

    def resource(self, value: Any, where: str) -> None:
        """A resource, by the type it names: the outermost, or one in a Bundle, in Parameters or contained."""
        if not isinstance(value, dict):
            return self.findings.error("structure", where, "must be a resource: a JSON object")
        named = value.get("resourceType")
        if not isinstance(named, str):
            return self.findings.error("required", where, "must name its type in `resourceType`")
        if named not in fhir.resource_types():
            return self.findings.error("structure", where, f"there is no resource type {shown(named)}")
        self.object(value, named, where or named)
        return None

    def nested(self, value: Any, element: Element, where: str) -> None:
        """A resource within another. Contained ones belong to it, the others stand by themselves."""
        if element.name == "contained":
            if isinstance(value, dict):
                self.contained(value, where)
            return self.resource(value, where)
        if accepted(value):
            return None
        outside = self.around
        self.around = Surroundings.of(value, outside.conditional or outside.is_transaction)
        self.resource(value, where)
        self.around = outside
        return None

    def contained(self, value: Json, where: str) -> None:
        """Rules of https://hl7.org/fhir/R4/references.html#contained; invariants dom-2, dom-4 and dom-5."""
        if self.around.is_within_contained(where):
            self.findings.error("structure", where, "a contained resource may not contain another")
        identity = value.get("id")
        if not isinstance(identity, str):
            self.findings.error("required", where, "a contained resource needs an id, by which it is referred to")
        elif self.around.contained.count(identity) > 1:
            self.findings.error("structure", f"{where}.id", "another contained resource has the same id")
        elif f"#{identity}" not in self.around.local and not values.refers_to_its_container(value):
            self.findings.error("invariant", where, "dom-3: nothing refers to this contained resource")
        meta = value.get("meta")
        for name in ("versionId", "lastUpdated", "security"):
            if isinstance(meta, dict) and name in meta:
                self.findings.error("structure", f"{where}.meta.{name}", "has no place in a contained resource")

    def object(self, value: Any, path: str, where: str) -> None:
        """What stands in a JSON object, against the children of its type or path."""
        if not isinstance(value, dict):
            return self.findings.error("structure", where, "must be a JSON object")
        if self.depth == values.DEEPEST:
            return self.findings.error("too-long", where, f"is nested deeper than {values.DEEPEST} levels")
        self.depth += 1
        children = fhir.children(path)
        is_resource = path in fhir.resource_types()
        for name in value:
            if name == "resourceType" and is_resource:
                continue
            self.member(value, name, children, where)
        self.presence(value, children, where)
        if not is_resource:
            self.substance(value, path, where)
        self.depth -= 1
        return None

    def member(self, owner: Json, name: str, children: Mapping[str, Element], where: str) -> None:
        """One name of an object. A `_` twin is looked at with its primitive, or alone where that is absent."""
        bare = name.removeprefix("_")
        element = children.get(bare)
        primitive = element is not None and bool(element.types) and fhir.is_primitive(element.types[0])
        if element is None or (name != bare and not primitive):
            return self.findings.error("structure", where, f"there is no element `{shown(name)}` here")
        if name != bare and bare in owner:
            return None
        place = f"{where}.{place_name(element)}"
        twin = owner.get(f"_{bare}", values.ABSENT)
        listed = owner.get(bare, values.ABSENT)
        if element.repeats:
            return self.array(listed, twin, element, place)
        for each in (listed, twin):
            if isinstance(each, list):
                return self.findings.error("structure", place, "occurs once here: it must not be an array")
        return self.value(listed, twin, element, place)

    def array(self, listed: Any, twins: Any, element: Element, where: str) -> None:
        given = [each for each in (listed, twins) if each is not values.ABSENT]
        if not all(isinstance(each, list) for each in given):
            return self.findings.error("structure", where, "may repeat: it must be an array")
        if not all(given):
            return self.findings.error("structure", where, "must not be an empty array")
        # null stands for nothing and holds the place of what the twin says; at the end it may be left out
        length = max(len(each) for each in given)
        if element.max != "*" and length > int(element.max):
            self.findings.error("structure", where, f"may occur {element.max} times")
        for index in range(length):
            self.value(values.at(listed, index), values.at(twins, index), element, f"{where}[{index}]")
        return None

    def value(self, value: Any, twin: Any, element: Element, where: str) -> None:
        """One value of an element, with what stands beside it if it is primitive."""
        if element.content_reference:
            return self.object(value, element.content_reference, where)
        (kind,) = element.types
        if kind == "Resource":
            return self.nested(value, element, where)
        if fhir.is_primitive(kind):
            if twin is not values.ABSENT:
                self.twin(twin, where, alone=value is values.ABSENT)
            elif value is values.ABSENT:
                self.findings.error("structure", where, "must not be null")
            if value is not values.ABSENT:
                values.check_primitive(value, element, where, self.findings)
            return None
        self.object(value, element.path if kind in {"BackboneElement", "Element"} else kind, where)
        if isinstance(value, dict):
            if kind == "Reference":
                values.check_reference(value, where, self.around, self.findings)
            elif kind == "Quantity" and element.simple and "comparator" in value:
                self.findings.error("invariant", where, "sqty-1: a comparator has no place in a SimpleQuantity")
            elif kind == "CodeableConcept" and (wrong := bindings.wrong_concept(bindings.required(element), value)):
                self.findings.error("code-invalid", where, wrong)
        return None

    def twin(self, twin: Any, where: str, *, alone: bool) -> None:
        """The object under `_name`: an id or extensions; alone it needs extensions (ele-1)."""
        self.object(twin, "Element", where)
        if alone and isinstance(twin, dict) and twin.keys() == {"id"}:
            self.findings.error("structure", where, "has neither a value nor extensions")

    def presence(self, value: Json, children: Mapping[str, Element], where: str) -> None:
        """What must be there is there, and of each choice there is one."""
        chosen: dict[str, list[str]] = defaultdict(list)
        for name, each in children.items():
            present = name in value or f"_{name}" in value
            if each.choice:
                chosen[each.path] += [name] if present else []
            elif each.min and not present:
                self.findings.error("required", where, f"`{name}` is required")
        for path, names in chosen.items():
            short = path.rpartition(".")[2]
            if len(names) > 1:
                self.findings.error("structure", where, f"`{short}[x]` is there twice: {', '.join(names)}")
            elif not names and next(each for each in children.values() if each.path == path).min:
                self.findings.error("required", where, f"`{short}[x]` is required")

    def substance(self, value: Json, path: str, where: str) -> None:
        """Invariants ele-1 and ext-1: an element says something, an extension one thing."""
        if not (value if path == "Element" else value.keys() - {"id"}):
            self.findings.error("structure", where, "must not be empty")
        if path == "Extension":
            has_value = any(name.startswith(("value", "_value")) for name in value)
            if has_value == ("extension" in value):
                self.findings.error("invariant", where, "ext-1: must have either a value or extensions, not both")


def place_name(element: Element) -> str:
    """The step of FHIRPath to an element: `value.ofType(Quantity)` for a choice."""
    return f"{element.name}.ofType({element.types[0]})" if element.choice else element.name
