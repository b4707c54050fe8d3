"""The command line: help for everything, and sentences instead of tracebacks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.settings import PREFIX

COMMANDS = [
    "up",
    "server",
    "worker",
    "migrate",
    "token",
    "audit",
    "account",
    "client",
    "load",
    "keys",
    "reconcile",
    "doctor",
    "rules",
    "version",
]


def phis(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.upper().startswith(PREFIX)}
    return subprocess.run(
        [sys.executable, "-P", "-m", "runtime.cli", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=clean | {"COLUMNS": "120", "NO_COLOR": "1"} | environment,
        timeout=60,
        check=False,
    )


def test_help_names_every_command(tmp_path: Path) -> None:
    told = phis("--help", cwd=tmp_path)
    assert told.returncode == 0
    assert [name for name in COMMANDS if f" {name} " not in told.stdout] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(tmp_path: Path, command: str) -> None:
    told = phis(command, "--help", cwd=tmp_path)
    assert (told.returncode, told.stderr) == (0, "")
    assert f"Usage: phis {command}" in told.stdout


def test_help_loads_nothing_heavy() -> None:
    heavy = ("pydantic", "temporalio", "psycopg", "sqlalchemy")
    script = f"import sys, runtime.cli.commands; print([name for name in {heavy} if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


@pytest.mark.parametrize("command", ["server", "worker"])
def test_a_missing_setting_is_a_sentence_and_exit_code_2(tmp_path: Path, command: str) -> None:
    told = phis(command, cwd=tmp_path)
    assert told.returncode == 2
    assert told.stderr == "phis: PHIS_DATABASE_URL is not set. Set it, or use phis up, which brings what is missing.\n"


def test_an_unknown_setting_is_a_sentence(tmp_path: Path) -> None:
    told = phis("migrate", cwd=tmp_path, PHIS_DATABASE_MIGRAT_URL="postgresql://x")
    assert told.returncode == 2
    assert "did you mean PHIS_DATABASE_MIGRATE_URL?" in told.stderr
    assert "Traceback" not in told.stderr


def test_a_database_that_does_not_answer_is_a_sentence_and_exit_code_1(tmp_path: Path) -> None:
    told = phis("migrate", cwd=tmp_path, PHIS_DATABASE_MIGRATE_URL="postgresql://phis_migrate:x@127.0.0.1:1/phis")
    assert told.returncode == 1
    assert told.stderr.startswith("phis: the database does not answer")


def test_debug_shows_where_an_error_came_from(tmp_path: Path) -> None:
    told = phis("server", "--debug", cwd=tmp_path)
    assert "Traceback" in told.stderr
    assert "Misconfigured" in told.stderr


def test_a_token_without_anything_it_may_do_is_refused(tmp_path: Path) -> None:
    told = phis("token", "--hospital", "hanbit", cwd=tmp_path)
    assert told.returncode == 2
    assert "--role or --scope" in told.stderr


@pytest.mark.parametrize("expires", ["8", "h", "0h", "9999d", "-1h"])
def test_a_token_s_length_is_a_number_and_a_unit(tmp_path: Path, expires: str) -> None:
    told = phis("token", "--hospital", "hanbit", "--role", "nurse", f"--expires={expires}", cwd=tmp_path)
    assert told.returncode == 2
    assert "such as 8h" in told.stderr


def test_without_a_running_house_a_token_says_what_to_do(tmp_path: Path) -> None:
    told = phis("token", "--hospital", "hanbit", "--role", "nurse", "--data-dir", str(tmp_path), cwd=tmp_path)
    assert told.returncode == 2
    assert f"No phis up runs over {tmp_path}" in told.stderr


def test_keys_are_fresh_each_time(tmp_path: Path) -> None:
    assert phis("keys", cwd=tmp_path).stdout != phis("keys", cwd=tmp_path).stdout


def test_doctor_finds_what_is_wrong_and_says_how_to_mend_it(tmp_path: Path) -> None:
    told = phis("doctor", "--data-dir", str(tmp_path), cwd=tmp_path, PHIS_PROT="1")
    assert told.returncode == 1
    assert "→ PHIS_PROT in the environment is not a setting: did you mean PHIS_PORT?" in told.stdout
