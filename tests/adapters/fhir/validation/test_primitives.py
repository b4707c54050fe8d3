"""Primitive types, on both sides of each border, by Python's patterns and by the schema's."""

from __future__ import annotations

import calendar
from decimal import Decimal
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator, RegexOptions

from adapters.fhir.validation import narrative, primitives
from adapters.fhir.validation.keywords import KEYWORDS

RIGHT: dict[str, list[Any]] = {
    "boolean": [True, False],
    "integer": [0, -2147483648, 2147483647],
    "unsignedInt": [0],
    "positiveInt": [1],
    "decimal": [0, 1, Decimal("72.50"), Decimal("-1E+10")],
    "string": ["a", " ", "\t\r\n", "한글 😀", "a" * 1_048_576],
    "markdown": ["# a\n\n- b"],
    "code": ["a", "a b", "%", "<="],
    "id": ["a", "A-1.b", "a" * 64],
    "uri": ["a", "urn:oid:1.2", "http://한글.kr/?a=b#c"],
    "oid": ["urn:oid:1.2.840.0"],
    "uuid": ["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"],
    "base64Binary": ["QUJD", "QU JD\nQUI=", "QQ=="],
    "date": ["0001", "2024-02", "2024-02-29", "2000-02-29", "9999-12-31"],
    "dateTime": ["2024", "2024-02-29T00:00:00Z", "2024-12-31T23:59:60.999999+14:00"],
    "instant": ["2024-02-29T00:00:00-13:59", "2024-02-29T00:00:00.1Z"],
    "time": ["00:00:00", "23:59:59.123"],
}
WRONG: dict[str, list[Any]] = {
    "boolean": ["true", 0, None],
    "integer": [2147483648, -2147483649, Decimal("1.0"), "1", True, None, 1.5],
    "unsignedInt": [-1],
    "positiveInt": [0],
    "decimal": ["1", True, None],
    "string": ["", "\x00", "\x0b", "\x1f", "a" * 1_048_577, 1],
    "markdown": [""],
    "code": ["", " a", "a ", "a  b", "a\tb", "a\n"],
    "id": ["", "a" * 65, "a_b", "a/b", "é", "a\n"],
    "uri": ["", "a b", "a\n"],
    "oid": ["1.2.3", "urn:oid:3.1", "urn:oid:1.02"],
    "uuid": ["c757873d-ec9a-4326-a141-556f43239520", "urn:uuid:c757873d"],
    "base64Binary": ["", "Q", "QUJ", "QUJD%"],
    "date": ["0000", "24", "2024-13", "2024-00", "2024-2-1", "2023-02-29", "1900-02-29", "2024-04-31", "2024-02-29T"],
    "dateTime": ["2024-02-29T10:00Z", "2024-02-29T10:00:00", "2024-02T10:00:00Z", "2024-02-29T10:00:00+14:01"],
    "instant": ["2024", "2024-02-29", "2024-02-29T10:00Z"],
    "time": ["24:00:00", "10:00", "10:00:00Z", "1:00:00"],
}  # fmt: skip
CASES = [
    (kind, value, right) for right, table in ((True, RIGHT), (False, WRONG)) for kind in table for value in table[kind]
]


@pytest.mark.parametrize(("kind", "value", "right"), CASES, ids=lambda value: str(value)[:24])
def test_each_type_holds_what_the_standard_says(kind: str, value: Any, right: bool) -> None:
    validator = Draft202012Validator(primitives.schema(kind), keywords=KEYWORDS, pattern_options=RegexOptions())
    assert primitives.holds(kind, value) is right
    assert validator.is_valid(value) is right


def test_a_date_is_right_exactly_where_the_calendar_has_it() -> None:
    for year in (1, 4, 99, 100, 400, 1900, 2000, 2023, 2024, 9999):
        for month in range(14):
            days = calendar.monthrange(year, month)[1] if 1 <= month <= 12 else 0
            for day in range(33):
                assert primitives.holds("date", f"{year:04}-{month:02}-{day:02}") is (1 <= day <= days)


DIV = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'
NARRATIVES: dict[str, str] = {
    "a": "",
    "<p class='x' style='color: red'>a<br/>b</p><ul><li>c</li></ul>": "",
    "<table><tr><td colspan='2'>a</td></tr></table><img src='#x' alt='y'/>": "",
    "<a href='https://example.org/'>a</a><a href='Patient/1'>b</a><a href='mailto:a@b.kr'>c</a><a name='x'>d</a>": "",
    "&lt;script&gt; &#44032;": "",
    " \n": "it says nothing",
    "<p/>": "it says nothing",
    "<script>a</script>": "an element that is not for formatting",
    "<iframe src='x'/>a": "an element that is not for formatting",
    "<form>a</form>": "an element that is not for formatting",
    "<p onclick='a'>b</p>": "an attribute that is not for formatting",
    "<a href='javascript:a'>b</a>": "an address that a browser would run",
    "<a href=' JaVa&#10;Script:a'>b</a>": "an address that a browser would run",
    "<a href='data:text/html,a'>b</a>": "an address that a browser would run",
    "<p style='background: url(http://example.org)'>a</p>": "a style that a browser would run or load",
    "<div xmlns='http://example.org'>a</div>": "its namespace must be",
    "a&nbsp;b": "undefined entity",
    "a<p>": "mismatched tag",
}


@pytest.mark.parametrize(("content", "wrong"), NARRATIVES.items())
def test_a_narrative_formats_and_does_nothing_else(content: str, wrong: str) -> None:
    said = narrative.wrong(DIV.format(content))
    assert (said is None) if not wrong else (said is not None and wrong in said)


def test_a_narrative_is_one_div() -> None:
    assert narrative.fits("<div>a</div>")
    for text in (
        "<p>a</p>",
        "a",
        "",
        "<div>a</div><div>b</div>",
        '<!DOCTYPE div><div xmlns="http://www.w3.org/1999/xhtml">a</div>',
    ):
        assert not narrative.fits(text)
