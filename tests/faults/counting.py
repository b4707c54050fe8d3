"""A worker of one task queue, to be killed: `python -m tests.faults.counting QUEUE`. Says when it polls."""

from __future__ import annotations

import asyncio
import os
import sys

from runtime.temporal import connect
from runtime.worker import build_worker
from store.database import Database
from store.sealing import KeyRing


async def run(queue: str) -> None:
    keys = KeyRing.parse(os.environ["PHIS_KEYS"])
    urls = os.environ["PHIS_DATABASE_URL"], os.environ["PHIS_DATABASE_SYSTEM_URL"]
    async with Database.open(*urls, keys) as database:
        client = await connect(os.environ["PHIS_TEMPORAL_ADDRESS"], "phis", keys)
        async with build_worker(client, database, task_queue=queue):
            print("working", flush=True)  # noqa: T201
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1]))
