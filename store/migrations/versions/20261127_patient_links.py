"""Patients that are one person: what hangs on a patient outside the records is found by patient, for a merge.

The links themselves are rows of `search_reference`, which writes bring along. Patients and references kept before are
known to merges and links when `store.fhir.reindexing` has read them.
"""

from __future__ import annotations

from alembic import op

revision = "20261127_patient_links"
down_revision = "20261126_exports"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("create index worklist_task_patient on worklist_task (hospital, patient)")
    op.execute("create index inpatient_stay_patient on inpatient_stay (hospital, patient)")


def downgrade() -> None:
    op.execute("drop index inpatient_stay_patient, worklist_task_patient")
