"""Showing what becomes due in every hospital, for whoever reads over FHIR without giving a command."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from api.present import present
from api.state import AppState
from domain.clock import HospitalClock
from domain.errors import PhisError
from store import clocks
from store.setup import showing

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=5)


async def keep_turning(state: AppState, *, every: timedelta = EVERY) -> None:
    """Turn what is due, for ever. Several servers may do it: each thing is turned once."""
    while True:
        try:
            for hospital in await due(state):
                async with state.database.transaction(hospital) as tx:
                    await showing.turn(tx, (await present(tx, state)).now)
        except PhisError as later:
            log.warning("changes of set-up wait: %s", later.code)
        await asyncio.sleep(every.total_seconds())


async def due(state: AppState) -> list[str]:
    """The hospitals in which something is due by their own clock."""
    real = state.now()
    async with state.database.system() as system:
        planned = await showing.next_turns(system)
        known = await clocks.clocks(system)
    return [code for code, at in planned.items() if at <= known.get(code, HospitalClock()).at(real)]
