"""`phis up` from its options to its exit code."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress

import structlog
from rich.console import Console

from runtime import logs
from runtime.settings import Settings
from runtime.supervisor import place as places
from runtime.supervisor.house import House, resolve
from runtime.supervisor.place import Place
from runtime.supervisor.plan import Wish, choose_ports
from runtime.supervisor.status import Board, announce

log = structlog.get_logger(__name__)


def up(wish: Wish, settings: Settings) -> None:
    """Run until asked to stop. Raises PhisError when it cannot start; everything is stopped then."""
    place = places.take(wish.data_dir, ephemeral=wish.ephemeral)
    try:
        asyncio.run(_run(wish, settings, place))
    finally:
        place.leave()


async def _run(wish: Wish, settings: Settings, place: Place) -> None:
    console = Console()
    board = Board(console)
    chosen = choose_ports(wish, settings)
    house = House(
        resolve(settings, place, chosen),
        place,
        chosen,
        wish.demo,
        on_terminal=console.is_terminal,
        changed=board.changed,
    )
    stop = asyncio.Event()

    def asked() -> None:
        if stop.is_set():
            house.hurry()
        stop.set()

    for signal_ in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(signal_, asked)
    board.show(house.parts)
    # After the board, which puts lines of ours above itself from now on.
    logs.configure("up", style=settings.log_format, level=settings.log_level, stream=sys.stderr)
    if place.moved_from:
        log.warning("PostgreSQL's user cannot reach the usual data folder, this one is used", path=str(place.directory))
    try:
        starting = asyncio.create_task(house.start())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            announce(console, starting.result(), place.directory)
            await stopping
        else:
            starting.cancel()
            with suppress(asyncio.CancelledError):
                await starting
        log.info("stopping")
    finally:
        await house.drain()
        board.close()
    log.info("stopped")
