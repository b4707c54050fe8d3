"""Sealing anew beside every server, after a rotation: batch by batch, with pauses that leave the database to people.

After an update from a release that kept words of health readable in search rows, these are hidden in the same way.
"""

from __future__ import annotations

import asyncio

import structlog
from prometheus_client import Gauge

from domain.errors import PhisError, Unavailable
from store import data_keys, resealing
from store.data_keys import DataKey
from store.database import Database
from store.fhir import reindexing

log = structlog.get_logger(__name__)

LIVE = Gauge(
    "phis_data_keys", "Data keys of a hospital that are not retired; more than one while keys change.", ["hospital"]
)

_EVERY = 15  # seconds
_BREATH = 0.02  # seconds between two batches


def changing(keys: list[DataKey]) -> bool:
    """Whether a key seals that everybody knows, and an earlier one has not gone."""
    live = [key for key in keys if key.retired_at is None]
    return len(live) > 1 and live[-1].settled and not live[-1].from_ring


async def reseal(database: Database, hospital: str) -> int:
    """Everything of a hospital, and keys of the ring let go of when nothing is left of them. How many batches.

    Others may be at the same: then this ends before everything is done. Raises Unavailable.
    """
    steps = 0
    while await resealing.step(database, hospital):
        steps += 1
        await asyncio.sleep(_BREATH)
    if steps:
        await _let_ring_keys_go(database, hospital)
    return steps


async def hide_words(database: Database, hospital: str) -> int:
    """Every word of health of a hospital that an earlier release has kept readable: of how many resources."""
    done = 0
    while True:
        async with database.transaction(hospital) as tx:
            some = await reindexing.hide_words(tx)
        if not some:
            return done
        done += some
        await asyncio.sleep(_BREATH)


async def _let_ring_keys_go(database: Database, hospital: str) -> None:
    """They cannot be destroyed from here, but searches need not ask for their hashes any more."""
    async with database.transaction(hospital) as tx:
        counted = await resealing.counted(tx)
    async with database.system() as system:
        keys = (await data_keys.every(system)).get(hospital, [])
        for key in keys:
            if key.from_ring and key.retired_at is None and key.id not in counted:
                await data_keys.retire(system, hospital, key.id, {})


async def keep_resealing(database: Database) -> None:
    """For ever."""
    while True:
        try:
            async with database.system() as tx:
                found = await data_keys.every(tx)
            for hospital, keys in found.items():
                LIVE.labels(hospital).set(sum(key.retired_at is None for key in keys))
                if changing(keys) and (steps := await reseal(database, hospital)):
                    log.info("sealed anew", hospital=hospital, count=steps)
                if done := await hide_words(database, hospital):
                    log.info("words hidden", hospital=hospital, count=done)
        except Unavailable as later:
            log.info("sealing anew waits", reason=later.code)
        except PhisError as broken:  # one record that does not open must not end the server's part for all hospitals
            log.exception("sealing anew stopped", reason=broken.code, key_id=broken.params.get("key_id"))
        await asyncio.sleep(_EVERY)
