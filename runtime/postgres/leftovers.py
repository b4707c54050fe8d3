"""PostgreSQL processes that a killed supervisor, or a killed server, left over a data folder."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

_POLL = 0.1
_LOUDER = {50: signal.SIGQUIT, 100: signal.SIGKILL}  # after so many looks


async def end_leftovers(data: Path, progress: Callable[[str], None]) -> None:
    """Wait for, then end, what a killed supervisor left over this folder. The folder is ours, so nobody uses them."""
    pid_file = data / "postmaster.pid"
    for attempt in range(150):
        left = _processes_in(data)
        if not left:
            break
        if attempt == 0:
            progress("the PostgreSQL of an earlier run is still stopping")
        if request := _LOUDER.get(attempt):
            for process in left:
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(request)
        await asyncio.sleep(_POLL)
    # Its number may belong to another program by now, which PostgreSQL would take for a running server.
    pid_file.unlink(missing_ok=True)


def _processes_in(directory: Path) -> list[psutil.Process]:
    """Every server process whose working folder this is: PostgreSQL's all sit in their data folder."""
    inside = []
    for process in psutil.process_iter():
        try:
            if process.name() == "postgres" and process.cwd() == str(directory.resolve()):
                inside.append(process)
        except psutil.Error:
            continue
    return inside
