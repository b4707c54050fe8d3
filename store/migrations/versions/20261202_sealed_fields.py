"""Data keys of hospitals, wrapped; sealed bytes may be sealed anew under another key."""

from __future__ import annotations

from alembic import op

from store.migrations.isolation import isolate

revision = "20261202_sealed_fields"
down_revision = "20261201_care_relations"

ID = 'text collate "C"'

TABLES = f"""
create table data_key (
    hospital {ID},
    id {ID},
    master {ID} not null,
    wrapped bytea,
    made_at timestamptz not null,
    current_from timestamptz not null,
    retired_at timestamptz,
    primary key (hospital, id)
);
create table resealing (
    hospital {ID},
    place {ID},
    goal {ID} not null,
    after jsonb,
    done int not null,
    finished boolean not null,
    primary key (hospital, place)
);
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute(TABLES)
    isolate("data_key", "select", "select, insert, update (master, wrapped, retired_at)")
    isolate("resealing", "select, insert, update")
    # Only what is encrypted, and by which key: never what the row says of itself.
    op.execute("grant update (key_id, body) on resource_history to phis_app")
    op.execute("grant update (key_id, facts) on decision_log to phis_app")
    op.execute("grant update (key_id, words) on broken_glass to phis_app")
    op.execute("grant update (key_id, body) on export_piece to phis_app")


def downgrade() -> None:
    op.execute("revoke update (key_id, body) on export_piece from phis_app")
    op.execute("revoke update (key_id, words) on broken_glass from phis_app")
    op.execute("revoke update (key_id, facts) on decision_log from phis_app")
    op.execute("revoke update (key_id, body) on resource_history from phis_app")
    op.execute("drop table resealing")
    op.execute("drop table data_key")
