"""The first house: hospitals, records, beds, worklists, journal, audit, processes, commands, accounts.

`id` columns and every reference are compared byte by byte (collation "C"). Every table leads with the hospital.
"""

from __future__ import annotations

from alembic import op

from store.migrations.isolation import isolate, lock, month_partition

revision = "20261123_first_house"
down_revision = None

ID = 'text collate "C"'

RECORDS = f"""
create table shared_hospital (
    code {ID} primary key,
    name_ko varchar not null,
    name_en varchar not null,
    kind {ID} not null
);
create table hospital_clock (
    hospital {ID} primary key,
    epoch timestamptz not null,
    base timestamptz not null,
    rate integer not null check (rate between 1 and 300)
);
create table resource (
    hospital {ID},
    type {ID},
    id {ID},
    version integer not null,
    last_updated timestamptz not null,
    owner {ID},
    key_id {ID} not null,
    body bytea not null,
    primary key (hospital, type, id)
);
create table resource_history (
    hospital {ID},
    type {ID},
    id {ID},
    version integer,
    last_updated timestamptz not null,
    owner {ID},
    key_id {ID} not null,
    body bytea not null,
    primary key (hospital, type, id, version)
);
-- Sealed bytes do not compress: trying costs time on every write.
alter table resource alter body set storage external;
alter table resource_history alter body set storage external;
"""

BEDS = f"""
create table bed_occupancy (
    hospital {ID},
    id bigint generated always as identity,
    bed {ID} not null,
    encounter {ID} not null,
    started_at timestamptz not null,
    ended_at timestamptz,
    primary key (hospital, id),
    constraint bed_occupancy_one_at_a_time
        exclude using gist (hospital with =, bed with =, tstzrange(started_at, ended_at, '[)') with &&)
        deferrable initially deferred
);
create unique index bed_occupancy_present on bed_occupancy (hospital, encounter) where ended_at is null;
create table inpatient_stay (
    hospital {ID},
    encounter {ID},
    patient {ID} not null,
    active boolean not null,
    primary key (hospital, encounter)
);
create unique index inpatient_stay_active on inpatient_stay (hospital, patient) where active;
"""

WORKLIST = f"""
create table worklist_task (
    hospital {ID},
    id {ID},
    workflow_id {ID} not null,
    kind {ID} not null,
    focus {ID} not null,
    patient {ID} not null,
    ward {ID} not null,
    priority {ID} not null,
    rank integer not null,
    status {ID} not null,
    owner {ID},
    owner_since timestamptz,
    due_at timestamptz not null,
    escalated boolean not null,
    opened_at timestamptz not null,
    closed_at timestamptz,
    closed_by {ID},
    revision integer not null,
    primary key (hospital, id)
);
create index worklist_task_open on worklist_task (hospital, due_at) where closed_at is null;
create index worklist_task_closed on worklist_task (hospital, closed_at) where closed_at is not null;
create table worklist_candidate (
    hospital {ID},
    task_id {ID},
    role {ID},
    primary key (hospital, task_id, role)
);
"""

JOURNAL_AND_AUDIT = f"""
create table journal (
    hospital {ID},
    id bigint generated always as identity,
    workflow_id {ID} not null,
    step {ID} not null,
    ordinal smallint not null,
    subject {ID} not null,
    patient {ID} not null,
    key {ID} not null,
    params jsonb not null,
    actor {ID},
    occurred_at timestamptz not null,
    recorded_at timestamptz not null,
    primary key (hospital, id),
    constraint journal_once unique (hospital, workflow_id, step, ordinal)
);
create index journal_of_subject on journal (hospital, subject, occurred_at, id);
create sequence audit_event_id_seq;
create table audit_event (
    hospital {ID},
    xid bigint not null,
    id bigint default nextval('audit_event_id_seq'),
    recorded_at timestamptz,
    action {ID} not null,
    actor {ID} not null,
    outcome {ID} not null,
    entities text[] collate "C" not null,
    patients text[] collate "C" not null,
    detail {ID} not null,
    address {ID},
    primary key (hospital, id, recorded_at)
) partition by range (recorded_at);
-- Nothing is refused because its month was forgotten.
create table audit_event_default partition of audit_event default;
"""

PROCESSES = f"""
create table process (
    hospital {ID},
    workflow_id {ID},
    process {ID} not null,
    revision integer not null,
    state jsonb not null,
    deadline timestamptz,
    started_at timestamptz not null,
    updated_at timestamptz not null,
    closed_at timestamptz,
    primary key (hospital, workflow_id)
);
create index process_open on process (hospital, workflow_id) where closed_at is null;
create table process_effect (
    hospital {ID},
    workflow_id {ID},
    step {ID},
    command_id uuid,
    actor {ID},
    done_at timestamptz not null,
    result jsonb,
    primary key (hospital, workflow_id, step)
);
create unique index process_effect_of_command on process_effect (hospital, command_id) where command_id is not null;
create table decision_log (
    hospital {ID},
    workflow_id {ID},
    step {ID},
    point {ID} not null,
    subject {ID} not null,
    decided_at timestamptz not null,
    outcome {ID} not null,
    values jsonb not null,
    rule {ID} not null,
    version {ID} not null,
    digest {ID} not null,
    indeterminate boolean not null,
    reason {ID} not null,
    missing text[] collate "C" not null,
    key_id {ID} not null,
    facts bytea not null,
    primary key (hospital, workflow_id, step)
);
"""

COMMANDS = f"""
create table command_ledger (
    hospital {ID},
    id uuid,
    actor {ID} not null,
    key {ID} not null,
    command {ID} not null,
    digest bytea not null,
    state {ID} not null,
    target {ID},
    message jsonb,
    status smallint,
    answer jsonb,
    received_at timestamptz not null,
    leased_until timestamptz,
    attempts integer not null,
    primary key (hospital, id),
    constraint command_ledger_key unique (hospital, actor, key)
);
create index command_ledger_pending on command_ledger (hospital, received_at) where state in ('received', 'sent');
create table outbox (
    hospital {ID},
    xid bigint,
    id bigint generated always as identity,
    topic {ID} not null,
    subject {ID} not null,
    delivered_at timestamptz,
    primary key (hospital, xid, id)
);
create index outbox_undelivered on outbox (hospital, xid) where delivered_at is null;
"""

ACCOUNTS = f"""
create table account (
    hospital {ID},
    name {ID},
    display_ko varchar not null,
    display_en varchar not null,
    roles text[] collate "C" not null,
    password_hash varchar not null,
    disabled boolean not null,
    primary key (hospital, name)
);
create table session (
    hospital {ID},
    secret_hash bytea,
    account {ID} not null,
    csrf varchar not null,
    started_at timestamptz not null,
    seen_at timestamptz not null,
    expires_at timestamptz not null,
    primary key (hospital, secret_hash)
);
create table access_token (
    hospital {ID},
    secret_hash bytea,
    label {ID} not null,
    roles text[] collate "C" not null,
    scope varchar not null,
    expires_at timestamptz not null,
    primary key (hospital, secret_hash)
);
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for tables in (RECORDS, BEDS, WORKLIST, JOURNAL_AND_AUDIT, PROCESSES, COMMANDS, ACCOUNTS):
        op.execute(tables)
    for year, month in ((2026, 11), (2026, 12), *((2027, month) for month in range(1, 13))):
        month_partition("audit_event", year, month)
    lock("audit_event_default")
    _grant()


def _grant() -> None:
    op.execute("grant select on alembic_version, shared_hospital to phis_app, phis_system")
    isolate("hospital_clock", "select, insert, update", "select")
    isolate("resource", "select, insert, update")
    isolate("resource_history", "select, insert")
    isolate("bed_occupancy", "select, insert, update")
    isolate("inpatient_stay", "select, insert, update")
    isolate("worklist_task", "select, insert, update")
    isolate("worklist_candidate", "select, insert")
    isolate("journal", "select, insert")
    isolate("audit_event", "select, insert")
    op.execute("grant usage on sequence audit_event_id_seq to phis_app")
    isolate("process", "select, insert, update", "select")
    isolate("process_effect", "select, insert, update (result)")
    isolate("decision_log", "select, insert")
    isolate("command_ledger", "select, insert, update", "select, update (leased_until, attempts)")
    isolate("outbox", "select, insert", "select, update (delivered_at), delete")
    isolate("account", "select, insert, update")
    isolate("session", "select, insert, update, delete", "select, delete")
    isolate("access_token", "select, insert, update, delete")


def downgrade() -> None:
    raise NotImplementedError("the first migration has nothing before it: restore a backup")
