"""Rules as they are kept: drafts, published versions, and what a hospital asks before it publishes one.

Documents are canonical JSON (RFC 8785); what stands in them is the business of `rules`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field


class DraftState(StrEnum):
    """Where a draft is. A published version is retired; a draft that nobody wants any more is dropped."""

    DRAFT = "draft"
    IN_REVIEW = "in-review"
    APPROVED = "approved"
    PUBLISHED = "published"
    DROPPED = "dropped"

    @property
    def open(self) -> bool:
        return self not in {DraftState.PUBLISHED, DraftState.DROPPED}


class Named(BaseModel, frozen=True):
    """Which rule a document is, as columns. level: `national`, `network`, `hospital` or `department`."""

    rule: str
    version: str
    point: str
    level: str
    place: str


class RuleText(Named, frozen=True):
    """A document to be kept: its canonical bytes and their SHA-256.

    parent: digest of the version that would apply without it.
    """

    document: bytes
    digest: str
    parent: str | None = None


class Span(BaseModel, frozen=True):
    """From (inclusive) to (exclusive)."""

    since: datetime
    until: datetime

    def covers(self, moment: datetime) -> bool:
        return self.since <= moment < self.until


class KeptVersion(Named, frozen=True):
    """A version that was ever published. owner: who submitted it, or whose pack it came in.

    disabled: when it was switched off, by the hospital that asks.
    """

    digest: str
    document: bytes
    since: datetime
    until: datetime | None
    published_at: datetime
    parent: str | None = None
    owner: str = ""
    disabled: tuple[Span, ...] = ()


class Edition(BaseModel, frozen=True):
    """Counts changes of what applies in a hospital. Equal editions mean equal rules."""

    own: int
    shared: int

    @property
    def order(self) -> tuple[int, int]:
        return (self.shared, self.own)


class Proven(BaseModel, frozen=True):
    """What a document's own tests showed, in fractions of 1."""

    passed: bool
    tests: int
    branch_coverage: float
    row_coverage: float


class PublishingPolicy(BaseModel, frozen=True):
    """What a hospital asks of a rule before it is published.

    impact_signed: a signed-off impact report of this very document.  longest_disablement: hours.
    """

    branch_coverage: float = Field(default=0.8, ge=0, le=1)
    row_coverage: float = Field(default=0.8, ge=0, le=1)
    impact_signed: bool = False
    longest_disablement: int = Field(default=72, ge=1, le=24 * 31)

    @property
    def longest(self) -> timedelta:
        return timedelta(hours=self.longest_disablement)


class Draft(RuleText, frozen=True):
    """A rule being written, as it is kept. `revision` is what a save must name."""

    id: UUID
    reason: str
    state: DraftState
    revision: int
    authors: tuple[str, ...]
    saved_by: str
    saved_at: AwareDatetime
    submitted_by: str | None
    submitted_at: AwareDatetime | None
    approved_by: str | None
    approved_at: AwareDatetime | None


class Person(BaseModel, frozen=True):
    """Who acts on a rule. on_behalf_of: the colleague who lent the roles; four eyes are none of theirs either."""

    account: str
    on_behalf_of: str | None = None

    @property
    def eyes(self) -> frozenset[str]:
        return frozenset(name for name in (self.account, self.on_behalf_of) if name)
