"""No text and no resource makes the engine do other than answer or refuse."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.fhirpath import parse
from domain.fhirpath.functions import FUNCTIONS

LANGUAGE = """is as ofType sort name given value Patient Quantity System FHIR $this $index $total %resource %context
    %ucum %`vs-x` 'a' '\\u0041' '' 1 0 2.50 @2015 @2015-02-03T10:00:00Z @T10:30 true false {} ( ) [ ] . , + - * / & |
    = ~ != !~ < > <= >= and or xor implies in contains div mod `x` // /* */ \\"""
WORDS = st.sampled_from([*FUNCTIONS, *LANGUAGE.split(), "1 'mg'", "3 days"])
SENTENCES = st.lists(WORDS, max_size=25).map(" ".join)
OPERATORS = st.sampled_from(["+", "-", "*", "/", "div", "mod", "&", "|", "=", "~", "<", ">=", "and", "implies", "in"])
CALLS = st.recursive(
    st.sampled_from(
        ["name", "$this", "1", "'a'", "2.5", "{}", "@2015-02", "5 'mg'", "value", "(1|2)", "birthDate", "'[a'", "-1"]
    ),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(sorted(FUNCTIONS)), st.lists(inner, max_size=2)).map(
            lambda parts: f"({parts[0]}).{parts[1]}({','.join(parts[2])})"
        ),
        st.tuples(
            inner,
            st.sampled_from(
                [
                    "+",
                    "-",
                    "*",
                    "/",
                    "div",
                    "mod",
                    "&",
                    "|",
                    "=",
                    "~",
                    "<",
                    ">=",
                    "and",
                    "xor",
                    "implies",
                    "in",
                    "contains",
                ]
            ),
            inner,
        ).map(lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"),
    ),
    max_leaves=6,
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals()
    | st.text(max_size=5)
    | st.sampled_from(["2015-02-03", "Patient", "#a"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "resourceType",
                    "name",
                    "given",
                    "_given",
                    "value",
                    "code",
                    "unit",
                    "birthDate",
                    "_birthDate",
                    "extension",
                    "url",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def answered_or_refused(text: str, resource: Any) -> None:
    try:
        expression = parse(text)
        for node in expression.nodes(resource, now=NOW, steps=20_000):
            assert node.system is None or str(node.system) is not None
        expression.located(resource, now=NOW, steps=20_000)
        expression.check("Patient")
    except Invalid as invalid:
        assert_located(invalid)


def assert_located(invalid: Invalid) -> None:
    assert str(invalid).startswith("FHIRPath")


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    answered_or_refused(text, {"resourceType": "Patient"})


@settings(deadline=None)
@given(SENTENCES)
def test_any_row_of_words_is_an_expression_or_refused(text: str) -> None:
    answered_or_refused(text, {"resourceType": "Patient", "name": [{"given": ["A"]}]})


@settings(max_examples=300, deadline=None)
@given(CALLS, JSON)
def test_any_call_on_anything_is_answered_or_refused(text: str, content: Any) -> None:
    resource = {"resourceType": "Patient", "name": content, "birthDate": "1974-12-25", "value": Decimal("1.50")}
    answered_or_refused(text, resource)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["resourceType", "name", "contained", "birthDate", "_birthDate"]), JSON))
def test_any_json_is_walked(resource: dict[str, Any]) -> None:
    answered_or_refused("descendants().distinct()", resource)
