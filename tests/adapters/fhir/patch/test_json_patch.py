"""JSON Patch beside HL7's cases: what a refusal says, what is kept, what cannot be done to the server."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.fhir.patch import apply_json_patch
from domain.errors import Invalid

DOCUMENT: dict[str, Any] = {
    "resourceType": "Patient",
    "n": Decimal("72.50"),
    "list": [1, 2, 3],
    "a/b": {"c~d": 1},
    "t": True,
}


def patched(*operations: dict[str, Any]) -> dict[str, Any]:
    return apply_json_patch(DOCUMENT, list(operations))


@pytest.mark.parametrize(
    ("operation", "field"),
    [
        ({"op": "remove", "path": "/nothing"}, "/1/path"),
        ({"op": "remove", "path": "/nothing/at/all"}, "/1/path"),
        ({"op": "replace", "path": "/list/3", "value": 1}, "/1/path"),
        ({"op": "replace", "path": "/list/-", "value": 1}, "/1/path"),
        ({"op": "add", "path": "/list/5", "value": 1}, "/1/path"),
        ({"op": "add", "path": "/list/01", "value": 1}, "/1/path"),
        ({"op": "add", "path": "/list/-1", "value": 1}, "/1/path"),
        ({"op": "add", "path": "/list/²", "value": 1}, "/1/path"),
        ({"op": "add", "path": "/t/x", "value": 1}, "/1/path"),
        ({"op": "add", "path": "list/0", "value": 1}, "/1/path"),
        ({"op": "add", "path": "/a~2", "value": 1}, "/1/path"),
        ({"op": "add", "path": 7, "value": 1}, "/1/path"),
        ({"op": "add", "path": "/x"}, "/1"),
        ({"op": "move", "path": "/x"}, "/1/from"),
        ({"op": "copy", "from": "/nothing", "path": "/x"}, "/1/from"),
        ({"op": "move", "from": "/a~1b", "path": "/a~1b/e"}, "/1/path"),
        ({"op": "test", "path": "/n", "value": 72}, "/1"),
        ({"op": "test", "path": "/t", "value": 1}, "/1"),
        ({"op": "test", "path": "/list", "value": [1, 2]}, "/1"),
        ({"op": "increment", "path": "/n"}, "/1/op"),
        ({}, "/1/op"),
        ([], "/1"),
        ({"op": ["add"], "path": ""}, "/1/op"),
    ],
)
def test_a_refusal_says_which_operation_failed_and_quotes_no_value(operation: Any, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        patched({"op": "test", "path": "/t", "value": True}, operation)
    assert caught.value.params["field"] == field
    assert "72" not in str(caught.value)


@pytest.mark.parametrize("patch", [None, {}, "[]", 7])
def test_a_patch_is_an_array(patch: Any) -> None:
    with pytest.raises(Invalid):
        apply_json_patch(DOCUMENT, patch)


def test_numbers_keep_their_digits_and_are_compared_by_value() -> None:
    result = patched({"op": "test", "path": "/n", "value": Decimal("72.5")}, {"op": "copy", "from": "/n", "path": "/m"})
    assert str(result["m"]) == "72.50"


def test_escapes_dashes_and_the_whole_document() -> None:
    assert patched({"op": "replace", "path": "/a~1b/c~0d", "value": 2})["a/b"] == {"c~d": 2}
    assert patched({"op": "add", "path": "/list/-", "value": 4})["list"] == [1, 2, 3, 4]
    assert patched({"op": "move", "from": "/list/0", "path": "/list/2"})["list"] == [2, 3, 1]
    assert patched({"op": "move", "from": "/n", "path": "/n"}) == DOCUMENT
    assert patched({"op": "replace", "path": "", "value": {"resourceType": "Basic"}}) == {"resourceType": "Basic"}
    assert patched({"op": "test", "path": "", "value": DOCUMENT}) == DOCUMENT
    for operation in ({"op": "remove", "path": ""}, {"op": "replace", "path": "", "value": []}):
        with pytest.raises(Invalid):
            patched(operation)


def test_what_was_given_is_not_changed() -> None:
    before = copy.deepcopy(DOCUMENT)
    value: dict[str, Any] = {"x": []}
    patched({"op": "add", "path": "/new", "value": value}, {"op": "add", "path": "/new/x/-", "value": 1})
    assert before == DOCUMENT
    assert value == {"x": []}


def test_a_document_cannot_be_doubled_without_end() -> None:
    doubling = [{"op": "copy", "from": "", "path": f"/{number}"} for number in range(100)]
    with pytest.raises(Invalid, match="too large"):
        apply_json_patch(DOCUMENT, doubling)
    with pytest.raises(Invalid, match="more than"):
        apply_json_patch(DOCUMENT, [{"op": "test", "path": "/t", "value": True}] * 1001)


def test_a_document_too_deep_is_refused() -> None:
    deep: Any = 1
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(Invalid, match="deep"):
        patched({"op": "add", "path": "/x", "value": deep})


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=5,
)
POINTERS = st.lists(st.sampled_from(["a", "b", "0", "1", "-", "list", ""]), max_size=3).map(
    lambda parts: "".join(f"/{part}" for part in parts)
)
OPERATIONS = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]), "path": POINTERS},
    optional={"from": POINTERS, "value": VALUES},
)


@settings(deadline=None)
@given(st.lists(OPERATIONS, max_size=5), st.dictionaries(st.sampled_from(["a", "b", "list"]), VALUES))
def test_any_patch_gives_json_or_is_refused(patch: list[Any], document: dict[str, Any]) -> None:
    before = copy.deepcopy((patch, document))
    try:
        assert json.dumps(apply_json_patch(document, patch))
    except Invalid as invalid:
        assert_pointer(invalid.params["field"])
    assert (patch, document) == before


def assert_pointer(field: str) -> None:
    assert field == "" or field.startswith("/")
