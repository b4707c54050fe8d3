"""What lists of codes can meet in a table's column: one list may hold the codes of several cells at once.

Codes that the same cells name are alike, so one stands for all of them. Lists are tried shortest first: none of the
codes, each alone, each pair, and so on, until nothing new is met. Two rows that look for codes need a list of two at
most, so all overlaps of two rows are seen where all pairs are tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rules.cells import Cell
from rules.facts import FactDefinition, FactType

MOST_LISTS = 2_048
_MOST_TRIES = 100_000


@dataclass(frozen=True)
class Listed:
    """A list that shows what a combination of cells has in common."""

    codes: tuple[str, ...]

    def example(self) -> list[str]:
        return list(self.codes)


@dataclass(frozen=True)
class Lists:
    """Each kind of list with the rows that it meets, as bits; None is the fact absent. whole: nothing is left out."""

    parts: list[tuple[Listed | None, int]]
    whole: bool


def lists(fact: FactDefinition, cells: Sequence[Cell | None], most: int = MOST_LISTS) -> Lists:
    """The kinds of lists of a fact that a column tells apart."""
    rows = _Rows(fact, cells)
    parts: dict[int, Listed | None] = {}
    found, whole = _unions(rows.naming, most)
    for touched, codes in found.items():
        parts.setdefault(rows.met(touched), Listed(codes))
    if fact.absent:
        parts.setdefault(rows.absent, None)
    return Lists([(part, bits) for bits, part in parts.items()], whole and rows.understood)


def together(fact: FactDefinition, one: Cell | None, other: Cell | None) -> Listed | None:
    """A list that meets two cells, or None where none does; where only the absent fact does, that is none, too."""
    cells = [cell for cell in (one, other) if cell is not None]
    if any(cell.present is False for cell in cells):
        return None
    never = {code for cell in cells for code in cell.has_none or ()}
    codes: dict[str, None] = {}
    for cell in cells:
        if not cell.has_any:
            continue
        meets = [code for code in cell.has_any if code not in never and (not fact.codes or code in fact.codes)]
        if not meets:
            return None
        codes.setdefault(next((code for code in meets if code in codes), meets[0]))
    return Listed(tuple(codes))


class _Rows:
    """A column's cells as bits by kind, and for each code which cells name it."""

    def __init__(self, fact: FactDefinition, cells: Sequence[Cell | None]) -> None:
        self.naming: dict[int, str] = {}
        self.understood = True
        self._always = self._absent = self._there = self._any = self._none = 0
        named: dict[str, int] = {}
        for place, cell in enumerate(cells):
            bit = 1 << place
            codes = () if cell is None else (*(cell.has_any or ()), *(cell.has_none or ()))
            if cell is None:
                self._always |= bit
            elif cell.present is False:
                self._absent |= bit
            elif cell.has_any:
                self._any |= bit
            elif cell.has_none:
                self._none |= bit
            elif cell.present and cell.spelled() == {"present": True}:
                self._there |= bit
            else:  # a condition that no list has; the checker refuses it elsewhere
                self.understood = False
            for code in codes:
                if fact.type is FactType.CODES and (not fact.codes or code in fact.codes):
                    named[code] = named.get(code, 0) | bit
        for code in sorted(named):
            self.naming.setdefault(named[code], code)

    def met(self, touched: int) -> int:
        """The rows that a list meets whose codes are named by the cells `touched`."""
        return self._always | self._there | (self._any & touched) | (self._none & ~touched)

    @property
    def absent(self) -> int:
        return self._always | self._absent


def _unions(naming: dict[int, str], most: int) -> tuple[dict[int, tuple[str, ...]], bool]:
    """Every set of cells that the codes of some list are named by, with the shortest such list; and whether all."""
    found: dict[int, tuple[str, ...]] = {0: ()}
    tried, last = 0, [0]
    while last:
        longer: list[int] = []
        for touched in last:
            for bits, code in naming.items():
                tried += 1
                if tried > _MOST_TRIES or len(found) >= most:
                    return found, False
                if touched | bits not in found:
                    found[touched | bits] = (*found[touched], code)
                    longer.append(touched | bits)
        last = longer
    return found, True
