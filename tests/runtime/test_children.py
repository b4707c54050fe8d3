"""Children end with the process that started them, in the way they were asked to."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from runtime import children
from runtime.children import Child
from runtime.supervisor.leftovers import Register

SLEEPER = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)",
]


async def test_a_child_that_does_not_end_when_asked_is_ended(tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    child = Child.start("stubborn", STUBBORN, log=log)
    while "up" not in child.tail():
        assert child.exit_code() is None
    assert await child.stop(signal.SIGTERM, grace=0.1) == -signal.SIGKILL


async def test_the_log_is_private_and_its_end_can_be_quoted(tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    child = Child.start("talker", [sys.executable, "-c", "print('one'); print('두번째')"], log=log)
    assert await child.wait(10) == 0
    assert child.tail(1) == "두번째"
    assert log.stat().st_mode & 0o077 == 0


async def test_a_long_log_makes_room_and_its_predecessor_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "_LONGEST_LOG", 10)
    log = tmp_path / "child.log"
    log.write_text("of yesterday\n", encoding="utf-8")
    child = Child.start("talker", [sys.executable, "-c", "print('today')"], log=log)
    await child.wait(10)
    assert log.read_text(encoding="utf-8") == "today\n"
    assert (tmp_path / "child.log.1").read_text(encoding="utf-8") == "of yesterday\n"


def test_a_child_dies_with_a_killed_parent(tmp_path: Path) -> None:
    script = f"""
        import sys, time
        from runtime.children import Child
        print(Child.start("sleeper", {SLEEPER!r}).pid, flush=True)
        time.sleep(60)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = psutil.Process(int(parent.stdout.readline()))
        assert child.is_running()
        parent.kill()
        parent.wait(10)
    try:
        child.wait(10)
    except psutil.TimeoutExpired:
        # nobody collects orphans in some containers: a zombie is dead all the same
        assert child.status() == psutil.STATUS_ZOMBIE


async def test_what_an_earlier_run_left_is_ended_before_a_new_one_starts(tmp_path: Path) -> None:
    left = Child.start("worker", SLEEPER)
    earlier = Register(tmp_path / "children.json")
    earlier.started("worker", left.pid)
    assert await Register(tmp_path / "children.json").end_earlier() == ["worker"]
    assert await left.wait(10) == -signal.SIGTERM


async def test_a_pid_that_belongs_to_another_program_by_now_is_left_alone(tmp_path: Path) -> None:
    other = Child.start("innocent", SLEEPER)
    (tmp_path / "children.json").write_text(f'{{"worker": [{other.pid}, 1.0]}}', encoding="utf-8")
    assert await Register(tmp_path / "children.json").end_earlier() == []
    assert other.exit_code() is None
    await other.stop(signal.SIGKILL)


@pytest.mark.parametrize("content", ["", "{", "[]"])
async def test_a_damaged_register_is_taken_for_an_empty_one(tmp_path: Path, content: str) -> None:
    (tmp_path / "children.json").write_text(content, encoding="utf-8")
    assert await Register(tmp_path / "children.json").end_earlier() == []
