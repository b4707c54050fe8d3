"""One part under watch: its state, and what happens when it dies."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum

import structlog

from domain.errors import PhisError
from runtime.supervisor.backoff import Backoff
from runtime.supervisor.leftovers import Register
from runtime.supervisor.parts import Part

log = structlog.get_logger(__name__)


class State(StrEnum):
    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    DOWN = "down"
    STOPPING = "stopping"
    STOPPED = "stopped"


class Watched:
    """Starts a part, starts it again whenever it dies, and stops it."""

    def __init__(self, part: Part, register: Register, changed: Callable[[], None]) -> None:
        self.part = part
        self.state = State.WAITING
        self.restarts = 0
        self.note = ""
        self._register = register
        self._changed = changed
        self._backoff = Backoff()
        self._watching: asyncio.Task[None] | None = None
        self._started = 0.0

    @property
    def pid(self) -> int | None:
        child = self.part.child
        return child.pid if child and child.exit_code() is None else None

    async def start(self) -> None:
        """The first start: it succeeds, or its error ends `phis up`."""
        await self._start()
        self._watching = asyncio.create_task(self._watch(), name=f"watch-{self.part.name}")

    async def stop(self, *, hurry: Callable[[], bool]) -> int:
        """Drain it, and start it no more. Returns the exit code."""
        await self.unwatch()
        if self.state is State.WAITING:
            return 0
        was_ready = self.state is State.READY
        self._become(State.STOPPING)
        code = await self.part.stop(hurry=hurry())
        self._register.ended(self.part.name)
        self._become(State.STOPPED)
        if code and was_ready:
            log.warning("stopped without draining", name=self.part.name, exit_code=code)
        return code

    async def unwatch(self) -> None:
        """Start it no more when it dies."""
        if self._watching:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    async def _start(self) -> None:
        self._become(State.STARTING)
        self._started = time.monotonic()
        await self.part.start()
        if child := self.part.child:
            self._register.started(self.part.name, child.pid)
        self._become(State.READY)
        taken = round(time.monotonic() - self._started, 2)
        log.info("ready", name=self.part.name, pid=self.pid, seconds=taken)

    async def _watch(self) -> None:
        while True:
            child = self.part.child
            code = await child.wait() if child else -1
            delay = self._backoff.next_delay(timedelta(seconds=time.monotonic() - self._started))
            self.restarts += 1
            self.note = f"ended with code {code}"
            self._become(State.DOWN)
            log.warning("died, starts again", name=self.part.name, exit_code=code, seconds=delay.total_seconds())
            await self._again(delay)

    async def _again(self, delay: timedelta) -> None:
        while True:
            await asyncio.sleep(delay.total_seconds())
            try:
                await self._start()
            except (PhisError, OSError) as refused:
                self.note = str(refused)
                self._become(State.DOWN)
                delay = self._backoff.next_delay(timedelta())
                log.warning("does not start", name=self.part.name, reason=str(refused), seconds=delay.total_seconds())
            else:
                return

    def _become(self, state: State) -> None:
        self.state = state
        self._changed()
