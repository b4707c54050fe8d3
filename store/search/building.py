"""A query's conditions as SQL over `resource` and the search tables.

Each condition is an EXISTS over one table, which PostgreSQL plans as a semi-join from whichever side is smaller.
"""

# ruff: noqa: S608  # statements are made of names of ours; every value is a parameter

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from store.database import Transaction
from store.search import comparisons
from store.search.extract import derived, special
from store.search.keyed import Hash, target_key, token_hashes
from store.search.persons import hop_to_person
from store.search.places import Composite, Parameter, parameter
from store.search.query import (
    AllOf,
    AnyOf,
    Chain,
    CompositeValue,
    Condition,
    DateValue,
    Has,
    InCompartment,
    InList,
    InText,
    Matches,
    NearValue,
    Not,
    ReferenceValue,
    SimpleValue,
    TokenValue,
    Value,
)
from store.search.scaled import scaled
from store.search.sql import FALSE, TRUE, ScopePredicate, Sql, both, either, in_compartment, negated, one_of
from store.search.values import code_key

_TABLES = {
    "string": "search_string",
    "uri": "search_string",
    "token": "search_token",
    "reference": "search_reference",
    "date": "search_date",
    "number": "search_quantity",
    "quantity": "search_quantity",
    "special": "search_quantity",
}
_KILOMETRES_A_DEGREE = 111.2

# What a search begins at, the most telling first.
_BEGINS = ("reference", "string", "uri", "quantity", "number", "date", "token")


@dataclass(frozen=True)
class Anchor:
    """A condition whose rows a search begins at: `rows` gives the number of each resource once."""

    condition: Matches
    rows: Sql
    kind: str

    @property
    def rank(self) -> int:
        """The lower, the fewer resources it is likely to have: a code that stands in few places comes last."""
        primitive = all(place.fhir_type[0].islower() for place in self.condition.parameter.places)
        if self.condition.modifier in {"identifier", "of-type"} or "Identifier" in _types_of(self.condition):
            return 0
        return _BEGINS.index(self.kind) + (len(_BEGINS) if self.kind == "token" and primitive else 0)


@dataclass
class Builder:
    """Makes conditions for one hospital and one scope. Every inner query gets an alias of its own.

    linked: chains to a patient go on to the other records of the person.
    """

    hospital: str
    hashes: Sequence[Hash]
    scope: ScopePredicate
    linked: bool = False
    _aliases: int = field(default=0)
    _anchors: dict[int, Anchor | None] = field(default_factory=dict)

    @classmethod
    def of(cls, tx: Transaction, scope: ScopePredicate, *, linked: bool = False) -> Builder:
        return cls(tx.hospital, token_hashes(tx.keys, tx.hospital), scope, linked)

    def condition(self, asked: Condition, resource_type: str, alias: str) -> Sql:  # noqa: PLR0911  # one arm a kind
        """A condition on the row `alias` of `resource`; `resource_type` "" where it may be of any type."""
        match asked:
            case Matches():
                return self._matches(asked, alias)
            case Chain():
                return either(self._hop(asked.parameter, kind, inner, alias) for kind, inner in asked.ways)
            case Has():
                return self._has(asked, alias)
            case InCompartment():
                return in_compartment(asked.focus, resource_type, alias, asked.others)
            case InList():
                return self._in_list(asked, alias)
            case AllOf():
                return both(*(self.condition(each, resource_type, alias) for each in asked.conditions))
            case AnyOf():
                return either(self.condition(each, resource_type, alias) for each in asked.conditions)
            case Not():
                return negated(self.condition(asked.condition, resource_type, alias))
            case InText():
                return TRUE  # looked up in the bodies afterwards

    def visible(self, resource_type: str, alias: str) -> Sql:
        """What is there and may be seen."""
        own = Sql(f"{alias}.hospital = %s and not {alias}.deleted", (self.hospital,))
        typed = Sql(f"{alias}.type = %s", (resource_type,)) if resource_type else TRUE
        return both(own, typed, self.scope(resource_type, alias))

    def _matches(self, asked: Matches, alias: str) -> Sql:  # noqa: PLR0911  # one arm a kind
        code, kind = asked.parameter.code, asked.parameter.kind
        if code == "_id":
            return one_of(f"{alias}.id", "text", [cast("TokenValue", each).code for each in asked.values])
        if code == "_lastUpdated":
            return comparisons.instants(cast("Any", asked.values), f"{alias}.last_updated")
        if kind == "composite":
            return either(
                self._composite(asked.parameter, cast("CompositeValue", each), alias) for each in asked.values
            )
        if kind == "special":
            return either(self._near(asked.parameter, cast("NearValue", each), alias) for each in asked.values)
        if asked.modifier in {"missing", "present"}:
            found = self._row(asked.parameter, TRUE, alias)
            return _not(found) if asked.modifier == "missing" else found
        if asked.modifier in {"above", "below"} and kind == "reference":
            return self._hierarchy(asked, alias)
        kind, numbers = self._rows_asked(asked)
        compared = self._compared(kind, asked.values, asked.modifier)
        found = self._row(asked.parameter, compared, alias, kind=kind, numbers=numbers)
        return _not(found) if asked.modifier == "not" else found

    def anchor(self, asked: Condition) -> Anchor | None:
        """The rows of a condition that a search may begin at, None where it has no rows of its own or too many."""
        if id(asked) not in self._anchors:  # asked for where to begin, and again when it is written down
            self._anchors[id(asked)] = self._anchor(asked)
        return self._anchors[id(asked)]

    def _anchor(self, asked: Condition) -> Anchor | None:
        if not isinstance(asked, Matches) or asked.modifier in {"missing", "present", "not"}:
            return None
        kind, code = asked.parameter.kind, asked.parameter.code
        if kind == "reference" and asked.modifier in {"above", "below"}:
            return None
        if code in {"_id", "_lastUpdated"} or kind not in _BEGINS or not asked.parameter.places:
            return None
        if kind == "date" and any(each.prefix != "eq" for each in asked.values if isinstance(each, DateValue)):
            return None
        kind, numbers = self._rows_asked(asked)
        places, compared = one_of("x.parameter", "int8", numbers), self._compared(kind, asked.values, asked.modifier)
        if FALSE in (places, compared):
            return None
        single = len(numbers) == 1 and len(asked.values) == 1 and len(self.hashes) == 1
        where = both(Sql("x.hospital = %s", (self.hospital,)), places, compared)
        rows = Sql(f"select x.resource as number from {_TABLES[kind]} x where {where.text}", where.values)
        once = single and _exact(asked.values[0])
        if not once:
            # Planned by itself: for the first page alone PostgreSQL would read all rows in the order of resources.
            rows = Sql(f"with a as materialized ({rows.text}) select distinct number from a", rows.values)
        return Anchor(asked, rows, kind)

    def _rows_asked(self, asked: Matches) -> tuple[str, list[int]]:
        """The kind and the places of the rows that a condition compares."""
        if asked.modifier in {"identifier", "of-type"}:
            return "token", [special(place, asked.modifier) for place in asked.parameter.places]
        return asked.parameter.kind, asked.parameter.numbers

    def _compared(self, kind: str, values: Sequence[Value], modifier: str = "") -> Sql:
        given = cast("Any", values)
        match kind:
            case "token":
                return comparisons.tokens(given, self.hashes)
            case "reference":
                return comparisons.references(given)
            case "date":
                return comparisons.dates(given)
            case "number" | "quantity":
                return comparisons.numbers(given)
            case "uri":
                return comparisons.uris(given, modifier)
            case _:
                return comparisons.strings(given, modifier)

    def _row(
        self,
        searched: Parameter,
        compared: Sql,
        alias: str,
        *,
        kind: str = "",
        numbers: list[int] | None = None,
    ) -> Sql:
        """A row of the resource at the parameter's places that compares so."""
        places = one_of("x.parameter", "int8", searched.numbers if numbers is None else numbers)
        if FALSE in (places, compared):
            return FALSE
        typed = TRUE
        if searched.only and kind in {"", "reference"} and compared == TRUE:
            typed = Sql("x.kind = %s", (searched.only,))
        inner = both(places, compared, typed)
        return Sql(
            f"exists (select from {_TABLES[kind or searched.kind]} x"
            f" where x.hospital = %s and x.resource = {alias}.number and {inner.text})",
            (self.hospital, *inner.values),
        )

    def _hop(self, reference: Parameter, kind: str, inner: Condition, alias: str) -> Sql:
        """A chain: what the resource refers to is of the type, may be seen, and meets the condition."""
        link, to = self._alias("f"), self._alias("c")
        places = one_of(f"{link}.parameter", "int8", reference.numbers)
        met = self.condition(inner, kind, to)
        if FALSE in (places, met):
            return FALSE
        if self.linked and kind == "Patient":
            return hop_to_person(self.hospital, places, both(self.visible(kind, to), met), (link, to), alias)
        there = both(places, self.visible(kind, to), met)
        return Sql(
            f"exists (select from search_reference {link} join resource {to} on {to}.key = {link}.target"
            f" where {link}.hospital = %s and {link}.resource = {alias}.number and {there.text})",
            (self.hospital, *there.values),
        )

    def _has(self, asked: Has, alias: str) -> Sql:
        """A reverse chain: a resource that may be seen and meets the condition refers to this one."""
        link, by = self._alias("f"), self._alias("c")
        places = one_of(f"{link}.parameter", "int8", asked.parameter.numbers)
        met = self.condition(asked.condition, asked.resource_type, by)
        if FALSE in (places, met):
            return FALSE
        there = both(places, self.visible(asked.resource_type, by), met)
        return Sql(
            f"exists (select from search_reference {link} join resource {by} on {by}.number = {link}.resource"
            f" where {link}.hospital = %s and {link}.target = {alias}.key and {there.text})",
            (self.hospital, *there.values),
        )

    def _in_list(self, asked: InList, alias: str) -> Sql:
        items = parameter("List", "item")
        assert items is not None  # noqa: S101  # R4 defines it
        link, by = self._alias("f"), self._alias("c")
        there = both(one_of(f"{link}.parameter", "int8", items.numbers), self.visible("List", by))
        return Sql(
            f"exists (select from search_reference {link} join resource {by} on {by}.number = {link}.resource"
            f" where {link}.hospital = %s and {link}.target = {alias}.key and {by}.id = %s and {there.text})",
            (self.hospital, asked.id, *there.values),
        )

    def _hierarchy(self, asked: Matches, alias: str) -> Sql:
        """`:below` a location or organization: it and all its parts; `:above`: it and all that it is part of."""
        given = [target for each in asked.values for target in cast("ReferenceValue", each).targets]
        keys = [target_key(each) for each in given]
        parts = [parameter(kind, "partof") for kind in ("Location", "Organization")]
        numbers = [number for each in parts if each is not None for number in each.numbers]
        if asked.modifier == "below":
            step, known = "select r.key", "p.target = reached.key and r.number = p.resource"
        else:
            step, known = "select p.target", "r.key = reached.key and p.resource = r.number"
        places = one_of("x.parameter", "int8", asked.parameter.numbers)
        return Sql(
            f"exists (select from search_reference x where x.hospital = %s and x.resource = {alias}.number"
            f" and {places.text} and x.target in ("
            "with recursive reached (key) as (select unnest(%s::uuid[]) union "
            f"{step} from reached, search_reference p, resource r"
            " where p.hospital = %s and p.parameter = any(%s::int8[]) and r.hospital = %s and not r.deleted"
            f" and {known}) select key from reached))",
            (self.hospital, *places.values, keys, self.hospital, numbers, self.hospital),
        )

    def _composite(self, searched: Parameter, value: CompositeValue, alias: str) -> Sql:
        return either(self._element(each, value, alias) for each in searched.composites)

    def _element(self, composite: Composite, value: CompositeValue, alias: str) -> Sql:
        first, *others = value.parts
        kind = composite.parts[1][0].kind
        numbers = self._derived(composite, first)
        if len(others) == 2:
            compared = both(*(_end(each, column) for each, column in zip(others, ("low", "high"), strict=True)))
        else:
            compared = self._compared(kind, others)
        searched = Parameter("", "", kind)
        found = self._row(searched, compared, alias, kind=kind, numbers=numbers)
        if found == FALSE or not isinstance(first, TokenValue) or first.system is None:
            return found
        # The rows are kept by code alone; that the code is of this system is asked of the component's own rows.
        places = [place.number for place in composite.parts[0]]
        coded = Parameter("", "", "token")
        return both(found, self._row(coded, self._compared("token", [first]), alias, kind="token", numbers=places))

    def _derived(self, composite: Composite, first: SimpleValue) -> list[int]:
        if isinstance(first, TokenValue):
            return [derived(composite, hash_(code_key(first.code))) for hash_ in self.hashes if first.code]
        if isinstance(first, ReferenceValue):
            return [derived(composite, target_key(each).hex) for each in first.targets]
        return []

    def _near(self, searched: Parameter, value: NearValue, alias: str) -> Sql:
        """Within a square around the point: of a radius R4 leaves the exactness to the server."""
        up = float(value.kilometres) / _KILOMETRES_A_DEGREE
        across = min(180.0, up / max(0.01, math.cos(math.radians(float(value.latitude)))))
        ways = zip(searched.places, ((value.latitude, up), (value.longitude, across)), strict=True)
        found = []
        for place, (middle, margin) in ways:
            width = type(middle)(str(margin))
            between = Sql("x.low >= %s and x.low <= %s", (scaled(middle - width), scaled(middle + width)))
            numbered = Parameter("", "", "number")
            within = both(Sql("x.unit = 0"), between)
            found.append(self._row(numbered, within, alias, kind="number", numbers=[place.number]))
        return both(*found)

    def _alias(self, letter: str) -> str:
        self._aliases += 1
        return f"{letter}{self._aliases}"


def _types_of(asked: Matches) -> set[str]:
    return {place.fhir_type for place in asked.parameter.places}


def _exact(value: Value) -> bool:
    """Whether a resource has at most one row of it at one place."""
    if isinstance(value, ReferenceValue):
        return len(value.targets) == 1
    return isinstance(value, TokenValue) and value.code is not None and value.system is not None


def _not(found: Sql) -> Sql:
    return TRUE if found == FALSE else Sql(f"not {found.text}", found.values)


def _end(value: SimpleValue, column: str) -> Sql:
    """One end of a range of which both are searched: the columns take each other's part nowhere."""
    compared = comparisons.numbers(cast("Any", [value]))
    return Sql(compared.text.replace("x.low", f"x.{column}").replace("x.high", f"x.{column}"), compared.values)
