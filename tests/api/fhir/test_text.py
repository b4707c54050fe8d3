"""Bytes as JSON: limits that hold before anything is parsed."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from api.fhir.text import DEEPEST, MOST_VALUES, parse, pretty, too_deep, write
from api.fhir.weight import MOST, refuse_heavy
from domain.errors import Invalid, TooCostly


@pytest.mark.parametrize("text", [b'{"a":72.50,"b":1.0,"c":0.10}', '{"a":"한빛"}'.encode(), b"[1,2.0]", b'"x"'])
def test_what_is_read_is_written_as_it_was(text: bytes) -> None:
    assert write(parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        '{"a":[],"b":{},"c":[{"d":1},[2,[3]]],"e":"x, {\\" [y]: \\\\","f":null,"g":true}',
        "[]",
        '"x"',
        '[[],[{}],"한빛 /"]',
    ],
)
def test_laid_out_it_looks_as_anybody_would_write_it(text: str) -> None:
    assert pretty(text.encode()).decode() == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"


def test_laid_out_a_number_keeps_its_digits() -> None:
    assert pretty(b'{"a":72.50,"b":[1e3,-0.10]}') == b'{\n  "a": 72.50,\n  "b": [\n    1e3,\n    -0.10\n  ]\n}\n'


@pytest.mark.parametrize("pair", [b"[]", b"{}"])
def test_the_depth_is_counted_exactly(pair: bytes) -> None:
    start, end = (b"[", b"]") if pair == b"[]" else (b'{"a":', b"}")
    within = start * (DEEPEST - 1) + pair + end * (DEEPEST - 1)
    assert not too_deep(within)
    assert too_deep(start + within + end)
    assert parse(within) is not None
    with pytest.raises(Invalid, match="deeper"):
        parse(start + within + end)


def test_brackets_in_strings_are_no_depth() -> None:
    assert parse(b'["' + b"[" * 500 + b'"]')
    assert parse(b'["\\"' + b"{" * 500 + b'\\\\"' + b",{}" * 200 + b"]")


@pytest.mark.parametrize("body", [b"[" * 2_000_000, b"[" * 1_000_000 + b"]" * 1_000_000, b'{"a":' * 400_000])
def test_megabytes_of_brackets_are_refused_soon(body: bytes) -> None:
    started = time.process_time()
    with pytest.raises(Invalid, match="deeper"):
        parse(body)
    assert time.process_time() - started < 2


def test_a_name_that_stands_twice_among_very_many_is_found_soon() -> None:
    names = ",".join(f'"a{number}":0' for number in range(200_000))
    started = time.process_time()
    with pytest.raises(Invalid, match="twice") as refused:
        parse(f'{{{names},"a199999":0}}'.encode())
    assert refused.value.params["field"] == "a199999"
    assert time.process_time() - started < 2


@pytest.mark.parametrize("value", [b"1.5", b"[]", b'""'])
def test_small_values_that_become_much_in_memory_are_counted_before_they_are_read(value: bytes) -> None:
    with pytest.raises(TooCostly):
        parse(b"[" + (value + b",") * (MOST_VALUES + 1) + value + b"]")


def _items(count: int) -> dict[str, Any]:
    items = [{"linkId": str(number), "type": "group"} for number in range(count)]
    return {"resourceType": "Questionnaire", "status": "draft", "item": items}


def test_a_resource_of_too_many_objects_is_refused_where_it_stands() -> None:
    refuse_heavy(_items(MOST - 1))
    with pytest.raises(TooCostly) as refused:
        refuse_heavy(_items(MOST))
    assert refused.value.params["expression"] == "Questionnaire"
    entry = {"resource": _items(MOST), "request": {"method": "POST", "url": "Questionnaire"}}
    with pytest.raises(TooCostly) as refused:
        refuse_heavy({"resourceType": "Bundle", "type": "transaction", "entry": [{}, entry]})
    assert refused.value.params["expression"] == "Bundle.entry[1].resource"
    codes = [{"code": str(number)} for number in range(MOST)]
    refuse_heavy({"resourceType": "CodeSystem", "status": "active", "content": "complete", "concept": codes})


@pytest.mark.parametrize(
    "sent", [{}, {"resourceType": []}, {"resourceType": "Bundle", "type": "batch", "entry": [1, {"resource": 1}]}]
)
def test_what_is_no_resource_weighs_nothing(sent: dict[str, Any]) -> None:
    refuse_heavy(sent)
