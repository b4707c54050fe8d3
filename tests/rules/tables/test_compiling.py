"""Tables and trees compile to JSONLogic that decides as they say, and come back as they were."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import RuleUnusable
from rules.document import load
from rules.engine import RuleEngine, Why
from rules.tables.compiling import compile_table, decompile_table
from rules.tables.model import HitPolicy, Table
from rules.trees import Question, compile_tree, decompile_tree, normal
from tests.rulebook import REGISTRY, raw

ENGINE = RuleEngine(REGISTRY)
FIVE = {key: {"values": {}, "text": {"ko": key, "en": key}} for key in ("yes", "no", "low", "mid", "high")}


def table(hit: str, *rows: tuple[Any, ...], columns: str = "pulse on", **more: Any) -> Table:
    written = [{"when": row[:-1], "then": row[-1]} if row[-1] is not None else {"when": row[:-1]} for row in rows]
    return Table.model_validate({"hit": hit, "columns": columns.split(), "rows": written} | more)


def decide(made: Table, **facts: Any) -> Any:
    point = "how-much" if made.hit.numeric else "which" if made.hit.many else "yes-or-no"
    written = made.model_dump(mode="json", by_alias=True, exclude_unset=True)
    document = load(
        raw(compile_table(made), table=written, decision_point=point, outcomes=FIVE, facts=list(made.columns))
    )
    evaluated = ENGINE.evaluate(document, facts)
    if evaluated.indeterminate:
        return evaluated.reason
    return evaluated.number if made.hit.numeric else evaluated.outcomes if made.hit.many else evaluated.outcome


FAST, ON, OFF = {"above": 100}, {"is": True}, {"is": False}
SLOW = {"below": 50}


@pytest.mark.parametrize(
    ("hit", "rows", "more", "facts", "answer"),
    [
        ("first", [(FAST, None, "high"), (None, ON, "mid")], {}, (101, True), "high"),
        ("first", [(FAST, None, "high"), (None, ON, "mid")], {}, (100, True), "mid"),
        ("first", [(FAST, None, "high"), (None, ON, "mid")], {}, (100, False), Why.NO_ROW),
        ("first", [(FAST, None, "high"), (None, ON, "mid")], {"otherwise": "low"}, (100, False), "low"),
        ("unique", [(FAST, None, "high"), (None, ON, "mid")], {}, (101, False), "high"),
        ("unique", [(FAST, None, "high"), (None, ON, "mid")], {}, (101, True), Why.ROWS_DISAGREE),
        ("unique", [(FAST, None, "high"), (None, ON, "mid")], {}, (99, False), Why.NO_ROW),
        ("unique", [(FAST, None, "high"), (None, ON, "mid")], {"otherwise": "low"}, (99, False), "low"),
        ("any", [(FAST, None, "high"), (None, ON, "high")], {}, (101, True), "high"),
        ("any", [(FAST, None, "high"), (None, ON, "mid")], {}, (101, True), Why.ROWS_DISAGREE),
        ("any", [(FAST, None, "high"), (None, ON, "high")], {}, (1, False), Why.NO_ROW),
        ("priority", [(FAST, None, "mid"), (None, ON, "high")], {"priorities": ["high", "mid"]}, (101, True), "high"),
        ("priority", [(FAST, None, "mid"), (None, ON, "high")], {"priorities": ["mid", "high"]}, (101, True), "mid"),
        ("priority", [(FAST, None, "mid"), (None, ON, "high")], {"priorities": ["mid", "high"]}, (1, True), "high"),
        (
            "priority",
            [(FAST, None, "mid"), (None, ON, "high")],
            {"priorities": ["mid", "high"], "otherwise": "no"},
            (1, False),
            "no",
        ),
        ("priority", [(FAST, None, "mid"), (None, ON, "mid")], {"priorities": ["mid"]}, (1, False), Why.NO_ROW),
        (
            "rule-order",
            [(FAST, None, "mid"), (None, ON, "high"), (None, None, "mid")],
            {},
            (101, True),
            ("mid", "high", "mid"),
        ),
        ("rule-order", [(FAST, None, "mid"), (None, ON, "high")], {}, (1, False), ()),
        ("collect", [(FAST, None, "mid"), (None, ON, "high"), (None, None, "mid")], {}, (101, True), ("mid", "high")),
        ("collect", [(FAST, None, "mid"), (None, ON, "high")], {}, (1, False), ()),
        ("collect-sum", [(FAST, None, 3), (None, ON, 0.5)], {}, (101, True), 3.5),
        ("collect-sum", [(FAST, None, 3), (None, ON, 0.5)], {}, (1, False), 0),
        ("collect-sum", [(FAST, None, 2**53 - 2), (None, ON, 2**53 - 2)], {}, (101, True), Why.ERROR),
        ("collect-count", [(FAST, None, None), (None, ON, None)], {}, (101, True), 2),
        ("collect-count", [(FAST, None, None), (None, ON, None)], {}, (1, False), 0),
        ("collect-min", [(FAST, None, 3), (None, ON, -2)], {}, (101, True), -2),
        ("collect-max", [(FAST, None, 3), (None, ON, -2)], {}, (101, True), 3),
        ("collect-max", [(FAST, None, 3), (None, ON, -2)], {}, (1, False), Why.NO_ROW),
        ("collect-min", [(FAST, None, 3), (None, ON, -2)], {"otherwise": 7}, (1, False), 7),
    ],
)
def test_a_hit_policy_decides_which_rows_answer(hit: str, rows: Any, more: Any, facts: Any, answer: Any) -> None:
    assert decide(table(hit, *rows, **more), pulse=facts[0], on=facts[1]) == answer


@pytest.mark.parametrize(
    ("column", "cell", "meets", "fails"),
    [
        ("ward", {"is": "a"}, "a", "b"),
        ("ward", {"in": ["a", "b"]}, "b", "c"),
        ("ward", {"not_in": ["a", "b"]}, "c", "b"),
        ("pulse", {"at_least": 50, "below": 100}, 50, 100),
        ("pulse", {"above": 50, "at_most": 100}, 100, 50),
        ("pulse", {"is": 0}, 0, 1),
        ("on", {"is": False}, False, True),
        ("flags", {"has_any": ["a", "b"]}, ["b", "c"], ["c"]),
        ("flags", {"has_none": ["a"]}, [], ["a", "b"]),
        ("since", {"present": True}, "2026-01-01T00:00:00Z", None),
        ("since", {"present": False}, None, "2026-01-01T00:00:00Z"),
        ("since", {"present": True, "at_least": "2026-01-01T00:00:00Z"}, "2026-01-01T09:00:00+09:00", None),
        ("patient.born", {"at_least": "2000-01-01"}, "2000-01-01", "1999-12-31"),
    ],
)
def test_a_cell_is_met_on_one_side_and_not_on_the_other(column: str, cell: Any, meets: Any, fails: Any) -> None:
    made = table("first", (cell, "yes"), columns=column, otherwise="no")
    for value, answer in ((meets, "yes"), (fails, "no")):
        facts = {"patient": {"born": value}} if column == "patient.born" else {column: value}
        assert decide(made, **facts) == answer


@pytest.mark.parametrize(
    "wrong",
    [
        {"hit": "first", "columns": ["on"], "rows": []},
        {"hit": "first", "columns": [], "rows": [{"when": [], "then": "yes"}]},
        {"hit": "first", "columns": ["on", "on"], "rows": [{"when": [ON, ON], "then": "yes"}]},
        {"hit": "first", "columns": ["on"], "rows": [{"when": [ON, ON], "then": "yes"}]},
        {"hit": "first", "columns": ["on"], "rows": [{"when": [None], "then": "yes"}]},
        {"hit": "first", "columns": ["on"], "rows": [{"when": [ON], "then": 3}]},
        {"hit": "first", "columns": ["on"], "rows": [{"when": [ON]}]},
        {"hit": "collect-sum", "columns": ["on"], "rows": [{"when": [ON], "then": "yes"}]},
        {"hit": "collect-sum", "columns": ["on"], "rows": [{"when": [ON], "then": 1}], "otherwise": 2},
        {"hit": "collect-count", "columns": ["on"], "rows": [{"when": [ON], "then": 1}]},
        {"hit": "collect-min", "columns": ["on"], "rows": [{"when": [ON], "then": 2**53 - 1}]},
        {"hit": "priority", "columns": ["on"], "rows": [{"when": [ON], "then": "yes"}]},
        {"hit": "priority", "columns": ["on"], "rows": [{"when": [ON], "then": "yes"}], "priorities": ["no"]},
        {"hit": "first", "columns": ["on"], "rows": [{"when": [ON], "then": "yes"}], "priorities": ["yes"]},
        {"hit": "first", "columns": ["on"], "rows": [{"when": [{}], "then": "yes"}]},
        {"hit": "first", "columns": ["on"], "rows": [{"when": [{"is": True, "in": [True]}], "then": "yes"}]},
        {"hit": "first", "columns": ["on"], "rows": [{"when": [{"in": []}], "then": "yes"}]},
        {"hit": "first", "columns": ["pulse"], "rows": [{"when": [{"above": 1, "at_least": 1}], "then": "yes"}]},
        {"hit": "first", "columns": ["pulse"], "rows": [{"when": [{"present": False, "above": 1}], "then": "yes"}]},
    ],
)
def test_what_is_no_table_is_refused(wrong: Any) -> None:
    with pytest.raises(RuleUnusable):
        load(raw("no", table=wrong))


values = st.integers(-5, 5) | st.sampled_from(["a", "b", "2026-01-01"]) | st.booleans() | st.sampled_from([0.5, -2.5])
cells = st.one_of(
    st.builds(lambda value: {"is": value}, values),
    st.builds(lambda several: {"in": several}, st.lists(values, min_size=1, max_size=3)),
    st.builds(lambda several: {"not_in": several}, st.lists(values, min_size=1, max_size=3)),
    st.builds(lambda name, value: {name: value}, st.sampled_from(["above", "at_least", "below", "at_most"]), values),
    st.builds(
        lambda low, high, a, b: {low: a, high: b},
        st.sampled_from(["above", "at_least"]),
        st.sampled_from(["below", "at_most"]),
        values,
        values,
    ),
    st.builds(lambda several: {"has_any": several}, st.lists(st.sampled_from("abc"), min_size=1, max_size=2)),
    st.builds(lambda several: {"has_none": several}, st.lists(st.sampled_from("abc"), min_size=1, max_size=2)),
    st.booleans().map(lambda there: {"present": there}),
    values.map(lambda value: {"present": True, "is": value}),
)
keys = st.sampled_from(["yes", "no", "low", "mid", "high"])


@st.composite
def tables(draw: st.DrawFn) -> Table:
    hit = draw(st.sampled_from(HitPolicy))
    columns = draw(
        st.lists(st.sampled_from(["on", "pulse", "patient.born", "ward"]), min_size=1, max_size=3, unique=True)
    )
    thens = st.none() if hit is HitPolicy.COUNT else st.integers(-9, 9) | st.just(0.5) if hit.numeric else keys
    rows = [
        {"when": [draw(st.none() | cells) for _ in columns]} | ({} if (then := draw(thens)) is None else {"then": then})
        for _ in range(draw(st.integers(1, 4)))
    ]
    for place in range(len(columns)):
        rows[0]["when"][place] = rows[0]["when"][place] or draw(cells)
    written: dict[str, Any] = {"hit": hit.value, "columns": columns, "rows": rows}
    if hit not in {HitPolicy.RULE_ORDER, HitPolicy.COLLECT, HitPolicy.SUM, HitPolicy.COUNT} and draw(st.booleans()):
        written["otherwise"] = draw(thens)
    if hit is HitPolicy.PRIORITY:
        written["priorities"] = draw(st.permutations(["yes", "no", "low", "mid", "high"]))
    return Table.model_validate(written)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(tables())
def test_a_table_comes_back_from_its_logic_as_it_was(made: Table) -> None:
    assert decompile_table(compile_table(made)) == made


leaves = st.builds(
    lambda fact, cell: {"fact": fact, "cell": cell}, st.sampled_from(["on", "pulse", "patient.born"]), cells
)
tree_conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: {"all": parts}),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: {"any": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=5,
)
trees = st.recursive(
    keys,
    lambda inner: st.builds(
        lambda when, then, otherwise: {"when": when, "then": then, "otherwise": otherwise},
        tree_conditions,
        inner,
        inner,
    ),
    max_leaves=5,
).filter(lambda tree: isinstance(tree, dict))


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(trees)
def test_a_tree_comes_back_in_its_normal_form_and_means_the_same(written: Any) -> None:
    tree = Question.model_validate(written)
    plain = normal(tree)
    assert decompile_tree(compile_tree(plain)) == plain
    assert compile_tree(plain) == compile_tree(tree)


@pytest.mark.parametrize(
    "logic",
    [
        {"if": [{"==": [1, 1]}, "yes", "no"]},
        {"merge": []},
        {"+": [1, 2]},
        {"reduce": [[], {"var": "current"}, 0]},
        "yes",
        None,
        {"if": [{"and": [{"==": [{"var": "a"}, 1]}, {"==": [{"var": "b"}, 1]}]}, "yes", "no", "x"]},
        {"if": [{"and": [True]}, "yes", "no"]},
    ],
)
def test_logic_that_no_table_makes_is_no_table(logic: Any) -> None:
    assert decompile_table(logic) is None


def test_logic_that_no_tree_makes_is_no_tree() -> None:
    for logic in ({"if": [{"<": [{"+": [{"var": "pulse"}, 1]}, 3]}, "yes", "no"]}, {"if": ["yes", "no"]}, 3):
        assert decompile_tree(logic) is None
