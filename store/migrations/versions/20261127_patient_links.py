"""Patients that are one person."""

from __future__ import annotations

from alembic import op

revision = "20261127_patient_links"
down_revision = "20261126_exports"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")


def downgrade() -> None:
    pass
