"""Forgetting what has ended by itself or was kept for its time. Beside every server."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from domain.errors import Unavailable
from store import attempts, clients, messages, sessions, sign_ins, single_sign_on, subscription_events
from store.database import Database

log = structlog.get_logger(__name__)

_EVERY = 300  # seconds


async def forget(database: Database, now: datetime) -> int:
    """Once, in all hospitals; says how many rows went. Several servers may do so at once."""
    async with database.system() as tx:
        return (
            await sessions.forget_expired(tx, now)
            + await sign_ins.forget_expired(tx, now)
            + await attempts.forget_old(tx, now)
            + await single_sign_on.forget_expired(tx, now)
            + await clients.forget_assertions(tx, now)
            + await messages.forget_old(tx, now)
            + await subscription_events.forget_old(tx, now)
        )


async def keep_forgetting(database: Database, *, now: Callable[[], datetime]) -> None:
    """For ever. While the database is away, nothing is forgotten: what has ended opens nothing anyway."""
    while True:
        try:
            gone = await forget(database, now())
        except Unavailable as later:
            log.info("forgetting waits", reason=later.code)
        else:
            if gone:
                log.info("forgotten what has ended", count=gone)
        await asyncio.sleep(_EVERY)
