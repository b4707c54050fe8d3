"""Names of search parameters, with their modifiers, chains and `_has`, and their values, as conditions.

hl7.org/fhir/R4/search.html#modifiers, #chaining, #has. An unknown name raises Unknown, which a lenient search passes
over; a wrong value or modifier raises Invalid, as R4 asks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from domain.errors import Invalid, TooCostly
from domain.fhir import resource_types, value_set_codes
from domain.ids import FHIR_ID
from store.search import literals
from store.search.places import Parameter, Place, parameter
from store.search.query import (
    Chain,
    CompositeValue,
    Condition,
    Has,
    InList,
    InText,
    Matches,
    NumberValue,
    ReferenceValue,
    SimpleValue,
    TokenValue,
    Value,
)
from store.search.terminology import CodeSets

MOST_HOPS = 40
MOST_TRIES = 2000
"""Types looked at for the ends of chains without types: their number would grow with the power of the depth."""

"""Chains and `_has` in one search, all their possible target types counted."""

MOST_VALUES = 500
"""Alternatives of one parameter."""

_MODIFIERS = {
    "string": {"exact", "contains", "missing"},
    "token": {"text", "not", "above", "below", "in", "not-in", "of-type", "missing"},
    "reference": {"identifier", "above", "below", "missing"},
    "uri": {"above", "below", "missing"},
    "date": {"missing"},
    "number": {"missing"},
    "quantity": {"missing"},
}
# Their place in HL7's hierarchy of locations and organizations, which `:above` and `:below` follow.
HIERARCHIES = {"Location": "partof", "Organization": "partof"}


class Unknown(Exception):
    """No such parameter on this type."""


class DeadEnd(Unknown):
    """A chain that leads nowhere from this type. It may from another, so only the whole search is refused for it."""


@dataclass
class Context:
    """What parsing needs besides the text: the server's own address, the present, the code sets, and its budget."""

    base: str = ""
    now: datetime | None = None
    codes: CodeSets = field(default_factory=CodeSets)
    hops: int = 0
    tries: int = 0

    def hop(self) -> None:
        self.hops += 1
        if self.hops > MOST_HOPS:
            raise TooCostly("too many chains in one search", limit=str(MOST_HOPS))

    def look(self) -> None:
        self.tries += 1
        if self.tries > MOST_TRIES:
            raise TooCostly("too many types that a chain may lead to; name them", limit=str(MOST_TRIES))


def condition(types: tuple[str, ...], name: str, value: str, context: Context, asked: str = "") -> Condition:
    """A condition on resources of `types`. asked: the whole name, of which this is the end of a chain."""
    asked = asked or name
    if name.startswith("_has:"):
        return _has(name, value, context, asked)
    head, dot, rest = name.partition(".")
    if dot:
        return _chain(types, (head, rest), value, context, asked)
    code, _, modifier = name.partition(":")
    if code == "_list" and not modifier:
        if not FHIR_ID.fullmatch(value):
            raise Invalid("a list is named by its id", field=asked)
        return InList(value)
    found = find(types, code)
    if code in {"_text", "_content"} and not modifier:
        return InText(found, literals.string_value(value, asked).text, asked)
    return _matches(found, modifier, value, context, asked)


def find(types: tuple[str, ...], code: str) -> Parameter:
    """The parameter that all of the types have, places of all together. Raises Unknown."""
    found = [parameter(each, code) for each in types]
    if not found or None in found or code == "_query":
        raise Unknown(code)
    each = [one for one in found if one is not None]
    if len(each) == 1:
        return each[0]
    if len({one.kind for one in each}) > 1:
        raise Unknown(code)
    places = tuple(place for one in each for place in one.places)
    return replace(each[0], resource_type="", places=places, words=any(one.words for one in each))


def _has(name: str, value: str, context: Context, asked: str) -> Has:
    parts = name.split(":", 3)
    if len(parts) != 4 or parts[1] not in resource_types():
        raise Invalid("a reverse chain reads _has:Type:reference:parameter", field=asked)
    context.hop()
    reference = parameter(parts[1], parts[2])
    if reference is None or reference.kind != "reference":
        raise Invalid("a reverse chain goes over a reference parameter of its type", field=asked)
    try:
        return Has(parts[1], reference, condition((parts[1],), parts[3], value, context, asked))
    except Unknown:
        raise Invalid("the end of a reverse chain is no parameter of its type", field=asked) from None


def _chain(types: tuple[str, ...], hop: tuple[str, str], value: str, context: Context, asked: str) -> Chain:
    head, rest = hop
    code, _, kind = head.partition(":")
    reference = find(types, code)
    if reference.kind != "reference":
        raise DeadEnd("a chain goes over reference parameters")
    if kind and kind not in resource_types():
        raise Invalid("a chain names a resource type", field=asked)
    ways: list[tuple[str, Condition]] = []
    for target in (kind,) if kind else possible(reference):
        context.look()
        try:
            ways.append((target, condition((target,), rest, value, context, asked)))
        except Unknown:
            continue
        context.hop()
    if not ways:
        raise DeadEnd("the end of a chain is no parameter of what it refers to")
    return Chain(reference, tuple(ways))


def possible(reference: Parameter) -> tuple[str, ...]:
    """The types that a reference may point at."""
    if reference.only:
        return (reference.only,)
    if not reference.targets or "Resource" in reference.targets:
        return tuple(sorted(resource_types()))
    return reference.targets


def _matches(found: Parameter, modifier: str, text: str, context: Context, asked: str) -> Condition:
    kind = found.kind
    if modifier == "missing" and found.code not in {"_id", "_lastUpdated"} and kind != "composite":
        return Matches(found, "missing" if literals.flag(text, asked) else "present", (), asked)
    if kind == "reference" and modifier in resource_types():
        found, modifier = replace(found, only=modifier), ""
    if modifier and (modifier not in _MODIFIERS.get(kind, ()) or found.code in {"_id", "_lastUpdated"}):
        raise Invalid(f"the modifier :{modifier[:40]} does not go with this parameter", field=asked)
    texts = literals.split(text, ",")
    if len(texts) > MOST_VALUES:
        raise TooCostly("too many values for one parameter", limit=str(MOST_VALUES))
    if kind == "token" and modifier == "text":
        return InText(found, literals.string_value(text, asked).text, asked)
    if kind == "token" and modifier in {"in", "not-in", "above", "below"}:
        listed = (each for one in texts for each in _by_terminology(one, modifier, context, asked))
        values = tuple(_without_implied_system(each, found.places) for each in listed)
        return Matches(found, "not" if modifier == "not-in" else "", values, asked)
    read = _reader(found, modifier, context, asked)
    return Matches(found, modifier, tuple(read(each) for each in texts if each or len(texts) == 1), asked)


def _by_terminology(text: str, modifier: str, context: Context, asked: str) -> list[TokenValue]:
    if modifier in {"in", "not-in"}:
        members = context.codes.members(literals.uri_value(text, asked).uri)
        if members is None:
            raise Invalid("this value set is not known here, or cannot be listed", field=asked)
        return [TokenValue(system, code) for system, code in members]
    token = literals.token_value(text, asked)
    if token.system and token.code:
        related = context.codes.related(token.system, token.code, above=modifier == "above")
        return [TokenValue(token.system, code) for code in related]
    raise Invalid(f"the modifier :{modifier} needs system|code", field=asked)


def _reader(found: Parameter, modifier: str, context: Context, asked: str) -> Callable[[str], Value]:
    if found.kind == "composite":
        return lambda text: _composite_value(found, text, context, asked)
    if modifier == "identifier":
        return lambda text: literals.token_value(text, asked)
    if modifier == "of-type":
        return lambda text: literals.of_type_value(text, asked)
    return lambda text: _value(found.kind, text, found, context, asked)


def _value(kind: str, text: str, found: Parameter, context: Context, asked: str) -> SimpleValue:  # noqa: PLR0911  # one arm a kind
    match kind:
        case "token":
            return _without_implied_system(literals.token_value(text, asked), found.places)
        case "reference":
            value = literals.reference_value(text, asked, possible(found), context.base)
            return _of_type(value, found.only)
        case "date":
            return literals.date_value(text, asked, context.now)
        case "number":
            return literals.number_value(text, asked)
        case "quantity":
            return literals.quantity_value(text, asked)
        case "uri":
            return literals.uri_value(text, asked)
        case "special":
            return literals.near_value(text, asked)
        case _:
            return literals.string_value(text, asked)


def _of_type(value: ReferenceValue, only: str) -> ReferenceValue:
    """`patient` shares its place with `subject`, which may refer to a Group, too."""
    if not only:
        return value
    kept = tuple(each for each in value.targets if each.startswith(f"{only}/") or f"/{only}/" in each or ":" in each)
    return ReferenceValue(kept)


def _without_implied_system(value: TokenValue, places: tuple[Place, ...]) -> TokenValue:
    """A `code` has no system in the text; the one that its value set implies may be asked for."""
    if not value.system or not places or any(place.fhir_type[0].isupper() for place in places):
        return value
    for place in places:
        known = value_set_codes(place.binding) if place.binding else None
        if known is not None and value.system not in known:
            return value  # nothing has it
    return TokenValue(None if value.code else "", value.code)


def _composite_value(found: Parameter, text: str, context: Context, asked: str) -> CompositeValue:
    parts = literals.split(text, "$")
    if len(parts) != len(found.kinds):
        raise Invalid(f"the value has {len(found.kinds)} parts, with $ between them", field=asked)
    made = []
    for index, (kind, part) in enumerate(zip(found.kinds, parts, strict=True)):
        places = tuple(place for each in found.composites for place in each.parts[index])
        made.append(_value(kind, part, Parameter(found.resource_type, found.code, kind, places), context, asked))
    if isinstance(made[0], NumberValue):
        raise Invalid("this combination cannot be searched", field=asked)
    return CompositeValue(tuple(made))
