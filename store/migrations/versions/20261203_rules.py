"""Rules: drafts, versions, approvals, decisions with all that is known of them."""

from __future__ import annotations

from alembic import op

from store.migrations.isolation import isolate

revision = "20261203_rules"
down_revision = "20261202_sealed_fields"

ID = 'text collate "C"'

# What everybody shares: national and network rules. Set-up writes them, the application reads.
SHARED = f"""
create table shared_rule (
    digest {ID},
    rule {ID} not null,
    version {ID} not null,
    point {ID} not null,
    level {ID} not null,
    place {ID} not null,
    document bytea not null,
    signer {ID} not null,
    since timestamptz not null,
    until timestamptz,
    published_at timestamptz not null,
    primary key (digest),
    constraint shared_rule_named_once unique (level, place, rule, version),
    constraint shared_rule_identity check (digest = encode(sha256(document), 'hex')),
    constraint shared_rule_scope check (level in ('national', 'network')),
    constraint shared_rule_time check (until is null or until >= since)
);
create table shared_rule_edition (
    name {ID},
    edition bigint not null,
    primary key (name)
);
alter table shared_hospital add column network {ID};
"""

# Four eyes: whoever wrote, saved or submitted a rule does not approve it, whatever the application believes.
OWN = f"""
create table rule_draft (
    hospital {ID},
    id uuid,
    rule {ID} not null,
    version {ID} not null,
    point {ID} not null,
    level {ID} not null,
    place {ID} not null,
    document bytea not null,
    digest {ID} not null,
    parent {ID},
    reason varchar not null,
    state {ID} not null,
    revision integer not null,
    authors text[] collate "C" not null,
    saved_by {ID} not null,
    saved_at timestamptz not null,
    submitted_by {ID},
    submitted_at timestamptz,
    approved_by {ID},
    approved_at timestamptz,
    primary key (hospital, id),
    constraint rule_draft_identity check (digest = encode(sha256(document), 'hex')),
    constraint rule_draft_scope check (
        (level = 'hospital' and place = hospital)
        or (level = 'department' and starts_with(place, hospital || '/'))
    ),
    constraint rule_draft_four_eyes check (
        approved_by is null or (approved_by <> all(authors) and approved_by <> submitted_by)
    ),
    constraint rule_draft_state check (
        state in ('draft', 'in-review', 'approved', 'published', 'dropped')
        and (state = 'draft' or state = 'dropped' or submitted_by is not null)
        and (state not in ('approved', 'published') or approved_by is not null)
    )
);
create unique index rule_draft_open on rule_draft (hospital, level, place, rule)
    where state in ('draft', 'in-review', 'approved');
create table rule_version (
    hospital {ID},
    digest {ID},
    rule {ID} not null,
    version {ID} not null,
    point {ID} not null,
    level {ID} not null,
    place {ID} not null,
    document bytea not null,
    parent {ID},
    reason varchar not null,
    draft uuid not null,
    authors text[] collate "C" not null,
    submitted_by {ID} not null,
    approved_by {ID} not null,
    approved_at timestamptz not null,
    published_by {ID} not null,
    published_at timestamptz not null,
    tests integer not null,
    branch_coverage double precision not null,
    row_coverage double precision not null,
    report uuid,
    since timestamptz not null,
    until timestamptz,
    retired_by {ID},
    retired_at timestamptz,
    primary key (hospital, digest),
    constraint rule_version_named_once unique (hospital, level, place, rule, version),
    constraint rule_version_identity check (digest = encode(sha256(document), 'hex')),
    constraint rule_version_scope check (
        (level = 'hospital' and place = hospital)
        or (level = 'department' and starts_with(place, hospital || '/'))
    ),
    constraint rule_version_four_eyes check (approved_by <> all(authors) and approved_by <> submitted_by),
    constraint rule_version_tested check (tests > 0),
    constraint rule_version_time check (until is null or until >= since)
);
create index rule_version_point on rule_version (hospital, point);
create table rule_edition (
    hospital {ID},
    edition bigint not null,
    primary key (hospital)
);
create table rule_disablement (
    hospital {ID},
    id uuid,
    digest {ID} not null,
    since timestamptz not null,
    until timestamptz not null,
    reason varchar not null,
    disabled_by {ID} not null,
    lifted_by {ID},
    lifted_at timestamptz,
    primary key (hospital, id),
    constraint rule_disablement_time check (until > since)
);
create index rule_disablement_digest on rule_disablement (hospital, digest);
create table rule_event (
    hospital {ID},
    id bigint generated always as identity,
    at timestamptz not null,
    actor {ID} not null,
    action {ID} not null,
    rule {ID} not null,
    digest {ID},
    draft uuid,
    reason varchar not null,
    detail jsonb not null,
    primary key (hospital, id)
);
create index rule_event_rule on rule_event (hospital, rule, id);
create table rule_notice (
    hospital {ID},
    id uuid,
    override {ID} not null,
    rule {ID} not null,
    owner {ID} not null,
    written_against {ID} not null,
    now {ID} not null,
    told_at timestamptz not null,
    seen_by {ID},
    seen_at timestamptz,
    primary key (hospital, id),
    constraint rule_notice_once unique (hospital, override, now)
);
create table rule_approver (
    hospital {ID},
    place {ID},
    account {ID},
    added_by {ID} not null,
    added_at timestamptz not null,
    primary key (hospital, place, account)
);
create table rule_policy (
    hospital {ID},
    branch_coverage double precision not null,
    row_coverage double precision not null,
    impact_signed boolean not null,
    longest_disablement integer not null,
    changed_by {ID} not null,
    changed_at timestamptz not null,
    primary key (hospital)
);
"""

DECIDING = f"""
create table rule_report (
    hospital {ID},
    id uuid,
    point {ID} not null,
    rule {ID} not null,
    digest {ID} not null,
    document bytea not null,
    since timestamptz,
    until timestamptz,
    state {ID} not null,
    progress jsonb not null,
    asked_by {ID} not null,
    asked_at timestamptz not null,
    done_at timestamptz,
    signed_by {ID},
    signed_at timestamptz,
    remark varchar not null,
    primary key (hospital, id),
    constraint rule_report_identity check (digest = encode(sha256(document), 'hex')),
    constraint rule_report_signed check (signed_by is null or (done_at is not null and signed_by <> asked_by))
);
create index rule_report_digest on rule_report (hospital, digest);
create table decision_override (
    hospital {ID},
    workflow_id {ID},
    step {ID},
    point {ID} not null,
    digest {ID} not null,
    outcome {ID} not null,
    code {ID} not null,
    actor {ID} not null,
    at timestamptz not null,
    key_id {ID} not null,
    words bytea not null,
    primary key (hospital, workflow_id, step)
);
create index decision_override_point on decision_override (hospital, point, at);
alter table decision_log add column trace uuid;
alter table decision_log add column dictionary {ID};
alter table decision_log add column derivation {ID};
alter table decision_log add column department {ID};
alter table decision_log add column outcomes text[] collate "C";
alter table decision_log add column rows jsonb;
alter table decision_log add column number double precision;
alter table decision_log add column wrong text[] collate "C";
create index decision_log_point on decision_log (hospital, point, decided_at, workflow_id, step);
create index decision_log_trace on decision_log (hospital, trace);
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for tables in (SHARED, OWN, DECIDING):
        op.execute(tables)
    op.execute("insert into shared_rule_edition (name, edition) values ('rules', 0)")
    op.execute("grant select on shared_rule, shared_rule_edition to phis_app, phis_system")
    saved = "rule, version, point, document, digest, parent, reason, state, revision, authors, saved_by, saved_at"
    moved = "submitted_by, submitted_at, approved_by, approved_at"
    isolate("rule_draft", f"select, insert, update ({saved}, {moved})")
    # What was published is never changed: only that, and when, it ends.
    isolate("rule_version", "select, insert, update (until, retired_by, retired_at)")
    isolate("rule_edition", "select, insert, update (edition)")
    isolate("rule_disablement", "select, insert, update (lifted_by, lifted_at)")
    isolate("rule_event", "select, insert")
    isolate("rule_notice", "select, insert, update (seen_by, seen_at)")
    isolate("rule_approver", "select, insert, delete")
    isolate("rule_policy", "select, insert, update")
    isolate("rule_report", "select, insert, update (state, progress, done_at, signed_by, signed_at, remark)")
    isolate("decision_override", "select, insert")


def downgrade() -> None:
    raise NotImplementedError("approved rules and who approved them would be forgotten: restore a backup")
