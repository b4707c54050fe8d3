"""How long to wait before a part that died is started again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

_DELAYS = tuple(timedelta(seconds=s) for s in (0, 0.5, 1, 2, 5, 10))


@dataclass
class Backoff:
    """At once the first time, then slower and slower; a part that ran for a while begins anew.

    `steady`: running that long counts as having recovered.
    """

    delays: Sequence[timedelta] = _DELAYS
    steady: timedelta = timedelta(seconds=60)
    failures: int = 0

    def next_delay(self, ran_for: timedelta) -> timedelta:
        """The wait before the next start, given how long the last run lasted."""
        if ran_for >= self.steady:
            self.failures = 0
        delay = self.delays[min(self.failures, len(self.delays) - 1)]
        self.failures += 1
        return delay
