"""The client's text stays as it came: only the id, the version and its time are the server's."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.fhir.text import parse, stamped, written

AT = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
OWN = '"id":"p1","meta":{"versionId":"3","lastUpdated":"2026-11-23T08:30:00+00:00"'

CASES = {
    '{"resourceType":"Patient"}': '{"resourceType":"Patient",' + OWN + "}}",
    '{"resourceType":"Patient","active":true}': '{"resourceType":"Patient",' + OWN + '},"active":true}',
    ' {\n  "resourceType" : "Patient",\n  "active" : true\n}': ' {\n  "resourceType" : "Patient",'
    + OWN
    + '},"active" : true\n}',
    '{"active":true,"resourceType":"Patient"}': "{" + OWN + '},"active":true,"resourceType":"Patient"}',
    '{"resourceType":"Patient","id":"other","active":true}': '{"resourceType":"Patient",' + OWN + '},"active":true}',
    '{"resourceType":"Patient","active":true,"id":"x"}': '{"resourceType":"Patient",' + OWN + '},"active":true}',
    '{"resourceType":"Patient","meta":{"versionId":"1","tag":[{"code":"a"}],"lastUpdated":"2020-01-01"}}': (
        '{"resourceType":"Patient",' + OWN + ',"tag":[{"code":"a"}]}}'
    ),
    '{"meta":{},"id":"x","resourceType":"Patient"}': '{"resourceType":"Patient",' + OWN + "}}",
    '{"resourceType":"Basic","contained":[{"resourceType":"Patient","id":"c"}]}': (
        '{"resourceType":"Basic",' + OWN + '},"contained":[{"resourceType":"Patient","id":"c"}]}'
    ),
    '{"resourceType":"Observation","valueQuantity":{"value":72.50}}': (
        '{"resourceType":"Observation",' + OWN + '},"valueQuantity":{"value":72.50}}'
    ),
    '{"resourceType":"Patient","name":[{"text":"\\"id\\": \\"김\\" 김"}]}': (
        '{"resourceType":"Patient",' + OWN + '},"name":[{"text":"\\"id\\": \\"김\\" 김"}]}'
    ),
}


@pytest.mark.parametrize("text", CASES)
def test_only_the_id_and_what_is_the_servers_of_meta_are_written_into_a_text(text: str) -> None:
    made = stamped(text.encode(), id="p1", version=3, last_updated=AT).decode()
    assert made == CASES[text]
    json.loads(made)


TEXTS = st.text('a"\\{}[],:/ \n\x1f김id', max_size=6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 10**20) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["id", "meta", "name", "a", '"id"', "_id"]), JSON, max_size=6),
    st.sampled_from([None, 1, "\t"]),
    st.booleans(),
)
def test_whatever_else_a_text_holds_is_read_back_unchanged(
    members: dict[str, Any], indent: int | str | None, ascii_only: bool
) -> None:
    resource = {**members, "resourceType": "Patient"}
    text = json.dumps(resource, indent=indent, ensure_ascii=ascii_only)
    made = parse(stamped(text.encode(), id="p1", version=3, last_updated=AT))
    given = json.loads(text)
    kept = given.get("meta") if isinstance(given.get("meta"), dict) else {}
    own = {"versionId": "3", "lastUpdated": AT.isoformat()}
    assert made == {**given, "id": "p1", "meta": {**kept, **own}}


def test_a_resource_made_by_us_is_written_with_the_digits_of_its_decimals() -> None:
    made = written({"resourceType": "Observation", "valueQuantity": {"value": Decimal("72.50"), "unit": "kg"}})
    assert made == b'{"resourceType":"Observation","valueQuantity":{"value":72.50,"unit":"kg"}}'
    assert written({"a": [Decimal("1E+2"), Decimal("-0.010")]}) == b'{"a":[1E+2,-0.010]}'
    with pytest.raises(TypeError):
        written({"a": Decimal("NaN")})
