"""Versions of an entry, and which of them applies at an instant.

Of the approved versions that have begun and not ended, the one with the latest beginning applies; of two that began
together, the one written later. So a price from tomorrow replaces today's tomorrow, and a closure until Friday gives
way on Friday to what was before. A version without content ends an entry.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, BaseModel

from domain.setup.kinds import Basis, Kind

Content = dict[str, Any]


class State(StrEnum):
    """Proposed: waits for a second pair of eyes. Withdrawn: never applies again."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"


class Version(BaseModel, frozen=True):
    """One version of an entry, numbered from 1. `until` is excluded. Times are hospital time.

    content: None ends the entry.  decided_by: who approved or withdrew it.
    """

    kind: Kind
    code: str
    version: int
    since: AwareDatetime
    until: AwareDatetime | None = None
    content: Content | None
    basis: Basis = Basis.OWN
    source: str = ""
    state: State = State.APPROVED
    four_eyes: bool = False
    reason: str = ""
    recorded_by: str = ""
    recorded_at: AwareDatetime
    decided_by: str | None = None
    decided_at: AwareDatetime | None = None

    def stands(self, at: datetime) -> bool:
        """Whether it is approved and `at` lies within it."""
        return self.state is State.APPROVED and self.since <= at and (self.until is None or at < self.until)


def applying(versions: Iterable[Version], at: datetime) -> Version | None:
    """The version of one entry that applies at an instant; None where there is none, or the entry has ended."""
    found = max((one for one in versions if one.stands(at)), key=lambda one: (one.since, one.version), default=None)
    return found if found is not None and found.content is not None else None


def turns(versions: Iterable[Version], after: datetime) -> list[datetime]:
    """The instants after `after` at which something begins or ends, in order."""
    approved = [one for one in versions if one.state is State.APPROVED]
    instants = {one.since for one in approved} | {one.until for one in approved if one.until is not None}
    return sorted(instant for instant in instants if instant > after)


def validity(versions: Iterable[Version]) -> tuple[Content, datetime, datetime | None] | None:
    """What was last said of an entry, from when it has been one, and when it ends; None where nothing was approved."""
    approved = [one for one in versions if one.state is State.APPROVED]
    said = [one for one in approved if one.content is not None]
    if not said:
        return None
    latest = max(said, key=lambda one: (one.since, one.version))
    ends = [one.since for one in approved if one.content is None and one.since >= latest.since]
    until = min([*ends, *([latest.until] if latest.until else [])], default=None)
    if until is not None and applying(approved, until) is not None:
        until = None
    return latest.content or {}, min(one.since for one in said), until
