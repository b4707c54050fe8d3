"""Logs: only listed keys, no values of exceptions, one line each."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from runtime import logs


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure("server", style="json", stream=stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def read(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_key_that_is_not_listed_is_left_out_and_counted(lines: io.StringIO) -> None:
    structlog.get_logger("api").info("admitted", hospital="hanbit", patient_name="홍길동")
    (line,) = read(lines)
    assert "홍길동" not in lines.getvalue()
    assert (line["event"], line["hospital"], line["dropped_keys"], line["part"]) == ("admitted", "hanbit", 1, "server")


def test_a_key_that_is_not_listed_raises_in_tests(lines: io.StringIO) -> None:
    logs.configure("server", style="json", stream=lines, strict=True)
    with pytest.raises(logs.UnlistedKey, match="patient_name"):
        structlog.get_logger("api").info("admitted", patient_name="홍길동")


def test_a_thing_with_an_inside_is_named_by_its_type(lines: io.StringIO) -> None:
    structlog.get_logger("api").info("read", status={"name": "홍길동"})
    assert read(lines)[0]["status"] == "<dict>"


def test_an_exception_leaves_its_type_and_place_and_not_its_message(lines: io.StringIO) -> None:
    try:
        int("홍길동")
    except ValueError:
        structlog.get_logger("api").exception("request failed")
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    for line in read(lines):
        assert line["error"] == "ValueError"
        assert str(line["where"]).startswith("['test_logs.py:")
    assert "홍길동" not in lines.getvalue()


def test_what_an_unknown_library_fills_in_is_left_out(lines: io.StringIO) -> None:
    logging.getLogger("some.library").warning("cannot parse %s", "홍길동")
    logging.getLogger("uvicorn.error").info("Uvicorn running on %s", "http://127.0.0.1:8000")
    assert [line["event"] for line in read(lines)] == [
        "cannot parse %s",
        "Uvicorn running on http://127.0.0.1:8000",
    ]


def test_a_library_with_a_handler_of_its_own_does_not_speak_twice(lines: io.StringIO) -> None:
    other = io.StringIO()
    logging.getLogger("uvicorn.error").addHandler(logging.StreamHandler(other))
    logs.configure("server", style="json", stream=lines)
    logging.getLogger("uvicorn.error").info("Started")
    assert (len(read(lines)), other.getvalue()) == (1, "")


def test_a_line_on_a_terminal_is_one_line(lines: io.StringIO) -> None:
    stream = io.StringIO()
    logs.configure("up", style="console", stream=stream)
    structlog.get_logger("runtime").warning("does not start", name="server", reason="first\nsecond")
    (line,) = stream.getvalue().splitlines()
    assert "warning" in line
    assert "does not start  name=server reason=first second" in line
