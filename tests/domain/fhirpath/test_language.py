"""What a FHIRPath text means, beside HL7's own cases: words, precedence, refusals with their place, bounds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from domain.errors import Invalid
from domain.fhirpath import Expression, Quantity, parse


def result(text: str, **variables: Any) -> list[Any]:
    return parse(text).evaluate({}, variables=variables)


def refusal(text: str, **variables: Any) -> Invalid:
    with pytest.raises(Invalid) as caught:
        result(text, **variables)
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3 - 4", [3]),
        ("-1 + 2", [1]),
        ("2 * -3", [-6]),
        ("1 | 2 | 2", [1, 2]),
        ("true or false and false", [True]),
        ("false implies false or true", [True]),
        ("1 is Integer and 'a' is String", [True]),
        ("(1 | 2) contains 2 = true", [False]),  # `=` binds tighter
        ("7 div 2 + 7 mod 2", [4]),
        ("'a' & {} & 'b'", ["ab"]),
        ("10 / 4", [Decimal("2.5")]),
        ("'\\u00e9\\t\\'\\\\'", ["é\t'\\"]),
        ("'\\uD83D\\uDE00'.length()", [1]),
        ("%`a b`", [5]),
        ("%'a b'", [5]),
        ("1 // the rest is a comment", [1]),
        ("{}", []),
    ],
)
def test_operators_bind_as_the_specification_says(text: str, expected: list[Any]) -> None:
    assert result(text, **{"a b": 5}) == expected


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0),
        ("1 +", 3),
        ("name.", 5),
        ("name..given", 5),
        ("(1", 2),
        ("1 2", 2),
        ("name[0", 6),
        ("'open", 0),
        ("1 /* open", 2),
        ("name.nonsense()", 5),
        ("name.where()", 5),
        ("1 is Nonsense", 2),
        ("'a\\q'", 2),
        ("'\\uD83D'", 0),
        ("@2015-13", 0),
        ("@2015-02-30", 0),
        ("@T25:00", 0),
        ("2147483648", 0),
        ("%unknown", 0),
        ("$index", 0),
        ("1 + 'a'", 2),
        ("'a' < 1", 4),
        ("true < false", 5),
        ("(1 | 2) + 1", 8),
        ("1.single().name.now()", 16),
    ],
)
def test_a_refusal_says_where(text: str, position: int) -> None:
    invalid = refusal(text)
    assert invalid.params["position"] == str(position)
    assert f"character {position + 1}" in str(invalid)


def test_a_refusal_never_quotes_a_value() -> None:
    assert "900101" not in str(refusal("identifier.where(value = '900101-1234567' +)"))
    assert "900101" not in str(refusal("'900101-1234567' + 1"))


@pytest.mark.parametrize(
    "text",
    [
        "(" * 1000 + "1" + ")" * 1000,
        "-" * 1000 + "1",
        "a" + ".where(true)" * 2000,
        "1" + " + 1" * 5000,
        "a.where(" * 100 + "true" + ")" * 100,
        "a" * 70_000,
        "9" * 5000,
        "'" + "a" * 70_000 + "'",
    ],
)
def test_what_is_too_long_or_too_deep_is_refused(text: str) -> None:
    refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "%many.select(%many.select(%many))",
        "%many.where(%many.exists($this = 1))",
        "%many.repeat($this + 1)",
        "'aaaaaaaaaa'" + ".replace('a', 'aaaaaaaaaa')" * 12,
        "%many.repeat($this | ($this + 1))",
    ],
)
def test_an_evaluation_ends(text: str) -> None:
    refusal(text, many=list(range(2000)))


def test_numbers_keep_their_digits_and_overflow_to_nothing() -> None:
    assert str(result("72.50")[0]) == "72.50"
    assert str(result("72.50 + 0.00")[0]) == "72.50"
    assert result("0.1 + 0.2 = 0.3") == [True]
    assert result("2147483647 + 1") == []
    assert result("(-2147483647 - 1).abs()") == []
    assert result("10.power(400)") == []
    assert result("1000.exp()") == []
    assert result("%x.toString()", x=Decimal("1e999999999")) == []  # a gigabyte of zeros


def test_a_short_circuit_leaves_the_other_side_alone() -> None:
    assert result("false and (1 | 2).single()") == [False]
    assert result("true or (1 | 2).single()") == [True]
    assert result("false implies (1 | 2).single()") == [True]
    assert result("iif(true, 1, (1 | 2).single())") == [1]


def test_functions_set_this_index_and_total_for_their_arguments_only() -> None:
    assert result("(5 | 6 | 7).where($index = 1)") == [6]
    assert result("(5 | 6).select($this + (1 | 2).select($this * 10).first())") == [15, 16]
    assert result("(1 | 2 | 3).aggregate($total + $this, 0)") == [6]
    assert result("(1 | 2).defineVariable('x', 10).select($this + %x)") == [11, 12]


def test_sort_takes_several_keys_and_puts_what_has_none_last() -> None:
    assert result("('b' | 'a' | 'c').sort(-$this)") == ["c", "b", "a"]
    assert result("('bb' | 'a' | 'cc' | 'd').sort(-length(), $this)") == ["bb", "cc", "a", "d"]
    refusal("(1 | 'a').sort()")


def test_quantities_are_read_compared_and_calculated() -> None:
    assert result("'4 days'.toQuantity()") == [Quantity(Decimal(4), "day", calendar=True)]
    assert result("1 'kg' + 500 'g' = 1.5 'kg'") == [True]
    assert result("1 'kg' + 1 'm'") == []
    assert result("1 'kg' > 1 'm'") == []
    assert result("37 'Cel' = 98.6 '[degF]'") == [True]
    assert result("1 year > 300 days") == []
    assert result("5 'mg' / 2 'mL' = 2.5 'mg/mL'") == [True]
    assert result("2 * 3 'mg' = 6 'mg'") == [True]
    assert result("1 'g'.toQuantity('mg').toString()") == ["1000 'mg'"]
    assert result("1 'frobs' = 1 'frobs'") == [True]


def test_an_expression_is_parsed_once() -> None:
    assert parse("name.given") is parse("name.given")
    assert repr(parse("name.given")) == "<FHIRPath of 10 characters>"
    assert isinstance(parse("1"), Expression)
