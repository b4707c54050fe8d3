"""Gaps, overlaps and shadowed rows are found, and every example that is shown is true."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.oracle import Undecided, answer
from rules.syntax import read
from rules.tables.analysis import examine
from rules.tables.compiling import compile_table
from rules.tables.model import HitPolicy, Table
from tests.rulebook import REGISTRY


def table(hit: str, columns: str, *rows: tuple[Any, ...], **more: Any) -> Table:
    written = [{"when": row[:-1], "then": row[-1]} for row in rows]
    return Table.model_validate({"hit": hit, "columns": columns.split(), "rows": written} | more)


def found(made: Table) -> list[tuple[str, str]]:
    return [(one.code, one.pointer) for one in examine(made, REGISTRY.facts).findings]


def test_a_gap_between_two_bounds_is_shown_with_the_value_that_falls_through() -> None:
    made = table("first", "pulse", ({"below": 50}, "yes"), ({"above": 50}, "no"))
    examined = examine(made, REGISTRY.facts)
    assert [gap.facts for gap in examined.gaps] == [{"pulse": 50}]
    assert "pulse = 50" in examined.findings[0].en


def test_between_two_whole_numbers_there_is_no_gap_and_between_two_others_there_is() -> None:
    rows = (({"at_most": 50}, "yes"), ({"at_least": 51}, "no"))
    assert found(table("first", "pulse", *rows)) == []
    gap = examine(table("first", "weight", *rows), REGISTRY.facts).gaps[0]
    assert 50 < gap.facts["weight"] < 51


def test_a_fact_that_may_be_absent_leaves_a_gap_unless_a_row_looks_at_that() -> None:
    made = table("first", "since", ({"present": True}, "yes"))
    assert examine(made, REGISTRY.facts).gaps[0].facts == {}
    assert found(table("first", "since", ({"present": True}, "yes"), ({"present": False}, "no"))) == []


def test_codes_and_dates_have_gaps_too() -> None:
    assert examine(table("first", "ward", ({"in": ["a", "b"]}, "yes")), REGISTRY.facts).gaps[0].facts == {"ward": "c"}
    open_codes = examine(table("first", "diagnosis", ({"is": "I10"}, "yes")), REGISTRY.facts)
    assert open_codes.gaps[0].facts == {"diagnosis": "another code"}
    made = table("first", "patient.born", ({"below": "2000-01-01"}, "yes"), ({"above": "2000-01-01"}, "no"))
    assert examine(made, REGISTRY.facts).gaps[0].facts == {"patient.born": "2000-01-01"}


def test_an_otherwise_leaves_no_gap() -> None:
    assert found(table("first", "pulse", ({"below": 50}, "yes"), otherwise="no")) == []


def test_rows_that_must_not_match_together_are_an_error_with_the_facts_that_match_both() -> None:
    rows = (({"below": 92}, None, "yes"), ({"at_least": 90}, {"is": True}, "no"), (None, {"is": False}, "no"))
    unique = examine(table("unique", "spo2 on", *rows, otherwise="no"), REGISTRY.facts)
    assert set(unique.overlaps) == {(1, 2), (1, 3)}
    assert 90 <= unique.overlaps[1, 2].facts["spo2"] < 92
    assert all(one.refuses for one in unique.findings)
    agreeing = table("any", "spo2 on", *rows, otherwise="no")
    assert set(examine(agreeing, REGISTRY.facts).overlaps) == {(1, 2), (1, 3)}
    assert found(table("any", "spo2 on", *((a, b, "no") for a, b, _ in rows), otherwise="no")) == []


def test_a_row_behind_a_wider_one_never_answers() -> None:
    made = table("first", "pulse on", ({"below": 90}, None, "yes"), ({"below": 50}, {"is": True}, "no"), otherwise="no")
    assert found(made) == [("row-shadowed", "/table/rows/1")]


def test_a_row_behind_several_that_together_leave_nothing_never_answers() -> None:
    made = table(
        "first", "ward on", ({"is": "a"}, None, "yes"), ({"not_in": ["a"]}, None, "no"), (None, {"is": True}, "yes")
    )
    assert found(made) == [("row-shadowed", "/table/rows/2")]


def test_a_row_that_nothing_can_meet_is_named() -> None:
    made = table("first", "pulse", ({"above": 300}, "yes"), (None, "no"), ({"below": 9, "above": 10}, "no"))
    assert ("row-impossible", "/table/rows/0") in found(made)
    assert ("row-impossible", "/table/rows/2") in found(made)


def test_a_table_beyond_the_limit_says_how_far_it_was_examined() -> None:
    rows = [({"below": number}, {"above": number}, {"is": number % 2 == 0}, "yes") for number in range(1, 40)]
    made = table("first", "pulse spo2 on", *rows)
    examined = examine(made, REGISTRY.facts, most=10)
    assert (examined.complete, examined.states, examined.shadowed, examined.impossible) == (False, 10, {}, [])
    assert examined.findings[-1].code == "table-too-wide"
    assert examine(made, REGISTRY.facts).complete


limits = st.integers(0, 6)
range_cells = st.one_of(
    st.none(),
    st.builds(lambda low, high: {"at_least": low, "below": high}, limits, limits),
    st.builds(lambda low: {"above": low}, limits),
    st.builds(lambda one: {"is": one}, limits),
    st.lists(limits, min_size=1, max_size=2).map(lambda several: {"not_in": several}),
)
bool_cells = st.one_of(st.none(), st.booleans().map(lambda value: {"is": value}))


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.tuples(range_cells, bool_cells, st.sampled_from(["yes", "no"])), min_size=1, max_size=4), st.booleans()
)
def test_what_is_said_is_what_trying_every_value_shows(rows: list[tuple[Any, ...]], unique: bool) -> None:
    if all(row[0] is None for row in rows) or all(row[1] is None for row in rows):
        return
    made = table("unique" if unique else "first", "pulse on", *rows)
    tree, _ = read(compile_table(made))
    said = set()
    for pulse in range(9):
        for on in (True, False):
            said.add(answer(tree, {"pulse": pulse, "on": on}))
    examined = examine(made, REGISTRY.facts)
    assert bool(examined.gaps) == ("no-row" in said)
    if unique:
        assert bool(examined.overlaps) == ("rows-disagree" in said)
    for example in (*examined.gaps, *examined.overlaps.values(), *examined.shadowed.values()):
        try:
            got = answer(tree, example.nested)
        except Undecided:
            got = "undecided"
        assert got == "no-row" if example in examined.gaps else got not in {"no-row", "undecided"}


def test_rows_that_look_for_different_codes_meet_in_a_list_that_holds_both() -> None:
    made = table("unique", "flags", ({"has_any": ["a"]}, "yes"), ({"has_any": ["b"]}, "no"), otherwise="no")
    examined = examine(made, REGISTRY.facts)
    assert (examined.overlaps[1, 2].facts, examined.complete) == ({"flags": ["a", "b"]}, True)
    (refused,) = examined.findings
    assert (refused.code, refused.en) == ("rows-overlap", 'Rows 1 and 2 both match flags = ["a", "b"].')
    apart = ({"has_any": ["a"]}, "yes"), ({"has_none": ["a", "b"]}, "no")
    assert found(table("unique", "flags", *apart, otherwise="no")) == []


def test_a_list_that_no_row_takes_is_a_gap_with_its_codes() -> None:
    one = table("first", "flags", ({"has_any": ["a"]}, "yes"), ({"has_any": ["b", "c"]}, "no"))
    assert [gap.facts for gap in examine(one, REGISTRY.facts).gaps] == [{"flags": []}]
    without = table("first", "flags", ({"has_none": ["a"]}, "yes"), ({"has_none": ["b"]}, "no"))
    assert [gap.facts for gap in examine(without, REGISTRY.facts).gaps] == [{"flags": ["a", "b"]}]
    assert found(table("first", "flags", ({"has_none": ["a"]}, "yes"), ({"has_any": ["a"]}, "no"))) == []


def test_a_row_of_a_list_that_earlier_rows_take_wholly_never_answers() -> None:
    rows = ({"has_any": ["a"]}, "yes"), ({"has_none": ["a"]}, "no"), ({"has_any": ["b"]}, "yes")
    assert found(table("first", "flags", *rows)) == [("row-shadowed", "/table/rows/2")]
    assert found(table("first", "flags", ({"has_any": ["d"]}, "yes"), (None, "no"))) == [
        ("row-impossible", "/table/rows/0")
    ]


def test_lists_with_too_many_combinations_are_said_to_be_not_examined_wholly() -> None:
    rows = [({"has_any": [f"code-{number}"]}, "yes") for number in range(40)]
    made = table("unique", "diagnoses", *rows, otherwise="no")
    open_list = REGISTRY.facts["flags"].model_copy(update={"path": "diagnoses", "codes": {}})
    examined = examine(made, {"diagnoses": open_list})
    assert (examined.complete, examined.unexamined, examined.impossible) == (False, ("diagnoses",), [])
    assert examined.overlaps[1, 2].facts == {"diagnoses": ["code-0", "code-1"]}
    told = examined.findings[-1]
    assert (told.code, told.pointer) == ("column-not-examined", "/table/columns/0")
    assert "diagnoses" in told.en
    assert "diagnoses" in told.ko


def test_a_fact_that_is_absent_is_named_in_the_example() -> None:
    (gap,) = examine(table("first", "since", ({"present": True}, "yes")), REGISTRY.facts).findings
    assert gap.en == "No row answers for since = null."


@pytest.mark.parametrize(
    ("low", "high"),
    [
        ({"at_most": "2026-01-01T00:00:00Z"}, {"at_least": "2026-01-01T00:00:05Z"}),
        ({"at_most": "2026-01-01T00:00:00Z"}, {"above": "2026-01-01T00:00:00.500000Z"}),
        ({"below": "2026-01-01T00:00:00Z"}, {"above": "2026-01-01T00:00:00Z"}),
        ({"below": "2026-01-01T00:00:00Z"}, {"below": "2026-01-01T00:00:01.250000Z"}),
    ],
)
def test_a_gap_between_instants_is_shown_by_an_instant(low: dict[str, str], high: dict[str, str]) -> None:
    made = table("first", "at", (low, "yes"), (high, "no"))
    (gap, *_) = examine(made, REGISTRY.facts).gaps
    assert REGISTRY.facts["at"].fits(gap.facts["at"])
    assert answer(read(compile_table(made))[0], gap.nested) == "no-row"


def test_a_fraction_of_a_second_comes_after_the_whole_one() -> None:
    rows = {"at_most": "2026-01-01T00:00:00.500000Z"}, {"above": "2026-01-01T00:00:00Z"}
    assert found(table("first", "at", *((row, "yes") for row in rows))) == []


named = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=2, unique=True)
list_cells = st.one_of(
    st.none(), named.map(lambda codes: {"has_any": codes}), named.map(lambda codes: {"has_none": codes})
)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.tuples(list_cells, bool_cells, st.sampled_from(["yes", "no"])), min_size=1, max_size=5), st.booleans()
)
def test_what_is_said_of_lists_is_what_trying_every_list_shows(rows: list[tuple[Any, ...]], unique: bool) -> None:
    if all(row[0] is None for row in rows) or all(row[1] is None for row in rows):
        return
    made = table("unique" if unique else "first", "flags on", *rows)
    tree, _ = read(compile_table(made))
    every = [list(some) for size in range(4) for some in combinations(["a", "b", "c"], size)]
    said = {answer(tree, {"flags": flags, "on": on}) for flags in every for on in (True, False)}
    examined = examine(made, REGISTRY.facts)
    assert examined.complete
    assert bool(examined.gaps) == ("no-row" in said)
    if unique:
        assert bool(examined.overlaps) == ("rows-disagree" in said)
    for gap in examined.gaps:
        assert answer(tree, gap.nested) == "no-row"
    for overlap in examined.overlaps.values():
        assert answer(tree, overlap.nested) == "rows-disagree"


def test_of_a_table_too_wide_to_walk_every_two_rows_are_tried_all_the_same() -> None:
    codes = [f"code-{number}" for number in range(40)]
    rows = [({"has_any": [code]}, {"is": number % 2 == 0}, "yes") for number, code in enumerate(codes)]
    apart = [({"has_any": ["code-0"], "present": True}, {"is": False}, "no"), ({"has_none": codes}, None, "no")]
    made = table("unique", "diagnoses on", *rows, *apart, otherwise="no")
    open_list = REGISTRY.facts["flags"].model_copy(update={"path": "diagnoses", "codes": {}})
    examined = examine(made, {"diagnoses": open_list, "on": REGISTRY.facts["on"]}, most=1)
    assert not examined.complete
    assert (1, 3) in examined.overlaps  # code-0 and code-2, both where it is on
    assert (1, 2) not in examined.overlaps
    assert all(42 not in pair for pair in examined.overlaps)
    for pair, overlap in examined.overlaps.items():
        alone = Table(hit=HitPolicy.UNIQUE, columns=made.columns, rows=tuple(made.rows[row - 1] for row in pair))
        assert answer(read(compile_table(alone))[0], overlap.nested) == "rows-disagree"
