"""Numbers that a hospital gives its patients, and requests to merge two of their records."""

from __future__ import annotations

from alembic import op

from store.migrations.isolation import isolate

revision = "20261211_patients"
down_revision = "20261210_master_data"

ID = 'text collate "C"'

TABLES = f"""
create table patient_number (
    hospital {ID},
    last bigint not null,
    primary key (hospital)
);
create table patient_merge (
    hospital {ID},
    id uuid,
    source {ID} not null,
    target {ID} not null,
    reason {ID} not null,
    state {ID} not null,
    asked_by {ID} not null,
    asked_at timestamptz not null,
    decided_by {ID},
    decided_at timestamptz,
    primary key (hospital, id)
);
-- One open request for each record that would end.
create unique index patient_merge_open on patient_merge (hospital, source) where state = 'asked';
create index patient_merge_latest on patient_merge (hospital, state, asked_at);
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute(TABLES)
    isolate("patient_number", "select, insert, update (last)")
    isolate("patient_merge", "select, insert, update (state, decided_by, decided_at)")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("drop table patient_merge, patient_number")
