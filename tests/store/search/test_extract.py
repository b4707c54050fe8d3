"""What a resource refers to is found wherever it stands, however its text spells it."""

from __future__ import annotations

import json

import pytest

from store.search.extract import ELSEWHERE, extract
from store.search.keyed import target_key

SEEN = '{"resourceType": "Observation", "subject": {"reference": "Patient/p1"}'
ELSE = "https://example.org/x"

CASES = {
    "only references that a parameter reads": (SEEN + "}", None),
    "one in an extension": (
        SEEN + f', "extension": [{{"url": "{ELSE}", "valueReference": {{"reference": "Patient/p2"}}}}]}}',
        "Patient/p2",
    ),
    "its name written with an escape": (
        SEEN + f', "extension": [{{"url": "{ELSE}", "valueReference": {{"\\u0072eference": "Patient/p2"}}}}]}}',
        "Patient/p2",
    ),
    "beside one by identifier alone, which is counted for nothing": (
        '{"resourceType": "Observation", "subject": {"identifier": {"value": "7"}}, '
        f'"extension": [{{"url": "{ELSE}", "valueReference": {{"reference": "Patient/p2"}}}}]}}',
        "Patient/p2",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_text_shows_whether_there_are_references_that_no_parameter_reads(name: str) -> None:
    text, elsewhere = CASES[name]
    rows = extract(json.loads(text), hash, text.encode())
    assert rows == extract(json.loads(text), hash)
    found = {key for number, key, _ in rows.references if number == ELSEWHERE}
    assert found == ({target_key(elsewhere).hex} if elsewhere else set())
