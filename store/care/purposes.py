"""Why somebody opens sensitive records of a patient: said once, good for a shift."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.ids import Reference
from domain.reach import Purpose
from store.database import Transaction

LASTS = timedelta(hours=12)


async def state(
    tx: Transaction,
    *,
    actor: str,
    patient: Reference,
    purpose: Purpose,
    now: datetime,
    lasts: timedelta = LASTS,
) -> datetime:
    """Until when it holds."""
    until = now + lasts
    await tx.execute(
        """
        insert into stated_purpose (hospital, actor, patient, purpose, stated_at, until)
        values (%(hospital)s, %(actor)s, %(patient)s, %(purpose)s, %(now)s, %(until)s)
        on conflict (hospital, actor, patient) do update
        set purpose = excluded.purpose, stated_at = excluded.stated_at, until = excluded.until
        """,
        {
            "hospital": tx.hospital,
            "actor": actor,
            "patient": patient,
            "purpose": purpose.value,
            "now": now,
            "until": until,
        },
    )
    return until
