"""`phis up` from start to stop, as a person runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from runtime.settings import PREFIX

pytestmark = pytest.mark.sockets

CLEAN = {name: value for name, value in os.environ.items() if not name.upper().startswith(PREFIX)}
PHIS = [sys.executable, "-P", "-m", "runtime.cli"]


@pytest.fixture
def cwd() -> Iterator[Path]:
    """A current folder that PostgreSQL's own account can pass through, unlike pytest's; temporary ones stand in it."""
    with tempfile.TemporaryDirectory(prefix="phis-up-") as made:
        Path(made).chmod(0o711)
        (Path(made) / "tmp").mkdir(mode=0o711)
        yield Path(made)


@contextmanager
def started(*options: str, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """A running `phis up`, ended in any case; its log goes to `up.log`."""
    with (cwd / "up.log").open("w") as log:
        process = subprocess.Popen(
            [*PHIS, "up", *options],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=cwd,
            env=CLEAN | {"TMPDIR": str(cwd / "tmp")},
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()


def said(process: subprocess.Popen[str], beginning: str, log: Path) -> str:
    """The rest of the line that begins so."""
    assert process.stdout
    for line in process.stdout:
        if line.startswith(beginning):
            return line.removeprefix(beginning).strip()
    raise AssertionError(log.read_text(encoding="utf-8"))


def family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def alive(processes: list[psutil.Process]) -> list[str]:
    _, left = psutil.wait_procs(processes, timeout=15)
    return [process.name() for process in left if process.status() != psutil.STATUS_ZOMBIE]


def test_a_throw_away_house_starts_tells_where_it_is_and_leaves_nothing(cwd: Path) -> None:
    log = cwd / "up.log"
    with started("--ephemeral", cwd=cwd) as process:
        address = said(process, "P-HIS is ready: ", log)
        assert "bed-manager@hanbit" in said(process, "Demo accounts: ", log)
        folder = Path(said(process, "Data folder: ", log))
        with httpx.Client(base_url=address, trust_env=False) as client:
            assert client.get("/readyz").json()["parts"] == {"database": "ok", "engine": "ok", "worker": "ok"}

        issue = [*PHIS, "token", "--hospital", "hanbit", "--role", "bed-manager", "--data-dir", str(folder)]
        token = subprocess.run(issue, capture_output=True, text=True, check=True, env=CLEAN, cwd=cwd)
        bearer = {"Authorization": f"Bearer {token.stdout.splitlines()[-1]}"}
        with httpx.Client(base_url=address, trust_env=False, headers=bearer) as client:
            assert client.get("/commands/worklist").json()["tasks"] == []

        second = subprocess.run(
            [*PHIS, "up", "--data-dir", str(folder)], capture_output=True, text=True, check=False, env=CLEAN, cwd=cwd
        )
        assert second.returncode == 2
        assert second.stderr.startswith(f"phis: {folder} is in use by process {process.pid}:")

        children = family(process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert alive(children) == []
        assert not folder.exists()
    assert '"event": "stopped without draining"' not in log.read_text(encoding="utf-8")


@pytest.mark.parametrize("when", ["made ready for its first start", '"name": "temporal"', "database migrated"])
def test_ctrl_c_while_it_starts_stops_everything(cwd: Path, when: str) -> None:
    log = cwd / "up.log"
    with started("--ephemeral", "--demo=none", cwd=cwd) as process:
        while when not in log.read_text(encoding="utf-8"):
            assert process.poll() is None, log.read_text(encoding="utf-8")
        children = family(process)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert alive(children) == []
    assert list((cwd / "tmp").iterdir()) == []
