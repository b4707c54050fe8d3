"""Accounts: second factors, lock-outs, clients."""

from __future__ import annotations

from alembic import op

revision = "20261130_identity"
down_revision = "20261129_audit_seals"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")


def downgrade() -> None:
    pass
