"""Exports asked for by clients."""

from __future__ import annotations

from alembic import op

revision = "20261126_exports"
down_revision = "20261125_lookup_order"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")


def downgrade() -> None:
    pass
