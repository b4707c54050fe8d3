"""Conditions, numbers and facts at random, of all that the profile writes and the small rule book declares."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import strategies as st

from rules.facts import nested

small = st.integers(-50, 150)
numbers = small | st.sampled_from([0.5, 0.1, -2.25, 91.9, 1e6])
ward_codes = st.sampled_from(["a", "b", "c"])
days = st.dates(min_value=date(2024, 1, 1), max_value=date(2026, 12, 31))
instants = st.sampled_from(
    ["2026-01-01T00:00:00Z", "2026-01-01T12:30:00Z", "2025-06-01T00:00:00Z", "2026-01-01T00:00:00.500000Z"]
)


def var(path: str) -> dict[str, Any]:
    return {"var": path}


def op(name: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(*arguments).map(lambda given: {name: list(given)})


def ops(names: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(*(op(name, *arguments) for name in names.split()))


def numeric(inner: st.SearchStrategy[Any], conditions: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    total = {"+": [{"var": "accumulator"}, {"length": [[1, 2]]}]}
    return st.one_of(
        ops("+ - * / % min max", inner, inner),
        ops("abs ceil floor -", inner),
        op("+", inner, inner, inner),
        op("if", conditions, inner, inner),
        st.builds(lambda a: {"reduce": [var("lines"), total, a]}, st.just(0)),
        st.builds(lambda a, b, c: {"switch": [var("ward"), [["a", a], ["b", b]], c]}, inner, inner, inner),
    )


plain_numbers = st.recursive(
    numbers
    | st.just({"*": [{"/": [var("spo2"), {"max": [var("spo2"), 7]}]}, 1]})
    | st.just({"length": [var("flags")]}),
    lambda inner: numeric(inner, st.booleans()),
    max_leaves=6,
)
# Units keep facts apart, so each is brought to a plain number by dividing it by one of its kind.
unitless = plain_numbers | st.sampled_from(["spo2", "pulse", "weight", "bill"]).map(
    lambda name: {"/": [var(name), {"max": [var(name), 7]}]}
)
leaves = st.one_of(
    st.just(var("on")),
    st.booleans(),
    ops("< <= > >= == != === !==", st.just(var("spo2")), numbers),
    ops("< <=", numbers, st.just(var("pulse")), numbers),
    ops("< > ==", st.just(var("bill")), small),
    ops("== !=", st.just(var("ward")), ward_codes),
    ops("==", st.just(var("diagnosis")), st.sampled_from(["I10", "E11.9"])),
    op("in", st.just(var("ward")), st.lists(ward_codes, min_size=1, max_size=3)),
    op("in", ward_codes, st.just(var("flags"))),
    ops("< <= > >= ==", st.just(var("patient.born")), days.map(str)),
    ops("< <= > >= ==", st.just(var("at")), instants),
    ops("< >=", st.just({"date_diff": [var("at"), "2026-01-01T06:00:00Z", "hours"]}), small),
    ops("<", st.just({"date_diff": [var("at"), {"parse_date": [var("patient.born"), "yyyy-MM-dd"]}, "days"]}), small),
    st.just({"exists": ["since"]}),
    st.just({"exists": ["patient", "born"]}),
    ops("<", st.just({"var": ["score", 3]}), small),
    ops(">", st.just({"??": [{"var": ["score", None]}, 4]}), small),
    ops(">", st.just({"length": [{"missing": ["spo2", "patient.born", "ward"]}]}), small),
    ops("starts_with ends_with", st.just(var("diagnosis")), st.sampled_from(["I", "E11", "0"])),
    ops("some all none", st.just(var("flags")), op("==", st.just(var("")), ward_codes)),
    ops("some all none", st.just(var("lines")), ops("< >", st.just(var("won")), small)),
    ops(
        ">",
        st.just({"reduce": [var("lines"), {"+": [var("accumulator"), var("current.won")]}, 0]}),
        small,
    ),
    ops(
        ">=",
        op("length", op("filter", st.just(var("lines")), op("==", st.just(var("kind")), st.just("drug")))),
        st.integers(0, 3),
    ),
    ops("< <= == !=", unitless, unitless),
)
conditions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        op("and", inner, inner), op("or", inner, inner, inner), op("!", inner), op("if", inner, inner, inner)
    ),
    max_leaves=8,
)
_values: dict[str, st.SearchStrategy[Any]] = {
    "spo2": st.integers(0, 100) | st.sampled_from([91.9, 92.0, 0.1]),
    "pulse": st.integers(0, 300),
    "weight": st.sampled_from([0, 3.4, 70]),
    "bill": st.integers(-100, 10**9),
    "on": st.booleans(),
    "ward": ward_codes,
    "diagnosis": st.sampled_from(["I10", "E11.9", "E110"]),
    "flags": st.lists(ward_codes, max_size=3),
    "patient.born": days.map(str),
    "at": instants | st.just("2026-01-01T09:00:00+09:00"),
    "since": instants,
    "score": st.integers(0, 9),
    "lines": st.lists(st.fixed_dictionaries({"kind": st.sampled_from(["drug", "test"]), "won": small}), max_size=3),
}
maybe_facts = st.fixed_dictionaries({}, optional=_values).map(nested)
all_facts = st.fixed_dictionaries(_values)
"""By path, none absent."""
