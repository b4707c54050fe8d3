"""What a hospital sets up."""

from __future__ import annotations

from alembic import op

revision = "20261204_master_data"
down_revision = "20261203_rules"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")


def downgrade() -> None:
    pass
