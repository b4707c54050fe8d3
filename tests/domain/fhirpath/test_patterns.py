"""Regular expressions: as Python's on what both read, never slow, refused where an automaton cannot do it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.fhirpath import parse
from domain.fhirpath.patterns import compiled, replaced

PATTERNS = st.recursive(
    st.sampled_from(["a", "b", "c", ".", "[ab]", "[^a]", r"\d", r"\w", r"\S", "^", "$", "[a-c-]", r"\."]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda both: f"(?:{both[0]}|{both[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{0,2}", "{1,}", "*?"])).map(
            lambda both: f"({both[0]}){both[1]}"
        ),
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(PATTERNS, st.text("abc1.\n-", max_size=8))
def test_it_finds_what_python_finds(pattern: str, text: str) -> None:
    # Python's `$` also stands before a last new line, FHIRPath's does not.
    theirs = re.search(pattern.replace("$", r"\Z"), text, re.DOTALL) is not None
    assert compiled(pattern).found_in(text) is theirs


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("(a+)+$", "a" * 50_000 + "b"),
        ("(a|aa)+$", "a" * 50_000 + "b"),
        ("(.*)*x", "a" * 50_000),
        ("^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 50_000),
    ],
)
def test_a_pattern_made_to_be_slow_is_not(pattern: str, text: str) -> None:
    assert compiled(pattern).found_in(text) is False


MALFORMED = ["(", ")", "a)|(b", "[", "[b-a]", "*", "a{2", "a{3,2}", "a**(" + "(" * 50]
BEYOND_AN_AUTOMATON = ["(?=a)", "(?<!a)b", r"(a)\1", r"\p{L}"]
TOO_LARGE = ["a{9999}", "((a{100}){100}){100}", "((){1000}){1000}", "a" * 5000]


@pytest.mark.parametrize("pattern", [*MALFORMED, *BEYOND_AN_AUTOMATON, *TOO_LARGE])
def test_what_cannot_be_read_or_would_grow_is_refused(pattern: str) -> None:
    with pytest.raises(Invalid):
        compiled(pattern)


def test_the_whole_text_is_matched_when_asked() -> None:
    assert parse("'ab'.matchesFull('a')").evaluate({}) == [False]
    assert parse("'ab'.matchesFull('a|ab')").evaluate({}) == [True]
    with pytest.raises(Invalid):
        parse("'ab'.matchesFull('a)|(b')").evaluate({})


def test_groups_stand_in_the_replacement() -> None:
    assert replaced("11/30/1972", r"([0-9]{2})/([0-9]{2})/([0-9]{4})", "$2-$1-$3") == "30-11-1972"
    assert replaced("a.b", r"\.", "$0$0") == "a..b"
    for pattern, new in (("(a+)+", "x"), ("a*b*", "x"), ("a", "$1")):
        with pytest.raises(Invalid):
            replaced("aaab", pattern, new)
