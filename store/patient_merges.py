"""Requests to merge two records of one person: one colleague asks, another decides."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel

from domain.errors import AlreadyDone, Conflict, Forbidden, NotFound
from domain.ids import Reference
from store.database import Transaction


class Reason(StrEnum):
    """How it is known that the two are one person."""

    DOCUMENT = "document-seen"
    TWICE = "registered-twice"
    IDENTIFIED = "unknown-identified"
    NEWBORN = "newborn-named"


class State(StrEnum):
    ASKED = "asked"
    MERGED = "merged"
    REFUSED = "refused"


class Asked(BaseModel, frozen=True):
    """source: the record that would end; target: the one that would stay."""

    id: UUID
    source: Reference
    target: Reference
    reason: Reason
    state: State
    asked_by: str
    asked_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None


async def ask(  # a row
    tx: Transaction, id_: UUID, *, source: Reference, target: Reference, reason: Reason, by: str, now: datetime
) -> Asked:
    """Raises Conflict where such a request for the source is open."""
    row = await tx.one(
        """
        insert into patient_merge (hospital, id, source, target, reason, state, asked_by, asked_at)
        values (%s, %s, %s, %s, %s, 'asked', %s, %s)
        on conflict (hospital, source) where state = 'asked' do nothing returning *
        """,
        [tx.hospital, id_, source, target, reason, by, now],
    )
    if row is None:
        raise Conflict("a request for this record waits already")
    return Asked.model_validate(row)


async def listed(tx: Transaction, *, waiting: bool, limit: int = 200) -> list[Asked]:
    """Those that wait, the oldest first; or those that were decided, the latest first."""
    rows = await tx.all(
        """
        select * from patient_merge where hospital = %(hospital)s and (state = 'asked') = %(waiting)s
        order by case when %(waiting)s then asked_at end, decided_at desc, id limit %(limit)s
        """,
        {"hospital": tx.hospital, "waiting": waiting, "limit": limit},
    )
    return [Asked.model_validate(row) for row in rows]


async def open_of(tx: Transaction, patient: Reference) -> list[Asked]:
    """Open requests in which the patient stands, on either side."""
    rows = await tx.all(
        "select * from patient_merge where hospital = %s and state = 'asked' and (source = %s or target = %s)",
        [tx.hospital, patient, patient],
    )
    return [Asked.model_validate(row) for row in rows]


async def decide(tx: Transaction, id_: UUID, *, by: str, merge: bool, now: datetime) -> Asked:
    """Raises NotFound, AlreadyDone; Forbidden for whoever asked."""
    row = await tx.one("select * from patient_merge where hospital = %s and id = %s for update", [tx.hospital, id_])
    if row is None:
        raise NotFound("no such request")
    asked = Asked.model_validate(row)
    if asked.state is not State.ASKED:
        at = asked.decided_at.isoformat() if asked.decided_at else ""
        raise AlreadyDone("it was decided", by=asked.decided_by or "", at=at)
    if asked.asked_by == by:
        raise Forbidden("nobody decides about their own request", action="merge-patients")
    state = State.MERGED if merge else State.REFUSED
    row = await tx.one(
        """
        update patient_merge set state = %s, decided_by = %s, decided_at = %s where hospital = %s and id = %s
        returning *
        """,
        [state, by, now, tx.hospital, id_],
    )
    return Asked.model_validate(row)
