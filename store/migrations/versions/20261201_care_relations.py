"""Who cares for whom, and who broke the glass."""

from __future__ import annotations

from alembic import op

revision = "20261201_care_relations"
down_revision = "20261130_identity"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")


def downgrade() -> None:
    pass
