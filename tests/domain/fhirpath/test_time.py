"""Dates and times: precision, zones, durations, boundaries."""

from __future__ import annotations

from typing import Any

import pytest

from domain.errors import Invalid
from domain.fhirpath import parse
from domain.fhirpath.temporal import parse_date, parse_datetime, parse_time


def result(text: str) -> list[Any]:
    return parse(text).evaluate({})


@pytest.mark.parametrize(
    ("left", "right", "order"),
    [
        ("@2015", "@2016", "<"),
        ("@2015", "@2015-03", None),
        ("@2015-02-28", "@2015-03", "<"),
        ("@2015-03-01T10:00:00+09:00", "@2015-03-01T01:00:00Z", "="),
        ("@2015-03-01T10:00:00.0Z", "@2015-03-01T10:00:00.000Z", "="),
        ("@2015-03-01T10:00:00Z", "@2015-03-01T10:00Z", None),
        ("@2015-03-01T10:00:00Z", "@2015-03-01T10:00:00", None),  # whose ten o'clock?
        ("@2015-03-01T10:00:00Z", "@2015-03-03T10:00:00", "<"),
        ("@2015-03-01T23:30:00-05:00", "@2015-03-02T04:30:00Z", "="),
        ("@T10:30", "@T10:31", "<"),
        ("@T10:30", "@T10:30:00", None),
        ("@0001-01-01T00:00:00+14:00", "@0001-01-01T00:00:00Z", None),  # before the calendar begins
        ("@9999-12-31T23:00:00Z", "@9999-12-31T23:00:00", None),
    ],
)
def test_an_order_is_said_only_where_it_is_known(left: str, right: str, order: str | None) -> None:
    expected = [] if order is None else [True]
    assert result(f"{left} {order or '='} {right}") == expected
    opposite = {"<": ">", "=": "=", None: "!="}[order]
    assert result(f"{right} {opposite} {left}") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@2024-01-31 + 1 month", "2024-02-29"),
        ("@2023-01-31 + 1 month", "2023-02-28"),
        ("@2024-02-29 - 1 year", "2023-02-28"),
        ("@2024-02-29 + 12 months", "2025-02-28"),
        ("@2014 + 24 months", "2016"),
        ("@2014 + 23 months", "2015"),
        ("@2014 + 730 days", "2016"),
        ("@2014-05 + 65 days", "2014-07"),
        ("@2014-05-01 + 30 hours", "2014-05-02"),
        ("@2014-05-01T23:30 + 45 minutes", "2014-05-02T00:15"),
        ("@2014-05-01T23:30:00.500Z + 500 milliseconds", "2014-05-01T23:30:01.000Z"),
        ("@2014-05-01T23:30:00Z + 1500 milliseconds", "2014-05-01T23:30:01.500Z"),
        ("@T23:30 + 1 hour", "00:30"),
        ("@T00:15:00 - 30 minutes", "23:45:00"),
    ],
)
def test_a_duration_moves_a_date_as_a_calendar_does(text: str, expected: str) -> None:
    (moved,) = result(text)
    assert str(moved) == expected


@pytest.mark.parametrize(
    "text", ["@9999-12-31 + 1 day", "@9999 + 1 year", "@0001-01-01 - 1 day", "@2014 + 9999999999 days"]
)
def test_beyond_the_calendar_there_is_nothing(text: str) -> None:
    assert result(text) == []


def test_only_durations_of_definite_length_are_added() -> None:
    for text in ("@2014-01-01 + 1 'mo'", "@2014-01-01 + 1 'cm'", "@T10:00 + 1 day", "@2014-01-01 + 1"):
        with pytest.raises(Invalid):
            result(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@2014-02.highBoundary(8)", ["2014-02-28"]),
        ("@2014-02.lowBoundary()", ["2014-02-01"]),
        ("@2014-02.highBoundary(17)", ["2014-02-28T23:59:59.999-12:00"]),
        ("@2014-01-01T10:00Z.highBoundary(14)", ["2014-01-01T10:00:59Z"]),
        ("@2014-01-01T10:00:30.1Z.lowBoundary()", ["2014-01-01T10:00:30.100Z"]),
        ("@T10.highBoundary(9)", ["10:59:59.999"]),
        ("@2014.lowBoundary(5)", []),
        ("@T10:30.lowBoundary(5)", []),
    ],
)
def test_boundaries_are_the_first_and_last_moment_meant(text: str, expected: list[str]) -> None:
    assert [str(each) for each in result(text)] == expected


def test_what_is_no_date_is_none() -> None:
    for text in (
        "2015-2-1",
        "2015-02-30",
        "15",
        "2015T10",
        "2015-02-01T24:00",
        "2015-02-01T10:00+15:00",
        "٢٠١٥",
        "0000",
    ):
        assert parse_datetime(text) is None
    assert parse_date("2015-02-01T10:00") is None
    assert parse_time("1:30") is None
    assert parse_time("24:00") is None
