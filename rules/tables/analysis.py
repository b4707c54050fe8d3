"""Gaps, overlaps and shadowed rows of a table, each shown with facts that prove it.

Every column is cut into the parts that no cell divides. Rows are bits: walking the columns, the rows that still match
are one number, and combinations that leave the same rows are walked once. So a table of many columns costs what its
distinct combinations of rows cost, not the product of its columns. What is beyond the limit is said to be unexamined.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from rules.domains import Domain, atoms, of_cell, whole
from rules.facts import FactDefinition, nested
from rules.findings import Finding, Severity, finding
from rules.tables.lists import Listed, lists, together
from rules.tables.model import HitPolicy, Table

MOST_STATES = 50_000
MOST_PAIRS = 20
_MOST_TRIED = 100_000  # cells of two rows that are held against each other

Part = Domain | Listed


@dataclass(frozen=True)
class Counterexample:
    """Facts by path, the paths of those that are absent, and the numbers, from 1, of the rows that match them."""

    facts: dict[str, Any]
    rows: tuple[int, ...]
    absent: tuple[str, ...] = ()

    @property
    def nested(self) -> dict[str, Any]:
        """As a process would supply them: to be tried, or kept as a test."""
        return nested(self.facts)


@dataclass
class Examined:
    """What was found.

    complete: everything was looked at. Otherwise the table was too wide, and `states` is how far the look went; or
    `unexamined` names columns of lists that hold too many combinations of codes to try them all.
    """

    gaps: list[Counterexample] = field(default_factory=list)
    overlaps: dict[tuple[int, int], Counterexample] = field(default_factory=dict)
    shadowed: dict[int, Counterexample] = field(default_factory=dict)
    impossible: list[int] = field(default_factory=list)
    findings: tuple[Finding, ...] = ()
    complete: bool = True
    states: int = 0
    unexamined: tuple[str, ...] = ()


def examine(table: Table, facts: dict[str, FactDefinition], most: int = MOST_STATES) -> Examined:
    """Every kind of defect of a table, with counter-examples."""
    found = Examined()
    walker = _Walker(table, facts, most)
    walker.walk()
    found.complete, found.states, found.unexamined = walker.complete, walker.states, tuple(walker.unexamined)
    found.gaps = walker.gaps[:MOST_PAIRS]
    found.impossible = [
        number for number in range(1, len(table.rows) + 1) if walker.complete and number not in walker.seen
    ]
    _overlaps(table, walker, found)
    if not walker.complete:
        _pairs(table, facts, found)
    if table.hit is HitPolicy.FIRST and walker.complete:
        for number, example in walker.seen.items():
            if number not in walker.first:
                found.shadowed[number] = example
    found.findings = tuple(_findings(table, found, walker.wide))
    return found


class _Walker:
    def __init__(self, table: Table, facts: dict[str, FactDefinition], most: int) -> None:
        self._table = table
        self._most = most
        self.unexamined: list[str] = []
        self._columns = [self._parts(facts[path], place) for place, path in enumerate(table.columns)]
        self._visited: set[tuple[int, int]] = set()
        self._path: list[tuple[str, Part | None]] = []
        self.masks: dict[int, Counterexample] = {}
        self.gaps: list[Counterexample] = []
        self.seen: dict[int, Counterexample] = {}
        self.first: set[int] = set()
        self.wide = False
        self.states = 0

    @property
    def complete(self) -> bool:
        return not self.wide and not self.unexamined

    def walk(self) -> None:
        self._from(0, (1 << len(self._table.rows)) - 1)

    def _parts(self, fact: FactDefinition, place: int) -> list[tuple[Part | None, int]]:
        """The column's atoms, each with the rows that it meets as bits."""
        cells = [row.when[place] for row in self._table.rows]
        everything = whole(fact)
        if everything is None:
            listed = lists(fact, cells)
            if not listed.whole:
                self.unexamined.append(fact.path)
            return list(listed.parts)
        domains = [None if cell is None else of_cell(fact, cell) for cell in cells]
        parts: dict[int, Domain] = {}
        for atom, bits in atoms(everything, domains):
            if not atom.empty:
                parts.setdefault(bits, atom)
        return [(atom, bits) for bits, atom in parts.items()]

    def _from(self, place: int, bits: int) -> None:
        if (place, bits) in self._visited:
            return
        if self.states >= self._most:
            self.wide = True
            return
        # What a visit costs: every part of the column it tries, or every row it tells of.
        self.states += 1 + (len(self._columns[place]) if place < len(self._columns) else bits.bit_length()) // 16
        self._visited.add((place, bits))
        if place == len(self._columns):
            self._leaf(bits)
            return
        for atom, meets in self._columns[place]:
            self._path.append((self._table.columns[place], atom))
            self._from(place + 1, bits & meets)
            self._path.pop()

    def _leaf(self, bits: int) -> None:
        rows = tuple(i + 1 for i in range(bits.bit_length()) if bits >> i & 1)
        shown = {path: None if part is None else part.example() for path, part in self._path}
        facts = {path: value for path, value in shown.items() if value is not None}
        example = Counterexample(facts, rows, tuple(path for path in shown if path not in facts))
        self.masks[bits] = example
        if not rows:
            self.gaps.append(example)
            return
        self.first.add(rows[0])
        for row in rows:
            self.seen.setdefault(row, example)


def _overlaps(table: Table, walker: _Walker, found: Examined) -> None:
    """Each combination's first row against the others that must not match with it: linear in the rows that match."""
    if table.hit not in {HitPolicy.UNIQUE, HitPolicy.ANY}:
        return
    for example in walker.masks.values():
        one, *others = example.rows or (0,)
        for other in others:
            if table.hit is HitPolicy.UNIQUE or table.rows[one - 1].then != table.rows[other - 1].then:
                found.overlaps.setdefault((one, other), example)
            if len(found.overlaps) >= MOST_PAIRS:
                return


def _pairs(table: Table, facts: dict[str, FactDefinition], found: Examined) -> None:
    """Rows two by two, where not every combination was walked: whether two can match together needs no walk."""
    if table.hit not in {HitPolicy.UNIQUE, HitPolicy.ANY}:
        return
    columns = [facts[path] for path in table.columns]
    domains = [[None if cell is None else of_cell(fact, cell) for fact, cell in zip(columns, row.when, strict=True)]
               for row in table.rows]  # fmt: skip
    tried = 0
    for one, other in combinations(range(len(table.rows)), 2):
        if tried >= _MOST_TRIED or len(found.overlaps) >= MOST_PAIRS:
            return
        if (one + 1, other + 1) in found.overlaps or (
            table.hit is HitPolicy.ANY and table.rows[one].then == table.rows[other].then
        ):
            continue
        example = dict[str, Any]()
        for place, fact in enumerate(columns):
            tried += 1
            shared = _shared(fact, table, domains, (one, other), place)
            if shared is None:
                break
            example[fact.path] = shared.example()
        else:
            known = {path: value for path, value in example.items() if value is not None}
            absent = tuple(path for path in example if path not in known)
            found.overlaps[one + 1, other + 1] = Counterexample(known, (one + 1, other + 1), absent)


def _shared(
    fact: FactDefinition, table: Table, domains: list[list[Domain | None]], rows: tuple[int, int], place: int
) -> Part | None:
    """What of a fact meets the cells of two rows, or None for nothing."""
    everything = whole(fact)
    if everything is None:
        one, other = (table.rows[row].when[place] for row in rows)
        return together(fact, one, other)
    for row in rows:
        cell = domains[row][place]
        everything = everything if cell is None else everything.meet(cell)
    return None if everything.empty else everything


def _findings(table: Table, found: Examined, wide: bool) -> list[Finding]:
    said: list[Finding] = []
    answers_nothing = table.otherwise is not None or table.hit.many or table.hit in {HitPolicy.SUM, HitPolicy.COUNT}
    if not answers_nothing:
        said.extend(finding("row-gap", "/table/rows", Severity.WARNING, example=_shown(gap)) for gap in found.gaps[:3])
    code = "rows-overlap" if table.hit is HitPolicy.UNIQUE else "rows-disagree"
    for (one, other), example in found.overlaps.items():
        where = f"/table/rows/{other - 1}"
        said.append(finding(code, where, Severity.ERROR, first=one, second=other, example=_shown(example)))
    for row, example in sorted(found.shadowed.items()):
        said.append(
            finding("row-shadowed", f"/table/rows/{row - 1}", Severity.WARNING, row=row, example=_shown(example))
        )
    said.extend(
        finding("row-impossible", f"/table/rows/{row - 1}", Severity.WARNING, row=row) for row in found.impossible
    )
    said.extend(
        finding("column-not-examined", f"/table/columns/{table.columns.index(path)}", Severity.NOTE, fact=path)
        for path in found.unexamined
    )
    if wide:
        said.append(finding("table-too-wide", "/table", Severity.NOTE, covered=found.states))
    return said


def _shown(example: Counterexample) -> str:
    """As a person reads it; null is a fact that is absent."""
    values = example.facts | dict.fromkeys(example.absent)
    return ", ".join(f"{path} = {json.dumps(value, ensure_ascii=False)}" for path, value in values.items()) or "{}"
