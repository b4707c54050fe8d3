"""What a server does beside its requests, exports and notifications, as a process of its own, to be killed.

Prints a line before each of its steps. Its clock goes ahead of the real one, so that a lease of a killed one is over.
"""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from adapters.outgoing import Outgoing
from api.events import EventHub
from api.fhir.exporting import Exporter
from api.fhir.notifying import Notifier
from api.state import AppState
from store.database import Database
from store.exports import Leased
from store.sealing import KeyRing


@dataclass(frozen=True)
class _Exporter(Exporter):
    async def _go_on(self, leased: Leased) -> bool:
        print("export", flush=True)  # noqa: T201
        return await super()._go_on(leased)


class _Outgoing(Outgoing):
    async def send(self, *args: Any, **more: Any) -> None:
        print("notify", flush=True)  # noqa: T201
        await super().send(*args, **more)


async def run(receiver: str, ahead: timedelta) -> None:
    keys = KeyRing.parse(os.environ["PHIS_KEYS"])
    urls = os.environ["PHIS_DATABASE_URL"], os.environ["PHIS_DATABASE_SYSTEM_URL"]
    async with Database.open(*urls, keys) as database:
        state = AppState(
            database=database,
            temporal=None,
            task_queue="none",
            dispatcher=cast("Any", None),  # nothing here sends commands
            events=EventHub(),
            public_url="http://127.0.0.1",
            secure_cookies=False,
            version="test",
            outgoing=_Outgoing([receiver]),
            now=lambda: datetime.now(UTC) + ahead,
        )
        soon = timedelta(milliseconds=5)
        await asyncio.gather(_Exporter(state).keep_exporting(every=soon), Notifier(state).keep(every=soon))


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], timedelta(seconds=int(sys.argv[2]))))
