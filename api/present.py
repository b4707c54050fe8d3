"""The present twice: as the hospital's clock shows it, and as it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from api.state import AppState
from domain.clock import HospitalClock
from store import clocks
from store.database import Transaction


@dataclass(frozen=True)
class Present:
    """now: hospital time, for everything of the domain.  real: for audit, sessions and the re-sender."""

    clock: HospitalClock
    now: datetime
    real: datetime


async def present(tx: Transaction, state: AppState) -> Present:
    clock, real = await clocks.clock_of(tx), state.now()
    return Present(clock, clock.at(real), real)
