"""Equal values have equal bytes, different ones do not."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.canonical import canonical_digest, canonical_json, kept_json


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (9007199254740992.0, "9007199254740992"),
        (295147905179352830000.0, "295147905179352830000"),
        (9.999999999999997e22, "9.999999999999997e+22"),
        (1e23, "1e+23"),
        (999999999999999700000.0, "999999999999999700000"),
        (1e21, "1e+21"),
        (9.999999999999997e-7, "9.999999999999997e-7"),
        (0.000001, "0.000001"),
        (333333333.3333332, "333333333.3333332"),
        (-0.0000033333333333333333, "-0.0000033333333333333333"),
        (1424953923781206.25, "1424953923781206.2"),
        (4.50, "4.5"),
        (1.0, "1"),
        (9007199254740993, "9007199254740993"),
        (True, "true"),
        ([], "[]"),
        ({}, "{}"),
        (None, "null"),
        ('€$\u000f\nA\'B"\\\\"/', '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'),
    ],
)
def test_values_are_written_as_the_specification_shows(value: Any, text: str) -> None:
    assert canonical_json(value).decode() == text


def test_members_stand_in_the_order_of_their_utf_16_code_units() -> None:
    unsorted = {"€": 1, "\r": 2, "\ufb33": 3, "1": 4, "😀": 5, "\x80": 6, "ö": 7}
    assert list(json.loads(canonical_json(unsorted)).values()) == [2, 4, 6, 7, 1, 5, 3]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "\ud800", {1: 2}, {1, 2}, b"x"])
def test_what_is_no_json_is_refused(value: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        canonical_json(value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(-1e15, 1e15) | st.text("aé한😀"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("aé한😀"), inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
def test_it_reads_back_as_the_same_value_and_is_its_own_spelling(value: Any) -> None:
    again = json.loads(canonical_json(value))
    assert again == value
    assert canonical_json(again) == canonical_json(value)


def test_the_digest_is_of_the_value_not_of_its_spelling() -> None:
    assert canonical_digest({"a": 1.0, "b": 2}) == canonical_digest({"b": 2, "a": 1})
    assert canonical_digest({"a": 1}) != canonical_digest({"a": "1"})


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"a": math.nan, "b": 1}, {"a": {"not-json": "float"}, "b": 1}),
        ({"a": "\ud800"}, {"a": {"not-json": "str"}}),
        ({"a": [b"x", "y"]}, {"a": [{"not-json": "bytes"}, "y"]}),
        ({"a": {1: 2}}, {"a": {"not-json": "dict"}}),
        ({"a": 1}, {"a": 1}),
    ],
)
def test_what_must_be_kept_is_kept_whatever_it_is(value: Any, kept: Any) -> None:
    assert json.loads(kept_json(value)) == kept


def test_what_is_nested_without_end_is_kept_as_far_as_one_reads() -> None:
    kept = kept_json({"a": deep(50_000), "b": 1})
    assert b'{"not-json":"list"}' in kept
    assert kept.endswith(b'"b":1}')
