"""When and from where an account was last signed in with, and what failed since: shown to whoever signs in next."""

from __future__ import annotations

from alembic import op

revision = "20261217_last_sign_in"
down_revision = "20261213_worklist"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute(
        """
        alter table account
            add column signed_in_at timestamptz,
            add column signed_in_from text collate "C",
            add column failed_since integer not null default 0
        """
    )
    op.execute(
        """
        alter table session
            add column before_at timestamptz,
            add column before_from text collate "C",
            add column before_failed integer not null default 0
        """
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("alter table session drop column before_failed, drop column before_from, drop column before_at")
    op.execute("alter table account drop column failed_since, drop column signed_in_from, drop column signed_in_at")
