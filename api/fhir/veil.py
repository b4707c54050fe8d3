"""What some roles do not see: elements, left out of what they read, and the rest of resident registration numbers.

What is not seen is not to be searched by either. What was read masked and is sent back gets its numbers again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from api.fhir.exchange import Call
from api.fhir.subsets import SUBSETTED
from api.fhir.text import Json, write
from domain import resident_numbers
from domain.errors import Forbidden, Invalid
from store.database import Transaction
from store.fhir import reading
from store.fhir.versions import Version
from store.fhir.writing import Write
from store.search.places import Parameter
from store.search.query import AllOf, AnyOf, Chain, Condition, Has, InText, Matches, Not, Query, TokenValue


def veiled(call: Call, version: Version) -> Version:
    """The version as the caller may see it, marked as SUBSETTED when something is left out."""
    rights = call.asker.rights
    if rights is None or version.deleted:
        return version
    version = masked(call, version)
    hidden = rights.hidden.get(version.reference.resource_type)
    if not hidden:
        return version
    body = {name: value for name, value in version.body.items() if name.removeprefix("_") not in hidden}
    if len(body) == len(version.body):
        return version
    meta = dict(body.get("meta", {}))
    meta["tag"] = [*meta.get("tag", []), SUBSETTED]
    return replace(version, text=write(body | {"meta": meta}))


def masked(call: Call, version: Version) -> Version:
    """The version with resident registration numbers as the caller may see them."""
    rights = call.asker.rights
    if rights is None or not rights.masked or not resident_numbers.perhaps_in(version.text):
        return version
    shown = resident_numbers.masked(version.body)
    return version if shown == version.body else replace(version, text=write(shown))


async def restored(tx: Transaction, one: Write) -> Write:
    """The write with its numbers, where they were sent masked. Raises Invalid for a mask of another number."""
    if one.resource is None:
        return one
    text = write(one.resource) if one.text is None else one.text
    if not resident_numbers.holds_mask(text):
        return one
    before = (await reading.read_many(tx, [one.reference])).get(one.reference) if one.expected else None
    made = whole(one.resource, before.body if before is not None else {})
    return replace(one, resource=made, text=write(made))


def whole(resource: Json, before: Json) -> Json:
    """A resource with the numbers that it had, where they were sent masked. Raises Invalid for another mask."""
    try:
        made: Json = resident_numbers.restored(resource, before)
    except KeyError:
        said = "a masked resident registration number that the resource does not have: send it whole, or leave it out"
        raise Invalid(said, field="") from None
    return made


def refuse_numbers(call: Call, text: bytes) -> None:
    """Raises Forbidden for a question with a number in it by who sees them masked: the answer would tell it."""
    rights = call.asker.rights
    if rights is not None and rights.masked and resident_numbers.perhaps_in(text):
        raise Forbidden("the caller sees resident registration numbers masked", action="search-identifier")


def refuse_hidden(call: Call, query: Query) -> None:
    """Raises Forbidden for a search by an element that the caller does not see: what it finds would tell its value."""
    rights = call.asker.rights
    if rights is None:
        return
    for condition in query.conditions:
        for value in _values(condition):
            refuse_numbers(call, value.encode())
    for name, asked in _asked(query):
        # A parameter of several types names none: then what any of them hides counts.
        known = [asked.resource_type] if asked.resource_type else query.types or tuple(rights.hidden)
        hidden = frozenset().union(*(rights.hidden.get(kind, frozenset()) for kind in known))
        first = {place.steps[0].name for place in asked.places} | {
            composite.context[0].name for composite in asked.composites if composite.context
        }
        if hidden and not hidden.isdisjoint(first):
            raise Forbidden("the caller does not see what this searches by", action=f"search-{name}")


def _values(condition: Condition) -> Iterator[str]:
    """Codes and texts that are asked for."""
    match condition:
        case Matches():
            yield from (value.code for value in condition.values if isinstance(value, TokenValue) and value.code)
        case InText():
            yield condition.text
        case Chain():
            for _, inner in condition.ways:
                yield from _values(inner)
        case Has():
            yield from _values(condition.condition)
        case AllOf() | AnyOf():
            for inner in condition.conditions:
                yield from _values(inner)
        case Not():
            yield from _values(condition.condition)
        case _:
            pass


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
