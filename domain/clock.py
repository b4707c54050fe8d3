"""The hospital's clock: domain time as a function of real time, so that a demonstration can run faster."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field

_START = datetime(2000, 1, 1, tzinfo=UTC)


class HospitalClock(BaseModel, frozen=True):
    """Hospital time = epoch + (real - base) x rate.

    `rate` is 1 in production and at most 300. It is fixed while processes are open, because their due instants are
    hospital time and their timers real time.
    """

    epoch: AwareDatetime = _START
    base: AwareDatetime = _START
    rate: Annotated[int, Field(ge=1, le=300)] = 1

    def at(self, real: datetime) -> datetime:
        """Hospital time, UTC, at a real instant."""
        return (self.epoch + (real - self.base) * self.rate).astimezone(UTC)

    def real(self, instant: datetime) -> datetime:
        """The real instant, UTC, at which the hospital's clock shows `instant`."""
        return (self.base + (instant - self.epoch) / self.rate).astimezone(UTC)

    def wait(self, until: datetime, now: datetime) -> timedelta:
        """Real time from hospital time `now` to hospital time `until`; zero when it has passed."""
        return max(until - now, timedelta()) / self.rate
