"""The readable history of a stay: what happened, in hospital words, with a link to the technical history.

Lines hold a message's key and its parameters; the sentences in Korean and English stand with the screens.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from psycopg.types.json import Jsonb
from pydantic import BaseModel

from domain.ids import Reference
from domain.journal import JournalEntry, JournalKey
from store import outbox
from store.database import Transaction

TOPIC = "journal"


class JournalLine(BaseModel, frozen=True):
    """One line as it stands. `actor` None: the process by itself. `occurred_at`: hospital time; `recorded_at`: real."""

    workflow_id: str
    step: str
    ordinal: int
    subject: Reference
    patient: Reference
    key: JournalKey
    params: dict[str, str]
    actor: str | None
    occurred_at: datetime
    recorded_at: datetime


async def write(
    tx: Transaction,
    *,
    workflow_id: str,
    step: str,
    subject: Reference,
    patient: Reference,
    entries: Sequence[JournalEntry],
    actor: str | None,
    occurred_at: datetime,
    recorded_at: datetime,
) -> None:
    """Write the lines of one step, in order. A step has its lines once: the database refuses them a second time."""
    await tx.execute(
        """
        insert into journal (hospital, workflow_id, step, ordinal, subject, patient, key, params, actor, occurred_at,
                             recorded_at)
        select %(hospital)s, %(workflow_id)s, %(step)s, ordinal, %(subject)s, %(patient)s, key, params, %(actor)s,
               %(occurred_at)s, %(recorded_at)s
        from unnest(%(keys)s::text[], %(params)s::jsonb[]) with ordinality as line (key, params, ordinal)
        """,
        {
            "hospital": tx.hospital,
            "workflow_id": workflow_id,
            "step": step,
            "subject": subject,
            "patient": patient,
            "keys": [entry.key.value for entry in entries],
            "params": [Jsonb(entry.params) for entry in entries],
            "actor": actor,
            "occurred_at": occurred_at,
            "recorded_at": recorded_at,
        },
    )
    await outbox.put(tx, TOPIC, subject)


async def read(tx: Transaction, subject: Reference) -> list[JournalLine]:
    """The story of an encounter, oldest first."""
    return await tx.rows(
        JournalLine,
        "select * from journal where hospital = %s and subject = %s order by occurred_at, id",
        [tx.hospital, subject],
    )
