"""Instants as text that sorts by time, and an instant between two others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_FRACTION = 6


def sortable(text: str) -> str:
    """A UTC instant (`rules.taking.normal_instant`) with all six digits of its fraction: by these, text sorts by time.

    Without them `…00.5Z` stands before `…00Z`.
    """
    whole, _, fraction = text.removesuffix("Z").partition(".")
    return f"{whole}.{fraction.ljust(_FRACTION, '0')}Z"


def readable(text: str) -> str:
    """The same instant without a fraction of nothing."""
    return text.replace(".000000Z", "Z")


def just_after(low: str, high: str | None = None) -> str:
    """An instant after `low` and before `high`, both sortable: a second later where there is room for that."""
    start = datetime.fromisoformat(low)
    try:
        later = start + timedelta(seconds=1)
    except OverflowError:
        later = start
    if high is not None and later >= (end := datetime.fromisoformat(high)):
        later = start + (end - start) / 2
    return _written(later)


def just_before(high: str) -> str:
    """An instant a second before a sortable one."""
    try:
        return _written(datetime.fromisoformat(high) - timedelta(seconds=1))
    except OverflowError:
        return high


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
