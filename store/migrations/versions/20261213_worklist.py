"""A task is begun, delegated, kept to a place and to second eyes; people put tasks off and keep filters."""

from __future__ import annotations

from alembic import op

from store.migrations.isolation import isolate

revision = "20261213_worklist"
down_revision = "20261234_subscription_events"

ID = 'text collate "C"'

TABLES = f"""
alter table worklist_task
    add column started_at timestamptz,
    add column delegated_by {ID},
    add column place {ID} not null default '',
    add column not_by text[] collate "C" not null default '{{}}',
    add column comments integer not null default 0;
alter table worklist_task
    alter column place drop default, alter column not_by drop default, alter column comments drop default;
grant delete on worklist_candidate to phis_app;
create table worklist_snooze (
    hospital {ID},
    account {ID},
    task_id {ID},
    until timestamptz not null,
    primary key (hospital, account, task_id)
);
create table worklist_filter (
    hospital {ID},
    account {ID},
    name {ID},
    filter jsonb not null,
    primary key (hospital, account, name)
);
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute(TABLES)
    isolate("worklist_snooze", "select, insert, update, delete")
    isolate("worklist_filter", "select, insert, update, delete")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("drop table worklist_filter, worklist_snooze")
    op.execute("revoke delete on worklist_candidate from phis_app")
    op.execute(
        "alter table worklist_task drop column started_at, drop column delegated_by, drop column place,"
        " drop column not_by, drop column comments"
    )
