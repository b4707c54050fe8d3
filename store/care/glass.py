"""Breaking the glass: a record opened in an emergency, with a reason, for a short time, and looked at afterwards.

IHE BALP and HL7 call it "break the glass"; every use becomes a case for those who review.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from domain.errors import AlreadyDone, Forbidden, NotFound
from domain.ids import Reference
from store import outbox
from store.database import Transaction
from store.sealing import Sealed, SealedColumn, open_, place, seal

TOPIC = "break-glass"
LASTS = timedelta(hours=1)
"""How long the record stays open."""

Reason = Literal["emergency", "covering", "consultation", "patient-unknown", "other"]
Verdict = Literal["justified", "not-justified", "to-be-clarified"]
_PURPOSE = "break-glass"

SEALED = tuple(
    SealedColumn(
        table="broken_glass",
        order={"id": "uuid"},
        key=key,
        data=data,
        purpose=_PURPOSE,
        place=lambda hospital, row, data=data: place(hospital, "broken_glass", str(row["id"]), data),  # type: ignore[misc]
    )
    for key, data in (("key_id", "words"), ("remark_key_id", "remark"))
)


class Broken(BaseModel, frozen=True):
    """One use. `words`: what the person wrote. Times are hospital time."""

    id: UUID
    actor: str
    patient: Reference
    reason: Reason
    words: str
    broken_at: datetime
    until: datetime
    reviewed_at: datetime | None
    reviewed_by: str | None
    verdict: Verdict | None
    remark: str | None


async def break_glass(
    tx: Transaction, id_: UUID, *, actor: str, patient: Reference, reason: Reason, words: str, now: datetime
) -> Broken:
    """Open the patient's record to `actor` for LASTS. Announced at once under the topic `break-glass`."""
    sealed = seal(tx.keys, words.encode(), _place(tx, id_, "words"), purpose=_PURPOSE, hospital=tx.hospital)
    await tx.execute(
        """
        insert into broken_glass (hospital, id, actor, patient, reason, key_id, words, broken_at, until)
        values (%(hospital)s, %(id)s, %(actor)s, %(patient)s, %(reason)s, %(key_id)s, %(words)s, %(now)s, %(until)s)
        """,
        {
            "hospital": tx.hospital,
            "id": id_,
            "actor": actor,
            "patient": patient,
            "reason": reason,
            "key_id": sealed.key_id,
            "words": sealed.data,
            "now": now,
            "until": now + LASTS,
        },
    )
    await outbox.put(tx, TOPIC, patient)
    return await get(tx, id_)


async def get(tx: Transaction, id_: UUID) -> Broken:
    """Raises NotFound."""
    row = await tx.one("select * from broken_glass where hospital = %s and id = %s", [tx.hospital, id_])
    if row is None:
        raise NotFound("no such use")
    return _opened(tx, row)


async def listed(tx: Transaction, *, reviewed: bool | None = None, limit: int = 200) -> list[Broken]:
    """The latest uses first; those that wait for a review, every one of them, or up to `limit` of the others."""
    rows = await tx.all(
        """
        select * from broken_glass
        where hospital = %(hospital)s and (%(reviewed)s::bool is null or (reviewed_at is not null) = %(reviewed)s)
        order by broken_at desc, id limit %(limit)s::bigint
        """,
        {"hospital": tx.hospital, "reviewed": reviewed, "limit": None if reviewed is False else limit},
    )
    return [_opened(tx, row) for row in rows]


async def review(tx: Transaction, id_: UUID, *, by: str, verdict: Verdict, remark: str, now: datetime) -> Broken:
    """Close a case. Raises NotFound, AlreadyDone, Forbidden for one's own."""
    row = await tx.one("select * from broken_glass where hospital = %s and id = %s for update", [tx.hospital, id_])
    if row is None:
        raise NotFound("no such use")
    if row["reviewed_at"] is not None:
        raise AlreadyDone("it was reviewed", by=row["reviewed_by"], at=row["reviewed_at"].isoformat())
    if row["actor"] == by:
        raise Forbidden("nobody reviews their own use", action="review-break-glass")
    sealed = seal(tx.keys, remark.encode(), _place(tx, id_, "remark"), purpose=_PURPOSE, hospital=tx.hospital)
    await tx.execute(
        """
        update broken_glass
        set reviewed_at = %s, reviewed_by = %s, verdict = %s, remark_key_id = %s, remark = %s
        where hospital = %s and id = %s
        """,
        [now, by, verdict, sealed.key_id, sealed.data, tx.hospital, id_],
    )
    return await get(tx, id_)


def _opened(tx: Transaction, row: dict[str, object]) -> Broken:
    id_ = row["id"]
    assert isinstance(id_, UUID)  # noqa: S101  # the column's type
    words = _text(tx, id_, "words", row["key_id"], row["words"])
    remark = _text(tx, id_, "remark", row["remark_key_id"], row["remark"]) if row["remark"] is not None else None
    return Broken.model_validate({**row, "words": words, "remark": remark})


def _text(tx: Transaction, id_: UUID, field: str, key_id: object, data: object) -> str:
    assert isinstance(data, bytes)  # noqa: S101  # the column's type
    sealed = Sealed(str(key_id), data)
    return open_(tx.keys, sealed, _place(tx, id_, field), purpose=_PURPOSE, hospital=tx.hospital).decode()


def _place(tx: Transaction, id_: UUID, field: str) -> bytes:
    return place(tx.hospital, "broken_glass", str(id_), field)
