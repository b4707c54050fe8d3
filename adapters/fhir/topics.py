"""Subscription topics: what may be told, as R4 carries R5's SubscriptionTopic in a Basic resource.

hl7.org/fhir/uv/subscriptions-backport/components.html#subscription-topics-in-r4; the elements are cross-version
extensions (hl7.org/fhir/versions.html#extensions).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.errors import Invalid
from domain.fhir import resource_types
from domain.fhirpath import Expression, parse

_EXTENSION = "http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic"
CODE = "http://hl7.org/fhir/fhir-types|SubscriptionTopic"
"""As a search for `code` names them."""

_SUPPORTED = frozenset({"create", "update"})
_LONGEST = 4000


@dataclass(frozen=True)
class Trigger:
    """A change of a resource type that is told of. `fhirpath` sees %previous and %current; `query` the new state."""

    resource: str
    interactions: frozenset[str]
    fhirpath: Expression | None = None
    query: str = ""

    def fires(self, current: Mapping[str, Any], previous: Mapping[str, Any] | None) -> bool:
        """Whether this change is one of them. Raises Invalid for an expression that looks at too much."""
        if ("update" if previous else "create") not in self.interactions:
            return False
        seen = {"current": current, "previous": previous}
        return self.fhirpath is None or self.fhirpath.holds(current, variables=seen) is True


@dataclass(frozen=True)
class Topic:
    """`filters`: search parameters that a subscription may narrow it by."""

    url: str
    title: str
    triggers: tuple[Trigger, ...]
    filters: frozenset[str] = field(default_factory=frozenset)

    def trigger(self, resource_type: str) -> Trigger | None:
        return next((each for each in self.triggers if each.resource == resource_type), None)


def topic_of(basic: Mapping[str, Any]) -> Topic:
    """Raises Invalid for a Basic that is no topic, and for one that asks for more than we can tell."""
    urls = [str(value) for value in _values(basic, f"{_EXTENSION}.url")]
    if not urls:
        raise Invalid("the Basic resource carries no SubscriptionTopic", field="Basic.extension")
    triggers = tuple(_trigger(each) for each in _extensions(basic, f"{_EXTENSION}.resourceTrigger"))
    if not triggers:
        raise Invalid("a topic without a resourceTrigger is never told of", field="Basic.extension")
    filters = [str(value) for each in _extensions(basic, f"{_EXTENSION}.canFilterBy") for value in _filter(each)]
    titles = [str(value) for value in _values(basic, f"{_EXTENSION}.title")]
    return Topic(urls[0], titles[0] if titles else urls[0], triggers, frozenset(filters))


def _trigger(extension: Mapping[str, Any]) -> Trigger:
    kind = next((str(value).rpartition("/")[2] for value in _values(extension, "resource")), "")
    if kind not in resource_types():
        raise Invalid("a trigger names a resource type", field="Basic.extension")
    named = frozenset(str(value) for value in _values(extension, "supportedInteraction")) or _SUPPORTED
    if not named & _SUPPORTED:
        raise Invalid("topics are told of what is created and updated here", field="Basic.extension")
    queries = [str(value) for each in _extensions(extension, "queryCriteria") for value in _values(each, "current")]
    if any(True for each in _extensions(extension, "queryCriteria") for _ in _values(each, "previous")):
        raise Invalid("a search of the previous state is not supported; fhirPathCriteria is", field="Basic.extension")
    texts = [str(value) for value in _values(extension, "fhirPathCriteria")]
    if len(texts) > 1 or len(queries) > 1 or any(len(each) > _LONGEST for each in (*texts, *queries)):
        raise Invalid("a trigger has one condition of each kind", field="Basic.extension")
    query = queries[0].rpartition("?")[2] if queries else ""
    return Trigger(kind, named & _SUPPORTED, parse(texts[0]) if texts else None, query)


def _filter(extension: Mapping[str, Any]) -> Iterator[Any]:
    return _values(extension, "filterParameter")


def _extensions(node: Mapping[str, Any], url: str) -> Iterator[Mapping[str, Any]]:
    return (each for each in node.get("extension", ()) if each.get("url") == url)


def _values(node: Mapping[str, Any], url: str) -> Iterator[Any]:
    return (each[name] for each in _extensions(node, url) for name in each if name.startswith("value"))


def _becomes(kind: str, *statuses: str, filters: str = "patient") -> tuple[Trigger, frozenset[str]]:
    """Its status was another before and is one of these now."""
    wanted = " | ".join(f"'{each}'" for each in statuses)
    text = f"(%previous.empty() or (%previous.status in ({wanted})).not()) and %current.status in ({wanted})"
    return Trigger(kind, _SUPPORTED, parse(text)), frozenset({"_id", *filters.split()})


def _built_in() -> Iterator[Topic]:
    any_change = Trigger("Patient", _SUPPORTED), frozenset({"_id", "identifier"})
    for name, title, (trigger, filters) in (
        ("patient-change", "A patient was registered or changed", any_change),
        ("encounter-start", "A patient was received", _becomes("Encounter", "in-progress", filters="patient class")),
        ("encounter-end", "A stay or visit has ended", _becomes("Encounter", "finished", filters="patient class")),
        ("order-placed", "An order is in force", _becomes("ServiceRequest", "active", filters="patient category code")),
        (
            "report-final",
            "A report is final, or was amended",
            _becomes("DiagnosticReport", "final", "amended", "corrected", "appended", filters="patient category code"),
        ),
        ("appointment-booked", "An appointment was booked", _becomes("Appointment", "booked", filters="patient actor")),
    ):
        yield Topic(f"urn:phis:topic:{name}", title, (trigger,), filters)


BUILT_IN: Mapping[str, Topic] = {topic.url: topic for topic in _built_in()}
"""Topics that every hospital has, by URL."""
