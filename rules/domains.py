"""Sets of values that a fact can have: the arithmetic behind gaps, overlaps and branches that nothing reaches.

A domain is a set of ordered values (numbers, dates, instants) as intervals, or of choices (codes, yes and no), and
whether the fact may be absent. `example` gives a member, which is how a finding shows what it means.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from rules.cells import Cell
from rules.facts import CODED, FactDefinition, FactType
from rules.instants import just_after, just_before, readable, sortable

_INTEGERS = frozenset({FactType.INTEGER, FactType.MONEY})
_TIMES = frozenset({FactType.DATE, FactType.INSTANT})


class Edge(NamedTuple):
    """A place between values: just below `value` (`after` 0) or just above it (1). `rank` ±1 are the infinities."""

    rank: int
    value: Any = 0
    after: int = 0


LOWEST, HIGHEST = Edge(-1), Edge(1)


@dataclass(frozen=True)
class Ranges:
    """Disjoint intervals in rising order, each between two edges."""

    spans: tuple[tuple[Edge, Edge], ...] = ((LOWEST, HIGHEST),)

    def meet(self, other: Ranges) -> Ranges:
        """What lies in both, in time linear in their spans."""
        both: list[tuple[Edge, Edge]] = []
        left, right = 0, 0
        while left < len(self.spans) and right < len(other.spans):
            (low, high), (other_low, other_high) = self.spans[left], other.spans[right]
            start, end = max(low, other_low), min(high, other_high)
            if start < end:
                both.append((start, end))
            if high < other_high:
                left += 1
            else:
                right += 1
        return Ranges(tuple(both))

    def minus(self, other: Ranges) -> Ranges:
        edges = [LOWEST, *(edge for span in other.spans for edge in span), HIGHEST]
        outside = zip(edges[::2], edges[1::2], strict=True)
        return self.meet(Ranges(tuple((low, high) for low, high in outside if low < high)))

    @property
    def empty(self) -> bool:
        return not self.spans


@dataclass(frozen=True)
class Choices:
    """The named values, or all but them when `others` is true."""

    named: frozenset[Any]
    others: bool = False

    def meet(self, other: Choices) -> Choices:
        match (self.others, other.others):
            case (False, False):
                return Choices(self.named & other.named)
            case (True, True):
                return Choices(self.named | other.named, others=True)
            case (True, False):
                return Choices(other.named - self.named)
            case _:
                return Choices(self.named - other.named)

    def minus(self, other: Choices) -> Choices:
        return self.meet(Choices(other.named, others=not other.others))

    @property
    def empty(self) -> bool:
        return not self.others and not self.named


Values = Ranges | Choices


@dataclass(frozen=True)
class Domain:
    """What a fact can be: one of `values`, or absent."""

    fact: FactDefinition
    values: Values
    absent: bool

    @property
    def empty(self) -> bool:
        return _nothing(self.fact, self.values) and not self.absent

    def meet(self, other: Domain) -> Domain:
        return Domain(self.fact, _meet(self.values, other.values), self.absent and other.absent)

    def minus(self, other: Domain) -> Domain:
        return Domain(self.fact, _minus(self.values, other.values), self.absent and not other.absent)

    def example(self) -> Any:
        """One member; None for absent. The domain is not empty."""
        return None if _nothing(self.fact, self.values) else _example(self.fact, self.values)


def whole(fact: FactDefinition) -> Domain | None:
    """Everything that a fact can be, or None for facts that have no domain here (lists)."""
    match fact.type:
        case FactType.CODES | FactType.RECORDS:
            return None
        case FactType.BOOLEAN:
            return Domain(fact, Choices(frozenset({True, False})), fact.absent)
        case FactType.CODE:
            values = Choices(frozenset(fact.codes)) if fact.codes else Choices(frozenset(), others=True)
            return Domain(fact, values, fact.absent)
        case _:
            low = LOWEST if fact.minimum is None else Edge(0, fact.minimum, 0)
            high = HIGHEST if fact.maximum is None else Edge(0, fact.maximum, 1)
            return Domain(fact, Ranges(((low, high),)), fact.absent)


def of_cell(fact: FactDefinition, cell: Cell) -> Domain | None:
    """What of a fact meets a cell, or None where the fact has no domain."""
    everything = whole(fact)
    if everything is None:
        return None
    if cell.present is False:
        return Domain(fact, _none_of(everything.values), absent=True)
    values = everything.values
    if cell.equals is not None:
        values = _meet(values, _these(fact, (cell.equals,)))
    if cell.is_in is not None:
        values = _meet(values, _these(fact, cell.is_in))
    if cell.not_in is not None:
        values = _minus(values, _these(fact, cell.not_in))
    if isinstance(values, Ranges):
        for sign, bound in cell.bounds.items():
            values = values.meet(beyond(sign, _bound(fact, bound)))
    return Domain(fact, values, absent=False)


def beyond(sign: str, bound: Any) -> Ranges:
    """The values that are `sign` (`<`, `<=`, `>`, `>=`) of a bound."""
    match sign:
        case "<":
            return Ranges(((LOWEST, Edge(0, bound, 0)),))
        case "<=":
            return Ranges(((LOWEST, Edge(0, bound, 1)),))
        case ">":
            return Ranges(((Edge(0, bound, 1), HIGHEST),))
        case _:
            return Ranges(((Edge(0, bound, 0), HIGHEST),))


def atoms(everything: Domain, cells: list[Domain | None]) -> list[tuple[Domain, int]]:
    """The coarsest parts of `everything` that no cell divides, each with the cells that it lies in, as bits.

    A cell that is None takes everything, absence included. Linear in the cells' spans and values.
    """
    always = sum(1 << place for place, cell in enumerate(cells) if cell is None)
    parts = (_chosen if isinstance(everything.values, Choices) else _ranged)(everything, cells, always)
    found = [(part, bits) for part, bits in parts if not part.meet(everything).empty]
    if everything.absent:
        nothing = Domain(everything.fact, _none_of(everything.values), absent=True)
        bits = sum(1 << place for place, cell in enumerate(cells) if cell is not None and cell.absent)
        found.append((nothing, always | bits))
    return found


def _ranged(everything: Domain, cells: list[Domain | None], always: int) -> list[tuple[Domain, int]]:
    toggles: dict[Edge, int] = {}
    for place, cell in enumerate(cells):
        for span in cell.values.spans if cell is not None and isinstance(cell.values, Ranges) else ():
            for edge in span:
                toggles[edge] = toggles.get(edge, 0) ^ 1 << place
    if isinstance(everything.values, Ranges):
        for span in everything.values.spans:
            for edge in span:
                toggles.setdefault(edge, 0)
    parts, bits = [], always
    for low, high in pairwise(sorted(toggles)):
        bits ^= toggles[low]
        parts.append((Domain(everything.fact, Ranges(((low, high),)), absent=False), bits))
    return parts


def _chosen(everything: Domain, cells: list[Domain | None], always: int) -> list[tuple[Domain, int]]:
    inside: dict[Any, int] = dict.fromkeys(_named(everything), 0)
    outside = 0  # cells that take all but what they name
    for place, cell in enumerate(cells):
        if cell is not None and isinstance(cell.values, Choices):
            outside |= (1 << place) if cell.values.others else 0
            for value in cell.values.named:
                inside[value] = inside.get(value, 0) ^ 1 << place
    fact, ordered = everything.fact, sorted(inside, key=str)
    parts = [
        (Domain(fact, Choices(frozenset({value})), absent=False), always | (inside[value] ^ outside))
        for value in ordered
    ]
    return [*parts, (Domain(fact, Choices(frozenset(inside), others=True), absent=False), always | outside)]


def _named(domain: Domain) -> frozenset[Any]:
    return domain.values.named if isinstance(domain.values, Choices) and not domain.values.others else frozenset()


def _meet(left: Values, right: Values) -> Values:
    if isinstance(left, Ranges) and isinstance(right, Ranges):
        return left.meet(right)
    assert isinstance(left, Choices) and isinstance(right, Choices)  # noqa: S101, PT018  (one fact, one kind)
    return left.meet(right)


def _minus(left: Values, right: Values) -> Values:
    if isinstance(left, Ranges) and isinstance(right, Ranges):
        return left.minus(right)
    assert isinstance(left, Choices) and isinstance(right, Choices)  # noqa: S101, PT018  (one fact, one kind)
    return left.minus(right)


def _none_of(values: Values) -> Values:
    return Ranges(()) if isinstance(values, Ranges) else Choices(frozenset())


def _these(fact: FactDefinition, values: tuple[Any, ...]) -> Values:
    if fact.type in CODED or fact.type is FactType.BOOLEAN:
        return Choices(frozenset(values))
    bounds = {_bound(fact, value) for value in values}
    return Ranges(tuple(sorted((Edge(0, bound, 0), Edge(0, bound, 1)) for bound in bounds)))


def _bound(fact: FactDefinition, value: Any) -> Any:
    """What is written in a cell, as it is ordered."""
    return sortable(value) if fact.type is FactType.INSTANT else value


def _nothing(fact: FactDefinition, values: Values) -> bool:
    if isinstance(values, Choices):
        return values.empty
    return not any(_has_member(fact, low, high) for low, high in values.spans)


def _has_member(fact: FactDefinition, low: Edge, high: Edge) -> bool:
    """Whether anything lies between: between 3 and 4, nothing whole does."""
    if low.rank or high.rank or fact.type not in _INTEGERS | {FactType.DATE}:
        return True
    return bool(_first_whole(fact, low) <= _last_whole(fact, high))


def _first_whole(fact: FactDefinition, low: Edge) -> Any:
    if fact.type is FactType.DATE:
        day = date.fromisoformat(low.value)
        return (day + timedelta(days=1) if low.after else day).isoformat()
    floor = int(low.value // 1)
    return floor + 1 if low.after or floor != low.value else floor


def _last_whole(fact: FactDefinition, high: Edge) -> Any:
    if fact.type is FactType.DATE:
        day = date.fromisoformat(high.value)
        return (day if high.after else day - timedelta(days=1)).isoformat()
    ceiling = -int(-high.value // 1)
    return ceiling if high.after and ceiling == high.value else ceiling - 1


def _example(fact: FactDefinition, values: Values) -> Any:
    if isinstance(values, Choices):
        return min(values.named, key=str) if not values.others else _other_than(values.named)
    low, high = next(span for span in values.spans if _has_member(fact, *span))
    if fact.type in _TIMES:
        return _example_time(fact, low, high)
    if not low.rank and (not low.after or fact.type in _INTEGERS):
        return _first_whole(fact, low) if fact.type in _INTEGERS else low.value
    if not high.rank and (high.after or fact.type in _INTEGERS):
        return _last_whole(fact, high) if fact.type in _INTEGERS else high.value
    if low.rank and high.rank:
        return 0
    if low.rank:
        return high.value - 1
    return low.value + 1 if high.rank else (low.value + high.value) / 2


def _example_time(fact: FactDefinition, low: Edge, high: Edge) -> str:
    if fact.type is FactType.DATE:
        if not low.rank:
            return str(_first_whole(fact, low))
        return "2026-01-01" if high.rank else str(_last_whole(fact, high))
    if low.rank:
        return "2026-01-01T00:00:00Z" if high.rank else readable(high.value if high.after else just_before(high.value))
    if not low.after:
        return readable(low.value)
    if not high.rank and high.after:
        return readable(high.value)
    return readable(just_after(low.value, None if high.rank else high.value))


def _other_than(named: frozenset[Any]) -> str:
    return "another code" if "another" not in named else "any other code"
