"""Code systems and value sets in a form that can be asked."""

from __future__ import annotations

from alembic import op

revision = "20261128_terminology"
down_revision = "20261127_patient_links"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")


def downgrade() -> None:
    pass
