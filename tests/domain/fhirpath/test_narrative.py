"""What a narrative may contain (invariants txt-1 and txt-2)."""

from __future__ import annotations

import pytest

from domain.fhirpath import parse
from domain.fhirpath.functions.narrative import allowed

DIV = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'


@pytest.mark.parametrize(
    "content",
    [
        "text",
        "<b>bold</b>",
        "&nbsp;",
        "<img src='#a' alt='x'/>",
        "<table><tr><td colspan='2'>x</td></tr></table>",
        "<a href='#x'>y</a>",
    ],
)
def test_basic_formatting_is_allowed(content: str) -> None:
    assert allowed(DIV.format(content))


@pytest.mark.parametrize(
    "div",
    [
        DIV.format(""),
        DIV.format("  \n "),
        DIV.format("<script>x</script>"),
        DIV.format("<a href=' JavaScript:x'>y</a>"),
        DIV.format("<b onclick='x'>y</b>"),
        DIV.format("<b>open"),
        DIV.format("<?run x?>y"),
        "<p>x</p>",
        "<div>a</div><div>b</div>",
        '<!DOCTYPE div [<!ENTITY a "b">]><div>&a;</div>',
        '<!DOCTYPE div SYSTEM "file:///etc/hostname"><div>x</div>',
        "<div>" * 100_000,
        "\ud800",
        "",
    ],
)
def test_what_could_run_or_is_not_well_formed_is_not(div: str) -> None:
    assert not allowed(div)


def test_it_is_asked_as_a_function() -> None:
    assert parse("text.div.htmlChecks()").evaluate({"resourceType": "Patient", "text": {"div": DIV.format("x")}}) == [
        True
    ]
    assert parse("text.div.htmlChecks()").evaluate({"resourceType": "Patient"}) == []
