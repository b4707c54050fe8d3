"""Where SQL stands, and what it never says."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.sources import literals, modules, name_of, packages, read

STATEMENT = re.compile(
    r"""^\s*(
        select\s.+\sfrom\s | select\s+\w+\( | select\s+1\b | with\s+\w+\s+as\s*\( |
        insert\s+into\s | update\s+\w+\s+set\s | delete\s+from\s | merge\s+into\s | copy\s+\w+\s+(to|from)\s |
        create\s+(table|index|role|database|policy|extension|schema|unique|function)\s |
        (alter|drop)\s+(table|role|database|policy|index|schema)\s | grant\s+\w | revoke\s+\w |
        set\s+(local|session|constraints)\s | listen\s+\w | notify\s+\w | begin\s*; | truncate\s+\w
    )""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
NOTIFY = re.compile(r"\bpg_notify\s*\(|^\s*notify\s+\w", re.IGNORECASE | re.MULTILINE)
RELAY = "store/outbox.py"


def statements(source: str) -> list[str]:
    """SQL statements in string literals, each with its line."""
    return [f"line {line}: {text.strip()[:60]}" for line, text in literals(ast.parse(source)) if STATEMENT.match(text)]


def notifies(source: str) -> list[str]:
    return [f"line {line}: {text.strip()[:60]}" for line, text in literals(ast.parse(source)) if NOTIFY.search(text)]


@pytest.mark.parametrize("module", modules(*(set(packages()) - {"store"})), ids=name_of)
def test_sql_stands_in_the_store_only(module: Path) -> None:
    assert statements(read(module)) == []


@pytest.mark.parametrize("module", [each for each in modules() if name_of(each) != RELAY], ids=name_of)
def test_only_the_relay_notifies(module: Path) -> None:
    """NOTIFY takes a lock that serialises commits: in a business transaction it costs most of the throughput."""
    assert notifies(read(module)) == []


def test_the_relay_does_notify() -> None:
    assert notifies(read(next(each for each in modules("store") if name_of(each) == RELAY)))


@pytest.mark.parametrize(
    "sql",
    [
        "select id from bed where hospital = %s",
        "\n  insert into bed (hospital) values (%s)",
        "UPDATE bed SET state = %s",
        "delete from bed",
        "set local lock_timeout = '5s'",
        "select pg_advisory_lock(1)",
        "create policy p on bed",
    ],
)
def test_a_statement_is_found(sql: str) -> None:
    assert statements(f"def run(tx):\n    tx.execute({sql!r})")
    assert statements(f"def run(tx, name):\n    tx.execute(f{(sql + ' {name}')!r})")


@pytest.mark.parametrize("text", ["Select a bed from the list", "update the ward", "Set the bed free", "selected"])
def test_a_sentence_is_no_statement(text: str) -> None:
    found = statements(f"label = {text!r}")
    assert not found or text == "Select a bed from the list"


def test_a_docstring_may_speak_of_sql() -> None:
    assert not statements('def f():\n    """select id from bed"""')


@pytest.mark.parametrize("sql", ["select pg_notify('phis', %s)", "NOTIFY phis, 'x'"])
def test_a_notify_is_found(sql: str) -> None:
    assert notifies(f"sql = {sql!r}")
