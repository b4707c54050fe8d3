"""Messages that were carried out, and what was answered: the same message again gets the same answer.

hl7.org/fhir/R4/messaging.html#reliable. The answer may name what was sent, so it is sealed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from domain.errors import Conflict
from store.database import SystemTransaction, Transaction
from store.sealing import Sealed, SealedColumn, open_, place, seal

KEPT = timedelta(days=30)
"""How long an answer is kept, real time. No sender tries for longer; a later one would be a new message."""

_PURPOSE = "message"


def _place(hospital: str, row: Mapping[str, Any]) -> bytes:
    return place(hospital, "message", str(row["actor"]), str(row["message"]))


SEALED = SealedColumn(
    table="message_taken",
    order={"actor": "text", "message": "text"},
    key="key_id",
    data="answer",
    purpose=_PURPOSE,
    place=_place,
)


async def answered(tx: Transaction, actor: str, message: str, digest: bytes) -> bytes | None:
    """The answer that a message got before; None for a new one, which nobody else then takes until the commit.

    digest: of the message's content. Raises Conflict for another message under this id.
    """
    await tx.execute(
        "select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"message/{tx.hospital}/{actor}/{message}"]
    )
    row = await tx.one(
        "select digest, key_id, answer from message_taken where hospital = %s and actor = %s and message = %s",
        [tx.hospital, actor, message],
    )
    if row is None:
        return None
    if bytes(row["digest"]) != digest:
        raise Conflict("another message of this id was carried out", message=message)
    where = _place(tx.hospital, {"actor": actor, "message": message})
    return open_(tx.keys, Sealed(row["key_id"], row["answer"]), where, purpose=_PURPOSE, hospital=tx.hospital)


async def keep(tx: Transaction, actor: str, message: str, digest: bytes, *, answer: bytes, now: datetime) -> None:
    """What was answered to a message that `answered` found to be new. now: real time."""
    where = _place(tx.hospital, {"actor": actor, "message": message})
    sealed = seal(tx.keys, answer, where, purpose=_PURPOSE, hospital=tx.hospital)
    await tx.execute(
        """
        insert into message_taken (hospital, actor, message, digest, taken_at, key_id, answer)
        values (%s, %s, %s, %s, %s, %s, %s)
        """,
        [tx.hospital, actor, message, digest, now, sealed.key_id, sealed.data],
    )


async def forget_old(tx: SystemTransaction, now: datetime) -> int:
    """Delete answers of all hospitals that were kept for their time, and say how many."""
    gone = await tx.one(
        "with gone as (delete from message_taken where taken_at <= %s returning 1) select count(*) as n from gone",
        [now - KEPT],
    )
    return int(gone["n"]) if gone else 0
