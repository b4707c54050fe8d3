"""A decision table: columns are facts, rows are conditions with an answer, the hit policy says which rows count."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StrictFloat, StrictInt, model_validator

from rules.cells import Cell
from rules.facts import Code, FactPath, Part
from rules.language import LARGEST_NUMBER
from rules.malformed import wrong


class HitPolicy(StrEnum):
    """Which of the matching rows answer (OMG DMN 1.5, 8.2.10, and its aggregations)."""

    FIRST = "first"
    UNIQUE = "unique"  # two matching rows are an error
    ANY = "any"  # matching rows must agree
    PRIORITY = "priority"  # the outcome that stands first in `priorities`
    RULE_ORDER = "rule-order"  # every matching row's, in the order of rows
    COLLECT = "collect"  # every matching row's, each once
    SUM = "collect-sum"
    MIN = "collect-min"
    MAX = "collect-max"
    COUNT = "collect-count"

    @property
    def numeric(self) -> bool:
        return self in {HitPolicy.SUM, HitPolicy.MIN, HitPolicy.MAX, HitPolicy.COUNT}

    @property
    def many(self) -> bool:
        return self in {HitPolicy.RULE_ORDER, HitPolicy.COLLECT}


class Row(Part):
    """One cell for each column, null where it does not matter. `then`: an outcome's key, or a number to aggregate."""

    when: tuple[Cell | None, ...]
    then: Code | StrictInt | StrictFloat | None = None


class Table(Part):
    """`otherwise` answers when no row matches; without it the rule is then indeterminate, which is a gap."""

    hit: HitPolicy
    columns: Annotated[tuple[FactPath, ...], Field(min_length=1)]
    rows: Annotated[tuple[Row, ...], Field(min_length=1)]
    otherwise: Code | StrictInt | StrictFloat | None = None
    priorities: tuple[Code, ...] = ()

    @model_validator(mode="after")
    def _is_a_table(self) -> Self:
        if len(set(self.columns)) != len(self.columns):
            raise wrong("column-twice", "/columns")
        for number, row in enumerate(self.rows, start=1):
            if len(row.when) != len(self.columns):
                raise wrong(
                    "row-cells", f"/rows/{number - 1}/when", row=number, count=len(row.when), columns=len(self.columns)
                )
            if not self._answers(row.then):
                raise wrong("row-answer", f"/rows/{number - 1}/then", row=number, hit=self.hit.value)
        for place, column in enumerate(self.columns):
            if all(row.when[place] is None for row in self.rows):
                raise wrong("column-unused", f"/columns/{place}", column=column)
        if self.otherwise is not None and (self.hit in _NEVER_OTHERWISE or not self._answers(self.otherwise)):
            raise wrong("table-otherwise", "/otherwise", hit=self.hit.value)
        if (self.hit is HitPolicy.PRIORITY) != bool(self.priorities):
            raise wrong("priorities-needed", "/priorities")
        if self.priorities and not {row.then for row in self.rows} <= set(self.priorities):
            raise wrong("priority-missing", "/priorities")
        if len(set(self.priorities)) != len(self.priorities):
            raise wrong("priority-twice", "/priorities")
        return self

    def _answers(self, then: str | float | None) -> bool:
        if self.hit is HitPolicy.COUNT:
            return then is None
        if not self.hit.numeric:
            return isinstance(then, str)
        return isinstance(then, int | float) and abs(then) < LARGEST_NUMBER  # which stands for no answer at all


_NEVER_OTHERWISE = frozenset({HitPolicy.RULE_ORDER, HitPolicy.COLLECT, HitPolicy.SUM, HitPolicy.COUNT})
"""No matching row is an answer there: nothing, or zero."""
