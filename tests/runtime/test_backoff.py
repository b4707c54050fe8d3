"""A part that dies is started again, not ever faster."""

from __future__ import annotations

from datetime import timedelta

from runtime.supervisor.backoff import Backoff

AT_ONCE = timedelta(seconds=1)
STEADY = timedelta(minutes=5)


def seconds(*runs: timedelta) -> list[float]:
    backoff = Backoff()
    return [backoff.next_delay(run).total_seconds() for run in runs]


def test_the_first_restart_is_immediate_and_later_ones_wait_longer() -> None:
    assert seconds(*[AT_ONCE] * 8) == [0, 0.5, 1, 2, 5, 10, 10, 10]


def test_a_part_that_ran_steadily_begins_anew() -> None:
    assert seconds(AT_ONCE, AT_ONCE, AT_ONCE, STEADY, AT_ONCE) == [0, 0.5, 1, 0, 0.5]
