"""People and their duty: what licences and posts allow, rosters, absences, the calendar, contacts, messages."""

from __future__ import annotations

from alembic import op

from store.migrations.isolation import isolate

revision = "20261212_people"
down_revision = "20261206_row_marks"

ID = 'text collate "C"'
KEPT = f"made_at timestamptz not null, made_by {ID} not null"
ENDED = f"ended_at timestamptz, ended_by {ID}"

TABLES = f"""
create table credential (
    hospital {ID},
    source uuid,
    number integer,
    kind {ID} not null,
    practitioner {ID} not null,
    roles text[] collate "C" not null,
    places text[] collate "C" not null,
    since timestamptz,
    until timestamptz,
    primary key (hospital, source, number)
);
create index credential_of on credential (hospital, practitioner);
create table duty (
    hospital {ID},
    id uuid,
    position {ID} not null,
    place {ID} not null,
    account {ID} not null,
    since timestamptz not null,
    until timestamptz not null,
    {KEPT}, {ENDED},
    primary key (hospital, id)
);
create index duty_held on duty (hospital, position, until);
create index duty_of on duty (hospital, account, until);
create table duty_need (
    hospital {ID},
    id uuid,
    position {ID} not null,
    place {ID} not null,
    days {ID} not null,
    starts time not null,
    ends time not null,
    since date not null,
    until date,
    {KEPT}, {ENDED},
    primary key (hospital, id)
);
create table duty_above (
    hospital {ID},
    position {ID},
    made_at timestamptz,
    above {ID} not null,
    made_by {ID} not null,
    primary key (hospital, position, made_at)
);
create table absence (
    hospital {ID},
    id uuid,
    account {ID} not null,
    since timestamptz not null,
    until timestamptz not null,
    reason {ID} not null,
    substitute {ID},
    {KEPT}, {ENDED},
    primary key (hospital, id)
);
create index absence_now on absence (hospital, until);
create table holiday (
    hospital {ID},
    id uuid,
    day date not null,
    ko varchar not null,
    en varchar not null,
    closed boolean not null,
    {KEPT}, {ENDED},
    primary key (hospital, id)
);
create unique index holiday_day on holiday (hospital, day) where ended_at is null;
create table business_week (
    hospital {ID},
    since date,
    made_at timestamptz,
    weekdays {ID} not null,
    made_by {ID} not null,
    primary key (hospital, since, made_at)
);
create table contact (
    hospital {ID},
    id uuid,
    account {ID} not null,
    kind {ID} not null,
    rank integer not null,
    key_id {ID} not null,
    address bytea not null,
    quiet_from time,
    quiet_until time,
    {KEPT}, {ENDED},
    primary key (hospital, id)
);
create index contact_of on contact (hospital, account) where ended_at is null;
create table notice (
    hospital {ID},
    id uuid,
    source {ID} not null,
    step {ID} not null,
    account {ID} not null,
    kind {ID} not null,
    params jsonb not null,
    urgency {ID} not null,
    made_at timestamptz not null,
    state {ID} not null,
    contact uuid,
    attempts integer not null,
    sent_at timestamptz,
    delivered_at timestamptz,
    acknowledged_at timestamptz,
    acknowledged_how {ID},
    next_at timestamptz,
    turn integer not null,
    leased_until timestamptz,
    primary key (hospital, id)
);
create unique index notice_once on notice (hospital, source, step, account);
create index notice_due on notice (hospital, next_at) where next_at is not null;
create index notice_to on notice (hospital, account, made_at);
create table notice_event (
    hospital {ID},
    notice uuid,
    number bigint generated always as identity,
    at timestamptz not null,
    what {ID} not null,
    contact uuid,
    primary key (hospital, notice, number)
);
create table setup_alarm (
    hospital {ID},
    kind {ID},
    subject {ID},
    first_at timestamptz not null,
    last_at timestamptz not null,
    times bigint not null,
    cleared_at timestamptz,
    cleared_by {ID},
    primary key (hospital, kind, subject)
);
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute(TABLES)
    isolate("credential", "select, insert, update, delete")
    # What was entered stays: it ends, and something else begins.
    for table in ("duty", "duty_need", "absence", "holiday"):
        isolate(table, "select, insert, update (ended_at, ended_by)")
    for table in ("duty_above", "business_week", "notice_event"):
        isolate(table, "select, insert")
    isolate("contact", "select, insert, update (ended_at, ended_by, key_id, address)")
    # Servers find what is due in all hospitals; to whom and about what stays within its hospital.
    isolate(
        "notice",
        "select, insert, update",
        "select (hospital, id, next_at, turn, leased_until), update (turn, leased_until)",
    )
    isolate("setup_alarm", "select, insert, update")


def downgrade() -> None:
    raise NotImplementedError("rosters, licences and who was called when would be forgotten: restore a backup")
