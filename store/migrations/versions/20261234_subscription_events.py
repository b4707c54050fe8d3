"""Events of topics that subscribers were told of, by number: whoever missed some asks for them again."""

from __future__ import annotations

from alembic import op

from store.migrations.isolation import isolate

revision = "20261234_subscription_events"
down_revision = "20261233_messages"

ID = 'text collate "C"'

TABLES = f"""
create table subscription_event (
    hospital {ID},
    id {ID},
    number bigint,
    subject {ID} not null,
    told_at timestamptz not null,
    primary key (hospital, id, number)
);
create index subscription_event_time on subscription_event (hospital, told_at);
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute(TABLES)
    isolate("subscription_event", "select, insert, update (subject, told_at), delete", "select (told_at), delete")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("drop table subscription_event")
