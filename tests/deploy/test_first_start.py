"""What the compose file's one-shot services do, done natively on a database of this run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol
from uuid import uuid4

import pytest
from psycopg import AsyncConnection, sql
from psycopg.conninfo import conninfo_to_dict

from store import schema
from tests.architecture.sources import ROOT


class House(Protocol):
    """Addresses of this run's database server, by role."""

    superuser: str
    app: str
    system: str
    migrate: str


@pytest.fixture
async def secrets(house: House, tmp_path: Path) -> AsyncIterator[Path]:
    """Secret files as deploy/make-secrets.sh makes them, for a database that does not exist yet.

    The roles' passwords are this run's own: roles belong to the whole server, and other tests are signed in with them.
    """
    name = f"t_{uuid4().hex}"
    for file, role in (("database_url", "app"), ("database_system_url", "system"), ("database_migrate_url", "migrate")):
        known = conninfo_to_dict(getattr(house, role))
        address = f"postgresql://{known['user']}:{known['password']}@{known['host']}:{known['port']}/{name}"
        (tmp_path / f"phis_{file}").write_text(address, encoding="utf-8")
    administrator = conninfo_to_dict(house.superuser)
    (tmp_path / "postgres_password").write_text(str(administrator["password"]), encoding="utf-8")
    yield tmp_path
    async with await AsyncConnection.connect(house.superuser, autocommit=True) as connection:
        await connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def run(arguments: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PHIS_", "PG"))}
    return subprocess.run(
        [sys.executable, *arguments],
        env={**kept, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


async def test_bootstrap_then_migrate_makes_a_database_of_this_release(house: House, secrets: Path) -> None:
    administrator = conninfo_to_dict(house.superuser)
    where = {
        "PHIS_SECRETS_DIR": str(secrets),
        "PGHOST": str(administrator["host"]),
        "PGPORT": str(administrator["port"]),
        "PGUSER": str(administrator["user"]),
    }
    for _ in range(2):  # both may be run again at any time
        made = run([str(ROOT / "deploy" / "postgres" / "bootstrap.py")], where)
        assert made.returncode == 0, made.stderr
        migrated = run(["-m", "runtime.cli", "migrate"], {"PHIS_SECRETS_DIR": str(secrets)})
        assert migrated.returncode == 0, migrated.stderr + migrated.stdout
    await schema.check((secrets / "phis_database_url").read_text(encoding="utf-8"))


async def test_the_administrators_password_is_not_told_when_the_server_is_away(secrets: Path) -> None:
    (secrets / "postgres_password").write_text("do-not-tell", encoding="utf-8")
    failed = run(
        [str(ROOT / "deploy" / "postgres" / "bootstrap.py")],
        {"PHIS_SECRETS_DIR": str(secrets), "PGHOST": "127.0.0.1", "PGPORT": "1", "PGUSER": "postgres"},
    )
    assert failed.returncode != 0
    assert "do-not-tell" not in failed.stdout + failed.stderr
