"""Set-up alarms: something that set-up lacks was needed. They stay until somebody mends it."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from store import outbox
from store.database import Transaction

TOPIC = "setup-alarm"
VACANT = "vacant-position"
UNREACHED = "nobody-reached"
NO_CONTACT = "no-contact"


class Alarm(BaseModel, frozen=True):
    """`subject`: what lacks, e.g. `night-supervisor Location/ward-51`. `times`: how often it was needed."""

    kind: str
    subject: str
    first_at: datetime
    last_at: datetime
    times: int


async def set_off(tx: Transaction, kind: str, subject: str, now: datetime) -> None:
    """Note that it was needed once more; announced when it is new."""
    row = await tx.one(
        """
        insert into setup_alarm as known (hospital, kind, subject, first_at, last_at, times)
        values (%(hospital)s, %(kind)s, %(subject)s, %(now)s, %(now)s, 1)
        on conflict (hospital, kind, subject) do update
        set last_at = excluded.last_at, cleared_at = null, cleared_by = null,
            times = case when known.cleared_at is null then known.times + 1 else 1 end,
            first_at = case when known.cleared_at is null then known.first_at else excluded.first_at end
        returning times
        """,
        {"hospital": tx.hospital, "kind": kind, "subject": subject, "now": now},
    )
    if row and row["times"] == 1:
        await outbox.put(tx, TOPIC, kind)


async def clear(tx: Transaction, kind: str, subject: str, *, by: str, now: datetime) -> None:
    """It is mended; does nothing where there is no such alarm."""
    await tx.execute(
        """
        update setup_alarm set cleared_at = %s, cleared_by = %s
        where hospital = %s and kind = %s and subject = %s and cleared_at is null
        """,
        [now, by, tx.hospital, kind, subject],
    )


async def standing(tx: Transaction) -> list[Alarm]:
    """What is not mended, the latest first."""
    return await tx.rows(
        Alarm,
        """
        select kind, subject, first_at, last_at, times from setup_alarm
        where hospital = %s and cleared_at is null order by last_at desc, subject limit 200
        """,
        [tx.hospital],
    )
