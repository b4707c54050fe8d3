"""Rules of the installation and of hospitals: shared ones, drafts, versions, and what is known of them.

Times are hospital time; those of shared rules are the nation's and the network's own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Double, Index, UniqueConstraint, text
from sqlmodel import Field

from store.tables.base import Code, Codes, HospitalTable, Instant, Json, Table, counter


class SharedRule(Table, table=True):
    """A national or network rule, published in a signed pack or shipped. Read-only to the application."""

    digest: str = Field(primary_key=True, sa_type=Code)
    rule: str = Field(sa_type=Code)
    version: str = Field(sa_type=Code)
    point: str = Field(sa_type=Code)
    level: str = Field(sa_type=Code)
    place: str = Field(sa_type=Code)
    document: bytes
    signer: str = Field(sa_type=Code)
    since: datetime = Field(sa_type=Instant)
    until: datetime | None = Field(default=None, sa_type=Instant)
    published_at: datetime = Field(sa_type=Instant)

    __table_args__ = (UniqueConstraint("level", "place", "rule", "version", name="shared_rule_named_once"),)


class SharedRuleEdition(Table, table=True):
    """Rises with every change of the shared rules."""

    name: str = Field(primary_key=True, sa_type=Code)
    edition: int = Field(sa_type=BigInteger)


class RuleDraft(HospitalTable, table=True):
    """A rule being written. `authors`: everybody who ever saved it; none of them approves it."""

    id: UUID = Field(primary_key=True)
    rule: str = Field(sa_type=Code)
    version: str = Field(sa_type=Code)
    point: str = Field(sa_type=Code)
    level: str = Field(sa_type=Code)
    place: str = Field(sa_type=Code)
    document: bytes
    digest: str = Field(sa_type=Code)
    parent: str | None = Field(default=None, sa_type=Code)
    reason: str
    state: str = Field(sa_type=Code)
    revision: int
    authors: list[str] = Field(sa_type=Codes)
    saved_by: str = Field(sa_type=Code)
    saved_at: datetime = Field(sa_type=Instant)
    submitted_by: str | None = Field(default=None, sa_type=Code)
    submitted_at: datetime | None = Field(default=None, sa_type=Instant)
    approved_by: str | None = Field(default=None, sa_type=Code)
    approved_at: datetime | None = Field(default=None, sa_type=Instant)

    __table_args__ = (
        Index(
            "rule_draft_open",
            "hospital",
            "level",
            "place",
            "rule",
            unique=True,
            postgresql_where=text("state in ('draft', 'in-review', 'approved')"),
        ),
    )


class RuleVersion(HospitalTable, table=True):
    """A published rule of a hospital or department. `digest` is SHA-256 of `document`, its canonical JSON."""

    digest: str = Field(primary_key=True, sa_type=Code)
    rule: str = Field(sa_type=Code)
    version: str = Field(sa_type=Code)
    point: str = Field(sa_type=Code)
    level: str = Field(sa_type=Code)
    place: str = Field(sa_type=Code)
    document: bytes
    parent: str | None = Field(default=None, sa_type=Code)
    reason: str
    draft: UUID
    authors: list[str] = Field(sa_type=Codes)
    submitted_by: str = Field(sa_type=Code)
    approved_by: str = Field(sa_type=Code)
    approved_at: datetime = Field(sa_type=Instant)
    published_by: str = Field(sa_type=Code)
    published_at: datetime = Field(sa_type=Instant)
    tests: int
    branch_coverage: float = Field(sa_type=Double)
    row_coverage: float = Field(sa_type=Double)
    report: UUID | None = None
    since: datetime = Field(sa_type=Instant)
    until: datetime | None = Field(default=None, sa_type=Instant)
    retired_by: str | None = Field(default=None, sa_type=Code)
    retired_at: datetime | None = Field(default=None, sa_type=Instant)

    __table_args__ = (
        UniqueConstraint("hospital", "level", "place", "rule", "version", name="rule_version_named_once"),
        Index("rule_version_point", "hospital", "point"),
    )


class RuleEdition(HospitalTable, table=True):
    """Rises with every change of what applies in a hospital; a bundle in memory is good for one edition."""

    edition: int = Field(sa_type=BigInteger)


class RuleDisablement(HospitalTable, table=True):
    """A version switched off in an emergency; it comes back by itself at `until`."""

    id: UUID = Field(primary_key=True)
    digest: str = Field(sa_type=Code)
    since: datetime = Field(sa_type=Instant)
    until: datetime = Field(sa_type=Instant)
    reason: str
    disabled_by: str = Field(sa_type=Code)
    lifted_by: str | None = Field(default=None, sa_type=Code)
    lifted_at: datetime | None = Field(default=None, sa_type=Instant)

    __table_args__ = (Index("rule_disablement_digest", "hospital", "digest"),)


class RuleEvent(HospitalTable, table=True):
    """One change in the life of a rule."""

    id: int | None = counter()
    at: datetime = Field(sa_type=Instant)
    actor: str = Field(sa_type=Code)
    action: str = Field(sa_type=Code)
    rule: str = Field(sa_type=Code)
    digest: str | None = Field(default=None, sa_type=Code)
    draft: UUID | None = None
    reason: str
    detail: dict[str, Any] = Field(sa_type=Json)

    __table_args__ = (Index("rule_event_rule", "hospital", "rule", "id"),)


class RuleNotice(HospitalTable, table=True):
    """The owner of an override is told that its parent is not the one it was written against."""

    id: UUID = Field(primary_key=True)
    override: str = Field(sa_type=Code)
    rule: str = Field(sa_type=Code)
    owner: str = Field(sa_type=Code)
    written_against: str = Field(sa_type=Code)
    now: str = Field(sa_type=Code)
    told_at: datetime = Field(sa_type=Instant)
    seen_by: str | None = Field(default=None, sa_type=Code)
    seen_at: datetime | None = Field(default=None, sa_type=Instant)

    __table_args__ = (UniqueConstraint("hospital", "override", "now", name="rule_notice_once"),)


class RuleApprover(HospitalTable, table=True):
    """An account that approves rules of a place. A place without any is open to every approver."""

    place: str = Field(primary_key=True, sa_type=Code)
    account: str = Field(primary_key=True, sa_type=Code)
    added_by: str = Field(sa_type=Code)
    added_at: datetime = Field(sa_type=Instant)


class RulePolicy(HospitalTable, table=True):
    """What a hospital asks before a rule is published. `longest_disablement`: hours."""

    branch_coverage: float = Field(sa_type=Double)
    row_coverage: float = Field(sa_type=Double)
    impact_signed: bool
    longest_disablement: int
    changed_by: str = Field(sa_type=Code)
    changed_at: datetime = Field(sa_type=Instant)


class RuleReport(HospitalTable, table=True):
    """What a draft would have decided about past cases. `progress` holds counts and where to go on."""

    id: UUID = Field(primary_key=True)
    point: str = Field(sa_type=Code)
    rule: str = Field(sa_type=Code)
    digest: str = Field(sa_type=Code)
    document: bytes
    since: datetime | None = Field(default=None, sa_type=Instant)
    until: datetime | None = Field(default=None, sa_type=Instant)
    state: str = Field(sa_type=Code)
    progress: dict[str, Any] = Field(sa_type=Json)
    asked_by: str = Field(sa_type=Code)
    asked_at: datetime = Field(sa_type=Instant)
    done_at: datetime | None = Field(default=None, sa_type=Instant)
    signed_by: str | None = Field(default=None, sa_type=Code)
    signed_at: datetime | None = Field(default=None, sa_type=Instant)
    remark: str
    cancelled_by: str | None = Field(default=None, sa_type=Code)
    cancelled_at: datetime | None = Field(default=None, sa_type=Instant)

    __table_args__ = (Index("rule_report_digest", "hospital", "digest"),)


class DecisionOverride(HospitalTable, table=True):
    """A clinician decided otherwise than a rule. `words`: sealed."""

    workflow_id: str = Field(primary_key=True, sa_type=Code)
    step: str = Field(primary_key=True, sa_type=Code)
    point: str = Field(sa_type=Code)
    digest: str = Field(sa_type=Code)
    outcome: str = Field(sa_type=Code)
    code: str = Field(sa_type=Code)
    actor: str = Field(sa_type=Code)
    at: datetime = Field(sa_type=Instant)
    key_id: str = Field(sa_type=Code)
    words: bytes

    __table_args__ = (Index("decision_override_point", "hospital", "point", "at"),)
