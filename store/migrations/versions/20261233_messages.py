"""Answers to messages are forgotten after their time, in all hospitals."""

from __future__ import annotations

from alembic import op

revision = "20261233_messages"
down_revision = "20261211_patients"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("create index message_taken_time on message_taken (hospital, taken_at)")
    # Servers let go of what is old; who sent what, and what was answered, they do not see.
    op.execute("create policy every_hospital on message_taken to phis_system using (true) with check (true)")
    op.execute("grant select (taken_at), delete on message_taken to phis_system")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("revoke select (taken_at), delete on message_taken from phis_system")
    op.execute("drop policy every_hospital on message_taken")
    op.execute("drop index message_taken_time")
