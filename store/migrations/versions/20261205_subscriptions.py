"""Subscriptions that are served, and messages that were taken."""

from __future__ import annotations

from alembic import op

from store.migrations.isolation import isolate

revision = "20261205_subscriptions"
down_revision = "20261203_rules"

ID = 'text collate "C"'

TABLES = f"""
create table subscription_delivery (
    hospital {ID},
    id {ID},
    state {ID} not null,
    actor {ID} not null,
    token bytea not null,
    letters jsonb not null,
    base {ID} not null,
    position bigint not null,
    place bigint not null,
    events bigint not null,
    attempts integer not null,
    next_at timestamptz,
    heartbeat_at timestamptz,
    ends_at timestamptz,
    turn integer not null,
    leased_until timestamptz,
    primary key (hospital, id)
);
create index subscription_delivery_served on subscription_delivery (hospital, id)
    where state in ('requested', 'active');
create table message_taken (
    hospital {ID},
    actor {ID},
    message {ID},
    digest bytea not null,
    taken_at timestamptz not null,
    key_id {ID} not null,
    answer bytea not null,
    primary key (hospital, actor, message)
);
-- Sealed bytes do not compress: trying costs time on every write.
alter table message_taken alter answer set storage external;
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute(TABLES)
    # Servers find work of all hospitals; who asked and what it allowed stays within its hospital.
    isolate(
        "subscription_delivery",
        "select, insert, update",
        "select (hospital, id, state, position, place, next_at, heartbeat_at, ends_at, turn, leased_until), "
        "update (turn, leased_until)",
    )
    isolate("message_taken", "select, insert, update (key_id, answer)")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("drop table message_taken, subscription_delivery")
