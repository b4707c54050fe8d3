"""Master data: what a hospital sets up of itself, with versions that begin and end."""

from __future__ import annotations

from alembic import op

from store.migrations.isolation import isolate

revision = "20261210_master_data"
down_revision = "20261209_rules_impact"

ID = 'text collate "C"'

# Four eyes: whoever recorded a version does not approve it where the hospital asks for a second pair of eyes.
TABLES = f"""
create table master_entry (
    hospital {ID},
    kind {ID},
    code {ID},
    version integer,
    since timestamptz not null,
    until timestamptz,
    content jsonb,
    basis {ID} not null,
    source varchar not null,
    state {ID} not null,
    four_eyes boolean not null,
    reason varchar not null,
    recorded_by {ID} not null,
    recorded_at timestamptz not null,
    decided_by {ID},
    decided_at timestamptz,
    primary key (hospital, kind, code, version),
    constraint master_entry_time check (until is null or until > since),
    constraint master_entry_basis check (basis in ('sourced', 'sample', 'own')),
    constraint master_entry_state check (
        state in ('proposed', 'approved', 'withdrawn')
        and (state <> 'approved' or not four_eyes or decided_by is not null)
    ),
    constraint master_entry_four_eyes check (state <> 'approved' or not four_eyes or decided_by <> recorded_by)
);
create index master_entry_waiting on master_entry (hospital, kind, code) where state = 'proposed';
create table master_turn (
    hospital {ID},
    kind {ID},
    code {ID},
    at timestamptz,
    resources jsonb not null,
    primary key (hospital, kind, code, at)
);
create index master_turn_at on master_turn (hospital, at);
create table master_edition (
    hospital {ID},
    edition bigint not null,
    primary key (hospital)
);
create table master_policy (
    hospital {ID},
    kind {ID},
    set_by {ID} not null,
    set_at timestamptz not null,
    primary key (hospital, kind)
);
create table master_pack (
    hospital {ID},
    name {ID},
    version {ID} not null,
    size {ID} not null,
    publisher {ID} not null,
    key {ID} not null,
    entries integer not null,
    taken_by {ID} not null,
    taken_at timestamptz not null,
    primary key (hospital, name)
);
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute(TABLES)
    # What was said is never changed: only whether it is approved or withdrawn.
    isolate("master_entry", "select, insert, update (state, decided_by, decided_at)")
    # Servers find hospitals in which something is due; what it is stays within the hospital.
    isolate("master_turn", "select, insert, delete", "select (hospital, at)")
    isolate("master_edition", "select, insert, update (edition)")
    isolate("master_policy", "select, insert, delete")
    isolate("master_pack", "select, insert")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("drop table master_pack, master_policy, master_edition, master_turn, master_entry")
