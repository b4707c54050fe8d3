"""Impact reports are counted by a process of their own, and can be stopped."""

from __future__ import annotations

from alembic import op

revision = "20261209_rules_impact"
down_revision = "20261212_people"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute('alter table rule_report add column cancelled_by text collate "C"')
    op.execute("alter table rule_report add column cancelled_at timestamptz")
    # One that a server was still counting has no process that could go on with it: it is asked for again.
    op.execute("update rule_report set state = 'failed' where state = 'running'")
    op.execute(
        "alter table rule_report add constraint rule_report_state "
        "check (state in ('running', 'done', 'failed', 'cancelled') "
        "and (state = 'cancelled') = (cancelled_by is not null))"
    )
    op.execute("grant update (cancelled_by, cancelled_at) on rule_report to phis_app")


def downgrade() -> None:
    op.execute("alter table rule_report drop constraint rule_report_state")
    op.execute("alter table rule_report drop column cancelled_by")
    op.execute("alter table rule_report drop column cancelled_at")
