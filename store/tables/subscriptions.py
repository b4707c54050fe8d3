"""Subscriptions that are served and what they were told of, and messages that were taken."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, text
from sqlmodel import Field

from store.tables.base import Code, HospitalTable, Instant, Json


class SubscriptionDelivery(HospitalTable, table=True):
    """How far a Subscription is served, under the id of its record. Times are real.

    state: requested, active, error or off.  actor, token, letters: who asked, with which token, and what it allowed.
    base: our address, as the one who asked wrote it.  position, place: number of the transaction and of its change
    in the outbox that was dealt with last.  events: delivered since the start.  attempts: failures in a row.
    next_at: not before.  heartbeat_at, ends_at: due without any change.  turn: counts the leases; only the holder of
    the latest writes.
    """

    id: str = Field(primary_key=True, sa_type=Code)
    state: str = Field(sa_type=Code)
    actor: str = Field(sa_type=Code)
    token: bytes
    letters: dict[str, Any] = Field(sa_type=Json)
    base: str = Field(sa_type=Code)
    position: int = Field(sa_type=BigInteger)
    place: int = Field(sa_type=BigInteger)
    events: int = Field(sa_type=BigInteger)
    attempts: int
    next_at: datetime | None = Field(default=None, sa_type=Instant)
    heartbeat_at: datetime | None = Field(default=None, sa_type=Instant)
    ends_at: datetime | None = Field(default=None, sa_type=Instant)
    turn: int
    leased_until: datetime | None = Field(default=None, sa_type=Instant)

    __table_args__ = (
        Index(
            "subscription_delivery_served", "hospital", "id", postgresql_where=text("state in ('requested', 'active')")
        ),
    )


class SubscriptionEvent(HospitalTable, table=True):
    """An event of a topic that a Subscription was told of. subject: the version it made.  told_at: real, last tried."""

    id: str = Field(primary_key=True, sa_type=Code)
    number: int = Field(primary_key=True, sa_type=BigInteger)
    subject: str = Field(sa_type=Code)
    told_at: datetime = Field(sa_type=Instant)

    __table_args__ = (Index("subscription_event_time", "hospital", "told_at"),)


class MessageTaken(HospitalTable, table=True):
    """A message that was carried out, by its sender and its header's id, and the answer, sealed. Times are real."""

    actor: str = Field(primary_key=True, sa_type=Code)
    message: str = Field(primary_key=True, sa_type=Code)
    digest: bytes
    taken_at: datetime = Field(sa_type=Instant)
    key_id: str = Field(sa_type=Code)
    answer: bytes

    __table_args__ = (Index("message_taken_time", "hospital", "taken_at"),)
