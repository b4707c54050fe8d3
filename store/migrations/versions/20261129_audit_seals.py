"""The audit is sealed."""

from __future__ import annotations

from alembic import op

revision = "20261129_audit_seals"
down_revision = "20261128_terminology"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")


def downgrade() -> None:
    pass
