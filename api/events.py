"""Telling browsers that something changed: which topic, never what. Rows are fetched with the viewer's own rights."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Subscription:
    """One browser's ear. Topics that arrive while it is busy are kept once each, so it never grows."""

    def __init__(self) -> None:
        self._topics: set[str] = set()
        self._stir = asyncio.Event()
        self.closed = False

    def tell(self, topic: str) -> None:
        self._topics.add(topic)
        self._stir.set()

    def close(self) -> None:
        self.closed = True
        self._stir.set()

    async def topics(self, patience: float) -> list[str]:
        """The topics that changed since the last call, sorted; empty after `patience` seconds without any."""
        try:
            async with asyncio.timeout(patience):
                await self._stir.wait()
        except TimeoutError:
            return []
        self._stir.clear()
        told, self._topics = sorted(self._topics), set()
        return told


class EventHub:
    """Connects what the listener hears from the database with the open streams of this server."""

    def __init__(self) -> None:
        self._ears: dict[str, set[Subscription]] = {}
        self._closed = False

    def publish(self, hospital: str, topic: str) -> None:
        """Wake every stream of a hospital. Cheap when nobody listens."""
        for ear in self._ears.get(hospital, ()):
            ear.tell(topic)

    def publish_everywhere(self, *topics: str) -> None:
        """Wake every stream: nobody knows what changed while the database could not be heard."""
        for hospital in list(self._ears):
            for topic in topics:
                self.publish(hospital, topic)

    @contextmanager
    def listen(self, hospital: str) -> Iterator[Subscription]:
        """A subscription for as long as the block runs; already closed when the server is stopping."""
        ear = Subscription()
        ears = self._ears.setdefault(hospital, set())
        ears.add(ear)
        if self._closed:
            ear.close()
        try:
            yield ear
        finally:
            ears.discard(ear)

    @property
    def listening(self) -> int:
        return sum(len(ears) for ears in self._ears.values())

    def close(self) -> None:
        """End all streams, before the server waits for its connections to end."""
        self._closed = True
        for ears in self._ears.values():
            for ear in ears:
                ear.close()
