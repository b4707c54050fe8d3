"""What is said of the installed files: whether they are those that somebody signed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum


class Files(StrEnum):
    """The state of the installed files."""

    UNKNOWN = "unknown"  # not looked at yet
    UNSIGNED = "unsigned"  # there is no signature: a checkout of developers, or set-up was not finished
    INTACT = "intact"
    CHANGED = "changed"  # not what was signed


@dataclass(frozen=True)
class ManifestState:
    """changed: at most the first hundred, with a word before each: changed, missing, new.  checked_at: real time."""

    files: Files = Files.UNKNOWN
    changed: tuple[str, ...] = ()
    signed_at: datetime | None = None
    signed_by: str = ""
    checked_at: datetime | None = None
    refuses_writes: bool = False


@dataclass(frozen=True)
class AdvisoryState:
    """Known advisories about what is installed. unmended: package, version and the advisory's id."""

    reviewed: date
    age: timedelta
    stale: bool
    known: int
    unmended: tuple[tuple[str, str, str], ...]
