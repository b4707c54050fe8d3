"""Work of all hospitals that lies in the database: every server takes turns at it and goes on where another stopped."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar, Generic, TypeVar

import structlog

from api.state import AppState
from domain.errors import PhisError

log = structlog.get_logger(__name__)

_LOOKS = timedelta(milliseconds=500)

Leased = TypeVar("Leased")


@dataclass
class Turns(ABC, Generic[Leased]):
    """Leases pieces of work and serves several at once: one that waits for its receiver keeps no other waiting.

    at_once: how many a server serves at the same time.  what: what waits while the database is away, for the log.
    """

    at_once: ClassVar[int]
    what: ClassVar[str]

    state: AppState
    _running: set[asyncio.Task[None]] = field(default_factory=set)

    async def keep(self, *, every: timedelta = _LOOKS) -> None:
        """Run until cancelled. An outage of the database is waited out: the work stands in it."""
        try:
            while True:
                try:
                    while len(self._running) < self.at_once and (leased := await self._lease()) is not None:
                        turn = asyncio.create_task(self._turn(leased))
                        self._running.add(turn)
                        turn.add_done_callback(self._running.discard)
                except PhisError as later:
                    self._waits(later)
                await asyncio.sleep(every.total_seconds())
        finally:
            for turn in self._running:
                turn.cancel()

    async def turn(self) -> bool:
        """Serve one piece that has something to do; False with none."""
        leased = await self._lease()
        if leased is None:
            return False
        await self._turn(leased)
        return True

    def _waits(self, later: PhisError) -> None:
        log.warning(f"{self.what} wait", reason=later.code)

    @abstractmethod
    async def _lease(self) -> Leased | None:
        """The next piece with something to do, for this server alone until its lease ends."""

    @abstractmethod
    async def _turn(self, leased: Leased) -> None:
        """Do what is to be done. Raises nothing: what failed is tried again, here or elsewhere."""
