"""Who cares for whom, who broke the glass, who acts for whom."""

from __future__ import annotations

from alembic import op

from store.migrations.isolation import isolate

revision = "20261201_care_relations"
down_revision = "20261130_identity"

ID = 'text collate "C"'

TABLES = f"""
create table care_relation (
    hospital {ID},
    holder uuid,
    patient uuid,
    source uuid,
    until timestamptz not null,
    primary key (hospital, holder, patient, source)
);
create index care_relation_source on care_relation (hospital, source);
create table standing (
    hospital {ID},
    account {ID},
    practitioner {ID},
    places text[] collate "C" not null,
    primary key (hospital, account)
);
create table broken_glass (
    hospital {ID},
    id uuid,
    actor {ID} not null,
    patient {ID} not null,
    reason {ID} not null,
    key_id {ID} not null,
    words bytea not null,
    broken_at timestamptz not null,
    until timestamptz not null,
    reviewed_at timestamptz,
    reviewed_by {ID},
    verdict {ID},
    remark_key_id {ID},
    remark bytea,
    primary key (hospital, id)
);
create index broken_glass_actor on broken_glass (hospital, actor, until);
create index broken_glass_time on broken_glass (hospital, broken_at);
create table stated_purpose (
    hospital {ID},
    actor {ID},
    patient {ID},
    purpose {ID} not null,
    stated_at timestamptz not null,
    until timestamptz not null,
    primary key (hospital, actor, patient)
);
create table delegation (
    hospital {ID},
    id uuid,
    giver {ID} not null,
    taker {ID} not null,
    roles text[] collate "C" not null,
    since timestamptz not null,
    until timestamptz not null,
    ended_at timestamptz,
    primary key (hospital, id)
);
create index delegation_taker on delegation (hospital, taker, until);
alter table session add column acting_for {ID};
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute(TABLES)
    isolate("care_relation", "select, insert, update (until), delete")
    isolate("standing", "select, insert, update, delete")
    # What was opened in an emergency stays on record: only its review is added.
    review = "reviewed_at, reviewed_by, verdict, remark_key_id, remark"
    isolate("broken_glass", f"select, insert, update ({review})")
    isolate("stated_purpose", "select, insert, update")
    isolate("delegation", "select, insert, update (ended_at)")


def downgrade() -> None:
    raise NotImplementedError("who opened which record in an emergency would be forgotten: restore a backup")
