"""A part that dies is started again and the person is told."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from domain.errors import Misconfigured
from runtime.children import Child
from runtime.supervisor.leftovers import Register
from runtime.supervisor.watch import State, Watched


class Sleeper:
    """A real process. `refusals`: how often a start fails before one succeeds."""

    name = "sleeper"

    def __init__(self) -> None:
        self.child: Child | None = None
        self.refusals = 0
        self.starts = 0

    async def start(self) -> None:
        self.starts += 1
        if self.refusals:
            self.refusals -= 1
            raise Misconfigured("not yet")
        self.child = Child.start(self.name, [sys.executable, "-c", "import time; time.sleep(60)"])

    async def stop(self, *, hurry: bool) -> int:
        assert self.child
        await self.child.stop(signal.SIGKILL if hurry else signal.SIGTERM)
        return 0


class Seen:
    """Waits until the watched part was in a state."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def __call__(self) -> None:
        self._changed.set()

    async def until(self, watched: Watched, state: State, restarts: int) -> None:
        async with asyncio.timeout(20):
            while (watched.state, watched.restarts) != (state, restarts):
                self._changed.clear()
                await self._changed.wait()


async def test_a_killed_part_runs_again_and_its_new_pid_is_recorded(tmp_path: Path) -> None:
    part, seen = Sleeper(), Seen()
    watched = Watched(part, Register(tmp_path / "children.json"), seen)
    await watched.start()
    first = watched.pid
    assert first
    os.kill(first, signal.SIGKILL)
    await seen.until(watched, State.READY, 1)
    assert watched.pid not in {None, first}
    assert str(watched.pid) in (tmp_path / "children.json").read_text(encoding="utf-8")
    assert await watched.stop(hurry=lambda: False) == 0
    assert (watched.state, watched.pid) == (State.STOPPED, None)


async def test_a_part_that_refuses_to_start_again_is_tried_until_it_does(tmp_path: Path) -> None:
    part, seen = Sleeper(), Seen()
    watched = Watched(part, Register(tmp_path / "children.json"), seen)
    await watched.start()
    part.refusals = 1
    assert watched.pid
    os.kill(watched.pid, signal.SIGKILL)
    await seen.until(watched, State.DOWN, 1)
    await seen.until(watched, State.READY, 1)
    assert part.starts == 3
    await watched.stop(hurry=lambda: True)


async def test_a_part_that_was_stopped_is_not_started_again(tmp_path: Path) -> None:
    part = Sleeper()
    watched = Watched(part, Register(tmp_path / "children.json"), lambda: None)
    await watched.start()
    await watched.stop(hurry=lambda: False)
    assert part.starts == 1
    assert (tmp_path / "children.json").read_text(encoding="utf-8").strip() == "{}"
