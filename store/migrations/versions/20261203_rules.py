"""Rules: versions, approvals, decisions."""

from __future__ import annotations

from alembic import op

revision = "20261203_rules"
down_revision = "20261202_sealed_fields"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")


def downgrade() -> None:
    pass
