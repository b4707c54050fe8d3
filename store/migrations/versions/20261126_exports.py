"""Exports asked for by clients: what was asked, how far it is, and its files in sealed pieces."""

from __future__ import annotations

from alembic import op

from store.migrations.isolation import isolate

revision = "20261126_exports"
down_revision = "20261124_resource_search"

ID = 'text collate "C"'

TABLES = f"""
create table export_job (
    hospital {ID},
    id uuid,
    actor {ID} not null,
    state {ID} not null,
    kept boolean not null,
    asked_at timestamptz not null,
    transaction_time timestamptz not null,
    snapshot {ID} not null,
    key_id {ID} not null,
    asked bytea not null,
    at_type {ID} not null,
    after_id {ID} not null,
    resources bigint not null,
    failures integer not null,
    turn integer not null,
    leased_until timestamptz,
    finished_at timestamptz,
    expires_at timestamptz,
    primary key (hospital, id)
);
create index export_job_kept on export_job (hospital, asked_at) where kept;
create index export_job_time on export_job (hospital, transaction_time);
create table export_file (
    hospital {ID},
    job uuid,
    number integer,
    kind {ID} not null,
    type {ID} not null,
    resources integer not null,
    bytes bigint not null,
    pieces integer not null,
    primary key (hospital, job, number)
);
create table export_piece (
    hospital {ID},
    job uuid,
    file integer,
    number integer,
    key_id {ID} not null,
    body bytea not null,
    patients text[] collate "C" not null,
    primary key (hospital, job, file, number)
);
-- Sealed bytes do not compress: trying costs time on every write.
alter table export_piece alter body set storage external;
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute(TABLES)
    # Servers find work of all hospitals; who asked for what, and every file, stays within its hospital.
    isolate(
        "export_job",
        "select, insert, update",
        "select (hospital, id, state, kept, asked_at, expires_at, turn, leased_until), update (turn, leased_until)",
    )
    isolate("export_file", "select, insert, update, delete")
    isolate("export_piece", "select, insert, delete")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("drop table export_piece, export_file, export_job")
