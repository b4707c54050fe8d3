"""Nothing: code systems are asked in memory, compiled from their resources (ADR 0015). Its place in the chain stays."""

from __future__ import annotations

from alembic import op

revision = "20261128_terminology"
down_revision = "20261127_patient_links"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")


def downgrade() -> None:
    pass
