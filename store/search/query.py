"""A search as values: what was asked, after parsing and before SQL. hl7.org/fhir/R4/search.html."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from store.search.places import Parameter

Prefix = Literal["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]
Total = Literal["none", "estimate", "accurate"]
Summary = Literal["true", "text", "data", "count", "false"]


@dataclass(frozen=True, slots=True)
class StringValue:
    text: str


@dataclass(frozen=True, slots=True)
class UriValue:
    uri: str


@dataclass(frozen=True, slots=True)
class TokenValue:
    """None for any system or code; system "" for a value without one. `kind`: an identifier's type, for `:of-type`."""

    system: str | None
    code: str | None
    kind: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class ReferenceValue:
    """What may be referred to: `Type/id` for each type that an id without one may mean, or one URL."""

    targets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DateValue:
    """`[low, high)` by the precision given; for `ap` already widened."""

    prefix: Prefix
    low: datetime
    high: datetime


@dataclass(frozen=True, slots=True)
class NumberValue:
    """The number and `[low, high)` by the precision given. Units as in TokenValue; both None for any."""

    prefix: Prefix
    number: Decimal
    low: Decimal
    high: Decimal
    system: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class NearValue:
    """A place on earth and a distance, km."""

    latitude: Decimal
    longitude: Decimal
    kilometres: Decimal


@dataclass(frozen=True, slots=True)
class CompositeValue:
    parts: tuple[SimpleValue, ...]


SimpleValue = StringValue | UriValue | TokenValue | ReferenceValue | DateValue | NumberValue | NearValue
Value = SimpleValue | CompositeValue


@dataclass(frozen=True, slots=True)
class Matches:
    """Any of the values, at a parameter with a modifier, "" for none. `name` is what was asked, for messages.

    `missing` has no values: `modifier` is then `missing` or `present`.
    """

    parameter: Parameter
    modifier: str
    values: tuple[Value, ...]
    name: str


@dataclass(frozen=True, slots=True)
class Chain:
    """A reference to a resource of one of the types, each with its own condition."""

    parameter: Parameter
    ways: tuple[tuple[str, Condition], ...]


@dataclass(frozen=True, slots=True)
class Has:
    """A resource of a type refers to this one and meets a condition."""

    resource_type: str
    parameter: Parameter
    condition: Condition


@dataclass(frozen=True, slots=True)
class InCompartment:
    """In the compartment of `focus`, `Type/id`. `others`: records of the same person."""

    focus: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InList:
    """An item of the List with this id."""

    id: str


@dataclass(frozen=True, slots=True)
class InText:
    """Words that must stand in the narrative (`_text`), anywhere (`_content`), or at the beginning of a display.

    Texts are sealed and in no index: this is looked up in the bodies that meet all other conditions.
    """

    parameter: Parameter
    text: str
    name: str


@dataclass(frozen=True, slots=True)
class AllOf:
    """Joined by `and` in a `_filter`."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Joined by `or` in a `_filter`."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    condition: Condition


@dataclass(frozen=True, slots=True)
class Opened:
    """The numbers of resources whose bodies were opened, and meet what only bodies tell."""

    numbers: tuple[int, ...]


Condition = Matches | Chain | Has | InCompartment | InList | InText | AllOf | AnyOf | Not | Opened


@dataclass(frozen=True, slots=True)
class Include:
    """`_include` or `_revinclude`. source None with `*`; code None for every reference of the source."""

    source: str
    code: str | None
    target: str | None
    iterate: bool


@dataclass(frozen=True, slots=True)
class SortKey:
    parameter: Parameter
    descending: bool


@dataclass(frozen=True)
class Query:
    """types: empty for all.  count: None where the client left it open.  ignored: parameters passed over, lenient.

    understood: the parameters in effect, for the self link.  cursor: where the next page begins.
    linked: the hospital has merged patients, and a chain goes over them.
    unmoved: texts that are hidden now may stand in `search_string` yet, where an earlier release has put them.
    """

    types: tuple[str, ...]
    conditions: tuple[Condition, ...] = ()
    sort: tuple[SortKey, ...] = ()
    count: int | None = None
    includes: tuple[Include, ...] = ()
    revincludes: tuple[Include, ...] = ()
    total: Total | None = None
    summary: Summary | None = None
    elements: tuple[str, ...] = ()
    cursor: str | None = None
    ignored: tuple[str, ...] = ()
    understood: tuple[tuple[str, str], ...] = ()
    linked: bool = False
    unmoved: bool = False
