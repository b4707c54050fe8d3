"""Bytes as JSON: limits that hold before anything is parsed."""

from __future__ import annotations

import time

import pytest

from api.fhir.text import DEEPEST, parse, too_deep, write
from domain.errors import Invalid


@pytest.mark.parametrize("text", [b'{"a":72.50,"b":1.0,"c":0.10}', '{"a":"한빛"}'.encode(), b"[1,2.0]", b'"x"'])
def test_what_is_read_is_written_as_it_was(text: bytes) -> None:
    assert write(parse(text)) == text


@pytest.mark.parametrize("pair", [b"[]", b"{}"])
def test_the_depth_is_counted_exactly(pair: bytes) -> None:
    start, end = (b"[", b"]") if pair == b"[]" else (b'{"a":', b"}")
    within = start * (DEEPEST - 1) + pair + end * (DEEPEST - 1)
    assert not too_deep(within)
    assert too_deep(start + within + end)


def test_brackets_in_strings_are_no_depth() -> None:
    assert parse(b'["' + b"[" * 500 + b'"]')
    assert parse(b'["\\"' + b"{" * 500 + b'\\\\"' + b",{}" * 200 + b"]")


@pytest.mark.parametrize("body", [b"[" * 2_000_000, b"[" * 1_000_000 + b"]" * 1_000_000, b'{"a":' * 400_000])
def test_megabytes_of_brackets_are_refused_soon(body: bytes) -> None:
    started = time.process_time()
    with pytest.raises(Invalid, match="deeper"):
        parse(body)
    assert time.process_time() - started < 2
