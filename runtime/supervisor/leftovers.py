"""Children of a supervisor that was killed: they get the same signal from the kernel, and are waited for here."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil
from pydantic import TypeAdapter

from runtime.directory import write_private

_PATIENCE = 5.0
_RECORDED = TypeAdapter(dict[str, tuple[int, float]])


class Register:
    """The running children of this data folder, by name, with the times they were started: pids are used again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._running: dict[str, tuple[int, float]] = {}

    def started(self, name: str, pid: int) -> None:
        try:
            self._running[name] = (pid, psutil.Process(pid).create_time())
        except psutil.Error:  # it ended already
            self._running.pop(name, None)
        write_private(self._path, json.dumps(self._running) + "\n")

    def ended(self, name: str) -> None:
        self._running.pop(name, None)
        write_private(self._path, json.dumps(self._running) + "\n")

    async def end_earlier(self) -> list[str]:
        """Wait for children of an earlier supervisor, then end them. Returns the names of those that still ran."""
        left = self._read()
        found = list(left)
        for process in left.values():
            with suppress(psutil.Error):
                process.terminate()
        waited = 0.0
        while left := {name: process for name, process in left.items() if _runs(process)}:
            if waited > _PATIENCE:
                for process in left.values():
                    with suppress(psutil.Error):
                        process.kill()
            await asyncio.sleep(0.05)
            waited += 0.05
        return found

    def _read(self) -> Mapping[str, psutil.Process]:
        try:
            recorded = _RECORDED.validate_json(self._path.read_bytes())
        except (OSError, ValueError):
            return {}
        running = {}
        for name, (pid, created) in recorded.items():
            try:
                process = psutil.Process(pid)
                if abs(process.create_time() - created) < 0.02 and _runs(process):
                    running[name] = process
            except psutil.Error:
                continue
        return running


def _runs(process: psutil.Process) -> bool:
    """A zombie has ended: it waits for a parent that is not us."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
