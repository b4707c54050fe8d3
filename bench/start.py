"""How long a newcomer waits and how much memory an idle house takes: `python -m bench.start`."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import time

import psutil

from bench.report import Figure, show
from tests.faults.running import RunningHouse

_WARM_STARTS = 3
_HELPS = 7
_IDLE_SECONDS = 10


async def measure() -> list[Figure]:
    """Start a house in a new folder, stop and start it again, let it idle."""
    house = RunningHouse.in_a_new_folder()
    try:
        helps = [_timed_help(house) for _ in range(_HELPS)]
        first = await _timed_start(house)
        warm = []
        for _ in range(_WARM_STARTS):
            await house.stop()
            warm.append(await _timed_start(house))
        await asyncio.sleep(_IDLE_SECONDS)
        parts = _memory(house.pid)
    finally:
        await house.stop()
        house.remove()
    return [
        Figure("phis --help, median", statistics.median(helps), "s", 0.4),
        Figure("first phis up to ready (new folder)", first, "s"),
        Figure("warm phis up to ready, median", statistics.median(warm), "s", 6),
        Figure("idle memory of everything together (PSS)", sum(parts.values()), "MB", 700),
        *(Figure(f"  of that: {name}", size, "MB") for name, size in sorted(parts.items())),
    ]


def _timed_help(house: RunningHouse) -> float:
    began = time.perf_counter()
    subprocess.run(house.command("--help"), check=True, capture_output=True, env=house.environment())
    return time.perf_counter() - began


async def _timed_start(house: RunningHouse) -> float:
    began = time.perf_counter()
    await house.start()
    return time.perf_counter() - began


def _memory(pid: int) -> dict[str, float]:
    """Proportional set size, MB, by part: shared pages are counted once over all of them."""
    found: dict[str, float] = {}
    supervisor = psutil.Process(pid)
    for process in (supervisor, *supervisor.children(recursive=True)):
        line = process.cmdline()
        name = "supervisor" if process == supervisor else _name_of(line, process.name())
        found[name] = found.get(name, 0.0) + process.memory_full_info().pss / 2**20
    return found


def _name_of(line: list[str], program: str) -> str:
    return next((part for part in ("server", "worker") if line[-1:] == [part]), program)


if __name__ == "__main__":
    show("start", asyncio.run(measure()))
