"""Domain time is the hospital's and travels as a value: nothing beneath the edges asks a clock (engine room, 12)."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.sources import literals, modules, name_of, read, used

CLOCKS = {
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
    "time.time",
    "time.time_ns",
    "time.localtime",
    "time.gmtime",
}
SQL_CLOCK = re.compile(
    r"\bnow\s*\(|\bcurrent_(timestamp|date|time)\b|\blocaltime(stamp)?\b|\b(clock|statement|transaction)_timestamp\s*\(",
    re.IGNORECASE,
)

MAY_READ_THE_CLOCK: dict[str, str] = {
    "api/state.py": "the one place where a server's real present is made; routes and tests are handed it",
    "api/commands/dispatch.py": "receipts and leases of the ledger measure real waiting, whatever the hospital's clock",
}
"""Module → why real time is right there. Everything else is handed its instant."""

MAY_ASK_THE_DATABASE: dict[str, str] = {
    "store/data_keys.py": "when a key begins to seal is agreed between servers by the one clock that they share",
}
"""Module → why the database's clock is right there."""


def clock_reads(source: str) -> list[str]:
    return [f"line {line}: {name}" for line, name in used(ast.parse(source)) if name in CLOCKS]


def database_clocks(source: str) -> list[str]:
    return [f"line {line}: {text.strip()[:60]}" for line, text in literals(ast.parse(source)) if SQL_CLOCK.search(text)]


BENEATH_THE_EDGES = modules("domain", "rules", "workflows", "activities", "store", "adapters", "api")


@pytest.mark.parametrize("module", BENEATH_THE_EDGES, ids=name_of)
def test_real_time_is_read_in_named_places_only(module: Path) -> None:
    if name_of(module) not in MAY_READ_THE_CLOCK:
        assert clock_reads(read(module)) == []


@pytest.mark.parametrize("module", BENEATH_THE_EDGES, ids=name_of)
def test_no_statement_asks_the_database_for_the_time(module: Path) -> None:
    if name_of(module) not in MAY_ASK_THE_DATABASE:
        assert database_clocks(read(module)) == []


def test_the_named_places_still_need_their_permission() -> None:
    by_name = {name_of(module): module for module in modules()}
    assert {name for name in MAY_READ_THE_CLOCK if name not in by_name or not clock_reads(read(by_name[name]))} == set()
    assert {
        name for name in MAY_ASK_THE_DATABASE if name not in by_name or not database_clocks(read(by_name[name]))
    } == set()


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import datetime\nat = datetime.now()",
        "from datetime import UTC, datetime as d\nat = d.now(UTC)",
        "import datetime\nat = datetime.datetime.utcnow()",
        "from datetime import datetime\nField(default_factory=datetime.now)",
        "import time\nat = time.time()",
    ],
)
def test_a_clock_read_is_found(source: str) -> None:
    assert clock_reads(source)


@pytest.mark.parametrize("sql", ["insert into t values (now())", "default current_timestamp", "clock_timestamp()"])
def test_a_database_clock_is_found(sql: str) -> None:
    assert database_clocks(f"sql = {sql!r}")


def test_a_parameter_is_no_clock() -> None:
    assert not database_clocks("sql = 'update t set at = %(now)s where known_at < %(at)s'")
    assert not clock_reads("from datetime import timedelta\nwait = timedelta(seconds=1)")
