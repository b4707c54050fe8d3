"""Documents made to exhaust a validator end quickly, with a sentence."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from adapters.fhir.validation import check, narrative
from adapters.fhir.validation.issues import MOST
from tests.adapters.fhir.validation.documents import DIV, PATIENT

SECONDS = 3  # on a busy machine; alone each takes less than one


def nested(levels: int, wrap: Callable[[Any], Any], inmost: Any) -> Any:
    for _ in range(levels):
        inmost = wrap(inmost)
    return inmost


def deep_extension(levels: int) -> dict[str, Any]:
    inmost = {"url": "http://example.org/x", "valueString": "a"}
    return nested(levels, lambda inner: {"url": "http://example.org/x", "extension": [inner]}, inmost)


def deep_items(levels: int) -> dict[str, Any]:
    item = nested(levels, lambda inner: {"linkId": "1", "item": [inner]}, {"linkId": "2", "text": "how much?"})
    return {"resourceType": "QuestionnaireResponse", "status": "completed", "item": [item]}


def deep_bundles(levels: int) -> dict[str, Any]:
    return nested(
        levels, lambda inner: {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": inner}]}, PATIENT
    )


BOMBS: dict[str, Callable[[], Any]] = {
    "extensions": lambda: {**PATIENT, "extension": [deep_extension(100_000)]},
    "items": lambda: deep_items(100_000),
    "bundles": lambda: deep_bundles(100_000),
    "parameters": lambda: {
        "resourceType": "Parameters",
        "parameter": [nested(100_000, lambda inner: {"name": "x", "part": [inner]}, {"name": "y", "valueString": "z"})],
    },
    "an unknown element": lambda: {**PATIENT, "colour": nested(100_000, lambda inner: [inner], "red")},
    "in place of text": lambda: {**PATIENT, "birthDate": nested(100_000, lambda inner: {"a": inner}, "red")},
    "contained": lambda: {
        **PATIENT, "contained": [nested(100_000, lambda inner: {"resourceType": "Basic", "contained": [inner]}, "x")],
    },
    "a narrative": lambda: {**PATIENT, "text": {"status": "generated", "div": "<div>" * 300_000}},
    "a closed narrative": lambda: {
        **PATIENT, "text": {"status": "generated", "div": f"{'<div>' * 100_000}{'</div>' * 100_000}"},
    },
    "entities": lambda: {
        **PATIENT,
        "text": {"status": "generated", "div": f"<!DOCTYPE div [<!ENTITY a 'b'>]>{DIV.replace('Seen', '&a;' * 9999)}"},
    },
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_depth_ends_in_a_sentence(name: str) -> None:
    bomb = BOMBS[name]()
    started = time.monotonic()
    issues = check(bomb)
    assert time.monotonic() - started < SECONDS
    assert issues
    unwind(bomb)


def test_what_is_as_deep_as_people_make_it_is_accepted() -> None:
    assert check({**PATIENT, "extension": [deep_extension(20)]}) == []
    assert check(deep_items(30)) == []
    assert check(deep_bundles(8)) == []


WIDE: dict[str, Callable[[], Any]] = {
    "wrong names": lambda: {**PATIENT, "name": [{"colour": "red"}] * 100_000},
    "nulls": lambda: {**PATIENT, "name": [{"given": [None] * 500_000}]},
    "unknown elements": lambda: {**PATIENT, **{f"x{number}": 1 for number in range(200_000)}},
    "text for a pattern": lambda: {**PATIENT, "photo": [{"contentType": "a/b", "data": "AAAA" * 200_000 + "%"}]},
    "blanks for a pattern": lambda: {**PATIENT, "photo": [{"contentType": "a/b", "data": " " * 800_000}]},
    "a code of blanks": lambda: {**PATIENT, "language": "a " * 400_000},
    "a date": lambda: {**PATIENT, "birthDate": "2" * 1_000_000},
    "a reference": lambda: {**PATIENT, "managingOrganization": {"reference": "Organization/" * 80_000}},
}


@pytest.mark.parametrize("name", WIDE)
def test_width_ends_in_at_most_a_hundred_sentences(name: str) -> None:
    bomb = WIDE[name]()
    started = time.monotonic()
    issues = check(bomb)
    assert time.monotonic() - started < SECONDS
    assert 0 < len(issues) <= MOST


def test_a_large_right_document_is_accepted_in_time() -> None:
    started = time.monotonic()
    assert check({**PATIENT, "name": PATIENT["name"] * 50_000}) == []
    assert time.monotonic() - started < SECONDS


def unwind(value: Any) -> None:
    """Take a deep document apart from its outside: freeing it in one go would recurse."""
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            waiting.extend(each.values()) if each is not PATIENT else None
        elif isinstance(each, list):
            waiting.extend(each)


def test_a_narrative_nests_as_deep_as_the_limit_and_no_deeper() -> None:
    def div(levels: int) -> str:
        return f'<div xmlns="http://www.w3.org/1999/xhtml">{"<p>" * (levels - 1)}x{"</p>" * (levels - 1)}</div>'

    assert narrative.wrong(div(narrative.DEEPEST)) is None
    assert "deeper" in (narrative.wrong(div(narrative.DEEPEST + 1)) or "")
