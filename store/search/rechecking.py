"""What the search tables cannot say for certain, asked of the body: texts, and codes of which only hashes are kept.

A 64-bit hash may, rarely, be another code's; of words of health there are hashes of beginnings, of a displayed text
nothing at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from domain import resident_numbers
from store.fhir.versions import Version
from store.search.normal import normal
from store.search.places import Composite, Parameter, Place, walk
from store.search.query import (
    AllOf,
    AnyOf,
    Chain,
    CompositeValue,
    Condition,
    Has,
    InText,
    Matches,
    Not,
    ReferenceValue,
    SimpleValue,
    StringValue,
    TokenValue,
)
from store.search.values import code_key, codings, target
from store.search.words import meets


def needs_bodies(conditions: Sequence[Condition]) -> bool:
    """Whether pages have to be filled by trying: some conditions are decided by bodies alone."""
    return any(only_bodies_tell(each) for each in conditions)


def only_bodies_tell(each: Condition) -> bool:
    """Whether the search tables narrow this condition at best; an `:exact` text they tell by its hash."""
    if isinstance(each, Matches):
        return each.parameter.words and each.modifier in {"", "contains"}
    return isinstance(each, InText)


def bodies_within(condition: Condition) -> bool:
    """Whether only bodies tell the condition or any that it is made of."""
    match condition:
        case Chain():
            return any(bodies_within(inner) for _, inner in condition.ways)
        case Has() | Not():
            return bodies_within(condition.condition)
        case AllOf() | AnyOf():
            return any(bodies_within(inner) for inner in condition.conditions)
    return only_bodies_tell(condition)


def decided_by_bodies(conditions: Sequence[Condition]) -> list[InText | Matches]:
    """The conditions in which the search tables may be wrong, or say nothing."""
    return [
        each
        for each in conditions
        if isinstance(each, InText) or (isinstance(each, Matches) and (_is_coded(each) or _is_worded(each)))
    ]


def agrees(version: Version, conditions: Sequence[Condition]) -> bool:
    """Whether the body says what the search tables said, and meets the conditions that only it can."""
    return all(
        _has_text(version, each)
        if isinstance(each, InText)
        else (_has_words(version, each) if each.parameter.words else _has_code(version, each))
        for each in decided_by_bodies(conditions)
    )


def _is_coded(each: Matches) -> bool:
    plain = each.parameter.kind == "token" and each.modifier == ""
    return plain and bool(each.parameter.places) and not each.parameter.presence


def _is_worded(each: Matches) -> bool:
    return each.parameter.words and each.modifier in {"", "exact", "contains"}


def _has_words(version: Version, asked: Matches) -> bool:
    body = version.body
    strings = [each for each in asked.values if isinstance(each, StringValue)]
    if strings:
        return meets(
            (value for place in asked.parameter.places for value in place.values(body)), strings, asked.modifier
        )
    pairs = [each for each in asked.values if isinstance(each, CompositeValue)]
    return any(_has_pair(body, composite, pair) for composite in asked.parameter.composites for pair in pairs)


def _has_pair(body: dict[str, Any], composite: Composite, asked: CompositeValue) -> bool:
    """Whether one element has both: all parts of a composite of words are codes, references or strings."""
    return any(
        all(_has_part(body, element, *part) for part in zip(composite.parts, asked.parts, strict=True))
        for element in walk(body, composite.context)
    )


def _has_part(body: dict[str, Any], element: Any, places: Sequence[Place], asked: SimpleValue) -> bool:
    for place in places:
        rooted = place.steps[0].name == "%resource"
        values = walk(body, place.steps[1:]) if rooted else walk(element, place.steps)
        if isinstance(asked, StringValue):
            found = meets(values, [asked], "")
        elif isinstance(asked, TokenValue):
            found = any(_is_code(asked, pair) for value in values for pair in codings(value, place.fhir_type))
        else:
            found = isinstance(asked, ReferenceValue) and any(target(value) in asked.targets for value in values)
        if found:
            return True
    return False


def _is_code(asked: TokenValue, found: tuple[str, str]) -> bool:
    system, code = found
    fits = asked.code is None or code_key(asked.code) == code_key(code)
    return fits and asked.system in {None, system}


def _has_code(version: Version, asked: Matches) -> bool:
    values = [each for each in asked.values if isinstance(each, TokenValue)]
    # The code's own bytes in the text settle it without parsing: they and the hash agree by chance never.
    if any(each.code and each.code.encode() in version.text for each in values):
        return True
    wanted = {(each.system, code_key(each.code) if each.code else None) for each in values}
    for system, code in _codes(version.body, asked.parameter):
        key = code_key(code)
        if wanted & {(None, key), (system, key), (system, None)}:
            return True
    return False


def _codes(body: dict[str, Any], parameter: Parameter) -> Iterator[tuple[str, str]]:
    for place in parameter.places:
        for value in place.values(body):
            yield from codings(value, place.fhir_type)


def _has_text(version: Version, asked: InText) -> bool:
    wanted = normal(asked.text)
    if asked.parameter.code == "_text":
        return _words_in(wanted, resident_numbers.masked_text(_narrative(version.body)))
    if asked.parameter.code == "_content":
        # Piece by piece a number could be asked out of it.
        return _words_in(wanted, resident_numbers.masked_text(" ".join(_texts(version.body))))
    return any(normal(text).startswith(wanted) for text in _displays(version.body, asked.parameter))


def _words_in(wanted: str, text: str) -> bool:
    inside = normal_whole(text)
    return all(word in inside for word in wanted.split())


def normal_whole(text: str) -> str:
    """Normalised piece by piece: `normal` alone keeps only a beginning."""
    return " ".join(normal(word) for word in text.split())


def _narrative(body: dict[str, Any]) -> str:
    text = body.get("text")
    div = text.get("div") if isinstance(text, dict) else None
    return _without_tags(div) if isinstance(div, str) else ""


def _without_tags(xhtml: str) -> str:
    pieces = xhtml.split("<")
    return " ".join([pieces[0], *(piece.partition(">")[2] for piece in pieces[1:])])


def _texts(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict):
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)


def _displays(body: dict[str, Any], parameter: Parameter) -> Iterator[str]:
    """Texts beside the codes: CodeableConcept.text, Coding.display, Identifier.type.text."""
    for place in parameter.places:
        for value in place.values(body):
            if isinstance(value, dict):
                concept = value.get("type") if place.fhir_type == "Identifier" else value
                yield from _of_concept(concept)


def _of_concept(concept: Any) -> Iterator[str]:
    if not isinstance(concept, dict):
        return
    for each in (concept, *(concept.get("coding") or ())):
        for name in ("text", "display"):
            if isinstance(each, dict) and isinstance(each.get(name), str):
                yield each[name]
