"""What search rows a resource has, in a few bytes: an update leaves tables alone whose rows stay the same."""

from __future__ import annotations

from alembic import op

revision = "20261206_row_marks"
down_revision = "20261205_subscriptions"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    # Without a mark, as all that is kept already, an update compares the rows themselves.
    op.execute("alter table resource add column marks bytea")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("alter table resource drop column marks")
