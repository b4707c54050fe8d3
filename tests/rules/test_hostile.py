"""Documents made to stall or to crash: each is answered, with findings that are few enough to read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.checking.checker import check
from rules.document import load
from rules.engine import RuleEngine
from rules.explaining import explain
from rules.findings import MOST_FINDINGS
from rules.language import KEPT_OUT, OPERATORS, looks_like_time
from rules.tables.compiling import compile_table
from rules.tables.model import Table
from tests.rulebook import REGISTRY, raw, yes_if


def v(path: str) -> dict[str, str]:
    return {"var": path}


def nested_not(depth: int) -> Any:
    logic: Any = v("on")
    for _ in range(depth):
        logic = {"!": logic}
    return logic


@pytest.mark.parametrize(
    ("condition", "first"),
    [
        ({"in": [v("weight"), list(range(4_900))]}, None),
        ({"!": [{"in": [v("weight"), list(range(4_900))]}]}, None),
        ({"or": [{"==": [v("weight"), number]} for number in range(700)]}, None),
        ({"or": [{"==": [v("diagnosis"), f"X{number}"]} for number in range(700)]}, None),
        ({"and": [{f"opp{number}": [1]} for number in range(1_600)]}, "unknown-operator"),
        ({"and": [v(f"spo{number}") for number in range(1_600)]}, "unknown-fact"),
        ({"x" * 200_000: [1]}, "unknown-operator"),
        (v("x" * 200_000), "unknown-fact"),
        (nested_not(55), None),
        (nested_not(70), "too-deep"),
        ({"in": [v("weight"), list(range(5_000))]}, "too-many-nodes"),
        ({"==": [v("diagnosis"), "X" * 256 * 1024]}, "too-large"),
    ],
)
def test_a_condition_that_is_large_in_its_own_way_is_answered(condition: Any, first: str | None) -> None:
    found = check(raw(yes_if(condition)), REGISTRY)
    refusing = [one.code for one in found if one.refuses]
    assert refusing[:1] == ([first] if first else [])
    assert len(refusing) <= MOST_FINDINGS


def test_a_long_chain_of_points_is_followed() -> None:
    chain = [part for number in range(800) for part in ({"==": [v("weight"), number]}, "yes")]
    assert not any(one.refuses for one in check(raw({"if": [*chain, "no"]}), REGISTRY))


@pytest.mark.parametrize(("hit", "columns"), [("first", 1), ("first", 3), ("unique", 3), ("any", 2)])
def test_a_table_of_hundreds_of_overlapping_rows_is_examined_as_far_as_it_goes(hit: str, columns: int) -> None:
    facts = ["weight", "spo2", "pulse"][:columns]
    rows = [
        {"when": [{"at_least": number * (place + 7) % 97} for place in range(columns)], "then": "yes"}
        for number in range(400)
    ]
    written = {"hit": hit, "columns": facts, "rows": rows, "otherwise": "no"}
    document = raw(compile_table(Table.model_validate(written)), table=written, facts=facts)
    codes = {one.code for one in check(document, REGISTRY)}
    assert ("rows-overlap" in codes) == (hit == "unique")
    assert "form-differs" not in codes


@pytest.mark.parametrize("text", ["1d" + " " * 200_000 + "x", "1" * 200_000, "1d:" * 70_000 + "x", "1 " * 100_000])
def test_a_long_text_is_told_from_a_time_in_one_pass(text: str) -> None:
    assert not looks_like_time(text)


@pytest.mark.parametrize("text", ["1d", "24h", "90m", "1d:2h", "1d:0h:0m:0s", "-1d", "01d", "2026-01-01T00:00:00Z"])
def test_what_the_evaluator_takes_for_a_time_is_known_as_one(text: str) -> None:
    assert looks_like_time(text)


@pytest.mark.parametrize("text", ["I10", "2823-3", "E11.9", "3024", "1119349007", "EU/1/20/1528", "stat", "4f2a"])
def test_a_code_of_the_usual_systems_is_none(text: str) -> None:
    assert not looks_like_time(text)


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from([0.5, 1e300, 2**70, "yes", "no", "a", "1d", "", "spo2", "current", "patient.born", "days"]),
)
paths = st.sampled_from(
    ["spo2", "on", "ward", "flags", "lines", "at", "since", "score", "", "kind", "current.won", "a..b"]
)
anything = st.recursive(
    scalars | paths.map(lambda path: {"var": path}) | paths.map(lambda path: {"var": [path, 1]}),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.builds(
            lambda name, given: {name: given},
            st.sampled_from([*OPERATORS, *KEPT_OUT, "?:", "nonsense"]),
            inner | st.lists(inner, max_size=4),
        ),
        st.dictionaries(st.sampled_from(["if", "and", "x"]), inner, max_size=2),
    ),
    max_leaves=12,
)
facts = st.dictionaries(
    st.sampled_from(["spo2", "on", "ward", "flags", "lines", "at", "since", "score", "patient"]),
    st.recursive(
        scalars, lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["kind", "won", "born"]), inner)
    ),
)
ENGINE = RuleEngine(REGISTRY)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(anything, facts, st.sampled_from(["yes-or-no", "which", "how-much"]))
def test_whatever_is_written_is_told_or_evaluated(logic: Any, given_facts: dict[str, Any], point: str) -> None:
    for written in (logic, yes_if(logic)):
        document = raw(written, decision_point=point)
        if not any(one.refuses for one in check(document, REGISTRY)):
            rule = load(document)
            assert ENGINE.evaluate(rule, given_facts) is not None
            assert explain(ENGINE, rule, given_facts, "ko").answer
