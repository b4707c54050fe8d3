"""A query's conditions as SQL over `resource` and the search tables.

Each condition is an EXISTS over one table, which PostgreSQL plans as a semi-join from whichever side is smaller.
"""

# ruff: noqa: S608  # statements are made of names of ours; every value is a parameter

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from domain.errors import Invalid
from store.database import Transaction
from store.search import comparisons
from store.search.anchors import BEGINS, Anchor, exact
from store.search.extract import derived, special
from store.search.hierarchies import hierarchy
from store.search.keyed import Hash, target_key, token_hashes
from store.search.persons import hop_to_person
from store.search.places import Composite, Parameter, Place, parameter
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
    Opened,
    ReferenceValue,
    SimpleValue,
    TokenValue,
    Value,
)
from store.search.rechecking import only_bodies_tell
from store.search.scaled import scaled
from store.search.sql import FALSE, TRUE, ScopePredicate, Sql, both, either, in_compartment, negated, one_of
from store.search.values import code_key
from store.search.words import FORMERLY
from store.search.words import compared as compared_words

_TABLES = {
    "string": "search_string",
    "uri": "search_string",
    "token": "search_token",
    "words": "search_token",
    "reference": "search_reference",
    "date": "search_date",
    "number": "search_quantity",
    "quantity": "search_quantity",
    "special": "search_quantity",
}
_KILOMETRES_A_DEGREE = 111.2


@dataclass
class Builder:
    """Makes conditions for one hospital and one scope. Every inner query gets an alias of its own.

    linked: chains to a patient go on to the other records of the person.  unmoved: see Query.
    """

    hospital: str
    hashes: Sequence[Hash]
    scope: ScopePredicate
    linked: bool = False
    unmoved: bool = False
    _aliases: int = field(default=0)
    _anchors: dict[int, Anchor | None] = field(default_factory=dict)

    @classmethod
    def of(cls, tx: Transaction, scope: ScopePredicate, *, linked: bool = False, unmoved: bool = False) -> Builder:
        return cls(tx.hospital, token_hashes(tx.keys, tx.hospital), scope, linked, unmoved)

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
                return both(*(self._inner(each, resource_type, alias) for each in asked.conditions))
            case AnyOf():
                return either(self._inner(each, resource_type, alias) for each in asked.conditions)
            case Not():
                return negated(self._inner(asked.condition, resource_type, alias))
            case InText():
                return TRUE  # looked up in the bodies afterwards
            case Opened():
                return one_of(f"{alias}.number", "int8", asked.numbers)

    def _inner(self, asked: Condition, resource_type: str, alias: str) -> Sql:
        """A condition within another, where nobody asks the bodies any more: `opening` has done so before."""
        if only_bodies_tell(asked):
            raise Invalid("texts of records cannot be searched by here, within another condition", field="http.query")
        return self.condition(asked, resource_type, alias)

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
            found = self._words(asked, alias) if asked.parameter.words else self._row(asked.parameter, TRUE, alias)
            return _not(found) if asked.modifier == "missing" else found
        if asked.modifier in {"above", "below"} and kind == "reference":
            return hierarchy(self.hospital, asked, alias)
        if asked.parameter.words:
            return self._words(asked, alias)
        kind, numbers = self._rows_asked(asked)
        compared = self._compared(kind, asked.values, asked.modifier)
        found = self._row(asked.parameter, compared, alias, kind=kind, numbers=numbers)
        return _not(found) if asked.modifier == "not" else found

    def _words(self, asked: Matches, alias: str) -> Sql:
        """What may match: bodies decide. Of several types some may keep a parameter's texts readable."""
        # Readable texts were cut: what stands further back in them only their bodies tell.
        there = asked.modifier in {"missing", "present"} or (asked.modifier == "contains" and self.unmoved)
        numbers: dict[str, list[int]] = {"string": [], "words": []}
        for place in asked.parameter.places:
            numbers[place.kind].append(place.number)
            if self.unmoved and place.kind == "words":
                numbers["string"].append(FORMERLY[place.number])
        return either(
            self._row(
                asked.parameter,
                TRUE if there else self._compared(kind, asked.values, asked.modifier),
                alias,
                kind=kind,
                numbers=listed,
            )
            for kind, listed in numbers.items()
        )

    def anchor(self, asked: Condition) -> Anchor | None:
        """The rows of a condition that a search may begin at, None where it has no rows of its own or too many."""
        if id(asked) not in self._anchors:  # asked for where to begin, and again when it is written down
            self._anchors[id(asked)] = self._anchor(asked)
        return self._anchors[id(asked)]

    def _anchor(self, asked: Condition) -> Anchor | None:  # noqa: PLR0911  # one arm a reason
        if not isinstance(asked, Matches) or asked.modifier in {"missing", "present", "not"}:
            return None
        kind, code = asked.parameter.kind, asked.parameter.code
        if kind == "reference" and asked.modifier in {"above", "below"}:
            return None
        if code in {"_id", "_lastUpdated"} or kind not in BEGINS or not asked.parameter.places:
            return None
        if asked.parameter.words and (self.unmoved or any(_is_readable(place) for place in asked.parameter.places)):
            return None
        if kind == "date" and any(each.prefix != "eq" for each in asked.values if isinstance(each, DateValue)):
            return None
        kind, numbers = self._rows_asked(asked)
        places, compared = one_of("x.parameter", "int8", numbers), self._compared(kind, asked.values, asked.modifier)
        if FALSE in (places, compared) or compared == TRUE:
            return None
        single = len(numbers) == 1 and len(asked.values) == 1 and len(self.hashes) == 1
        where = both(Sql("x.hospital = %s", (self.hospital,)), places, compared)
        rows = Sql(f"select x.resource as number from {_TABLES[kind]} x where {where.text}", where.values)
        once = single and exact(asked.values[0])
        if single and kind == "words":  # a text may begin as another one of the resource does
            rows = Sql(rows.text.replace("select ", "select distinct ", 1), rows.values)
        elif not once:
            # Planned by itself: for the first page alone PostgreSQL would read all rows in the order of resources.
            rows = Sql(f"with a as materialized ({rows.text}) select distinct number from a", rows.values)
        return Anchor(asked, rows, kind)

    def _rows_asked(self, asked: Matches) -> tuple[str, list[int]]:
        """The kind and the places of the rows that a condition compares."""
        if asked.modifier in {"identifier", "of-type"}:
            return "token", [special(place, asked.modifier) for place in asked.parameter.places]
        return "words" if asked.parameter.words else asked.parameter.kind, asked.parameter.numbers

    def _compared(self, kind: str, values: Sequence[Value], modifier: str = "") -> Sql:  # noqa: PLR0911  # one arm a kind
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
            case "words":
                return compared_words(given, modifier, self.hashes)
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
        met = self._inner(inner, kind, to)
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
        met = self._inner(asked.condition, asked.resource_type, by)
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
        if kind == "words" and self.unmoved:
            readable = self._row(searched, self._compared("string", others), alias, kind="string", numbers=numbers)
            found = either([found, readable])
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


def _is_readable(place: Place) -> bool:
    return place.kind != "words"


def _not(found: Sql) -> Sql:
    return TRUE if found == FALSE else Sql(f"not {found.text}", found.values)


def _end(value: SimpleValue, column: str) -> Sql:
    """One end of a range of which both are searched: the columns take each other's part nowhere."""
    compared = comparisons.numbers(cast("Any", [value]))
    return Sql(compared.text.replace("x.low", f"x.{column}").replace("x.high", f"x.{column}"), compared.values)
