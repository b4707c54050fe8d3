"""Our FHIR server as a process that the kernel holds to its memory and processor time: `python -m tests.fhir.limited`.

Reads one line of JSON: addresses and keys of the database and of Temporal, port, bytes, seconds.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from typing import Any

import uvicorn

from api.app import create_app
from api.commands.dispatch import Dispatcher
from api.commands.processes import Processes
from api.events import EventHub
from api.state import AppState
from runtime.temporal import connect
from store.database import Database
from store.sealing import KeyRing


async def serve(given: dict[str, Any]) -> None:
    keys = KeyRing.parse(given["keys"])
    client = await connect(given["temporal"], "phis", keys, lazy=True)
    async with Database.open(given["app"], given["system"], keys, app_size=2, system_size=1) as database:
        state = AppState(
            database=database,
            temporal=client,
            task_queue="limited",
            dispatcher=Dispatcher(database, Processes(client, "limited")),
            events=EventHub(),
            public_url=f"http://127.0.0.1:{given['port']}",
            secure_cookies=False,
            version="test",
        )
        config = uvicorn.Config(
            create_app(state), port=given["port"], log_config=None, access_log=False, lifespan="off"
        )
        await uvicorn.Server(config).serve()


if __name__ == "__main__":
    told = json.loads(sys.stdin.readline())
    resource.setrlimit(resource.RLIMIT_AS, (told["bytes"], told["bytes"]))
    resource.setrlimit(resource.RLIMIT_CPU, (told["seconds"], told["seconds"]))
    asyncio.run(serve(told))
