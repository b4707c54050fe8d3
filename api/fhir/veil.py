"""Elements that some roles do not see: left out of what they read, and not to be searched by either."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from api.fhir.exchange import Call
from api.fhir.subsets import SUBSETTED
from api.fhir.text import write
from domain.errors import Forbidden
from store.fhir.versions import Version
from store.search.places import Parameter
from store.search.query import AllOf, AnyOf, Chain, Condition, Has, InText, Matches, Not, Query


def veiled(call: Call, version: Version) -> Version:
    """The version as the caller may see it, marked as SUBSETTED when something is left out."""
    rights = call.asker.rights
    hidden = rights.hidden.get(version.reference.resource_type) if rights else None
    if not hidden or version.deleted:
        return version
    body = {name: value for name, value in version.body.items() if name.removeprefix("_") not in hidden}
    if len(body) == len(version.body):
        return version
    meta = dict(body.get("meta", {}))
    meta["tag"] = [*meta.get("tag", []), SUBSETTED]
    return replace(version, text=write(body | {"meta": meta}))


def refuse_hidden(call: Call, query: Query) -> None:
    """Raises Forbidden for a search by an element that the caller does not see: what it finds would tell its value."""
    rights = call.asker.rights
    if rights is None or not rights.hidden:
        return
    for name, asked in _asked(query):
        # A parameter of several types names none: then what any of them hides counts.
        known = [asked.resource_type] if asked.resource_type else query.types or tuple(rights.hidden)
        hidden = frozenset().union(*(rights.hidden.get(kind, frozenset()) for kind in known))
        first = {place.steps[0].name for place in asked.places} | {
            composite.context[0].name for composite in asked.composites if composite.context
        }
        if hidden and not hidden.isdisjoint(first):
            raise Forbidden("the caller does not see what this searches by", action=f"search-{name}")


def _asked(query: Query) -> Iterator[tuple[str, Parameter]]:
    for key in query.sort:
        yield key.parameter.code, key.parameter
    for condition in query.conditions:
        yield from _within(condition)


def _within(condition: Condition) -> Iterator[tuple[str, Parameter]]:
    match condition:
        case Matches() | InText():
            yield condition.parameter.code, condition.parameter
        case Chain():
            for _, inner in condition.ways:
                yield from _within(inner)
        case AllOf() | AnyOf():
            for each in condition.conditions:
                yield from _within(each)
        case Not():
            yield from _within(condition.condition)
        case Has():
            yield condition.parameter.code, condition.parameter
            yield from _within(condition.condition)
        case _:
            pass
