"""A migration waits for a lock only briefly: a queue behind it would stop the hospital."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.architecture.sources import modules, name_of, read

VERSIONS = [path for path in modules("store/migrations/versions") if path.name != "__init__.py"]


def first_statement(source: str) -> str:
    """The source of the first statement of `upgrade` that is no docstring."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and node.name == "upgrade":
            body = [
                each for each in node.body if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
            ]
            return ast.unparse(body[0]) if body else ""
    return ""


def sets_lock_timeout(source: str) -> bool:
    return re.search(r"lock_timeout", first_statement(source)) is not None


@pytest.mark.parametrize("module", VERSIONS, ids=name_of)
def test_a_migration_begins_by_limiting_its_wait_for_locks(module: Path) -> None:
    assert sets_lock_timeout(read(module))


@pytest.mark.parametrize("module", VERSIONS, ids=name_of)
def test_a_migration_has_a_dated_name(module: Path) -> None:
    assert re.fullmatch(r"\d{8}_[a-z0-9_]+\.py", module.name)


def test_there_are_migrations() -> None:
    assert VERSIONS


def test_the_check_can_fail() -> None:
    assert not sets_lock_timeout("def upgrade():\n    op.execute('create table t ()')\n    op.execute('lock_timeout')")
    assert sets_lock_timeout("def upgrade():\n    'Why.'\n    op.execute(\"set local lock_timeout = '5s'\")")
