"""Subscriptions as rows: any server goes on serving one where another stopped. Times are real.

A row is leased like a command (engine room, 4). Its place among the changes moves after a delivery and never before, so
that a crash repeats the last notification at the worst and leaves none out. What the Subscription asks for stands in
its record.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from psycopg.types.json import Jsonb
from pydantic import BaseModel, Field

from store import outbox, subscription_events
from store.database import SystemTransaction, Transaction
from store.outbox import Place

LEASE = timedelta(seconds=60)
"""A dead server's subscriptions go on elsewhere after this time; a living one renews with every notification."""


class SubscriptionState(StrEnum):
    """hl7.org/fhir/R4/valueset-subscription-status.html"""

    REQUESTED = "requested"
    ACTIVE = "active"
    ERROR = "error"
    OFF = "off"


class Delivery(BaseModel, frozen=True):
    """See `store.tables.subscriptions`."""

    id: str
    state: SubscriptionState
    actor: str
    token: bytes = Field(repr=False)
    letters: dict[str, list[str]]
    base: str
    position: int
    place: int
    events: int
    attempts: int
    heartbeat_at: datetime | None
    ends_at: datetime | None
    turn: int

    @property
    def at(self) -> Place:
        return Place(self.position, self.place)


class Leased(BaseModel, frozen=True):
    """Work for one server: a subscription of a hospital, and the lease's number."""

    hospital: str
    id: str
    turn: int


async def ask(
    tx: Transaction,
    id_: str,
    *,
    actor: str,
    token: bytes,
    letters: Mapping[str, Collection[str]],
    base: str,
    ends_at: datetime | None,
) -> None:
    """Serve a subscription from now on, anew if it was served before: what changes after this transaction is told."""
    begin = await outbox.position(tx)
    await subscription_events.begin_anew(tx, id_)
    await tx.execute(
        """
        insert into subscription_delivery
            (hospital, id, state, actor, token, letters, base, position, place, events, attempts, ends_at, turn)
        values (%(hospital)s, %(id)s, 'requested', %(actor)s, %(token)s, %(letters)s, %(base)s, %(begin)s, 0, 0, 0,
                %(ends_at)s, 0)
        on conflict (hospital, id) do update
        set state = excluded.state, actor = excluded.actor, token = excluded.token, letters = excluded.letters,
            base = excluded.base, position = excluded.position, place = excluded.place, events = 0, attempts = 0,
            ends_at = excluded.ends_at, next_at = null, heartbeat_at = null, leased_until = null,
            turn = subscription_delivery.turn + 1
        """,
        {
            "hospital": tx.hospital,
            "id": id_,
            "actor": actor,
            "token": token,
            "letters": Jsonb({kind: sorted(each) for kind, each in letters.items()}),
            "base": base,
            "begin": begin + 1,
            "ends_at": ends_at,
        },
    )


async def become(tx: Transaction, id_: str, state: SubscriptionState, *, heartbeat_at: datetime | None = None) -> None:
    """Change the state; with one that is not served, nothing more is told. Does nothing without a row."""
    await tx.execute(
        """
        update subscription_delivery
        set state = %(state)s, attempts = 0, next_at = null, heartbeat_at = %(heartbeat)s,
            turn = turn + case when %(state)s in ('error', 'off') then 1 else 0 end
        where hospital = %(hospital)s and id = %(id)s
        """,
        {"state": state, "heartbeat": heartbeat_at, "hospital": tx.hospital, "id": id_},
    )


async def get(tx: Transaction, ids: Collection[str]) -> dict[str, Delivery]:
    """How far these are, by id; those that were never served are missing."""
    found = await tx.rows(
        Delivery,
        "select * from subscription_delivery where hospital = %s and id = any(%s::text[])",
        [tx.hospital, sorted(ids)],
    )
    return {each.id: each for each in found}


async def lease(tx: SystemTransaction, now: datetime) -> Leased | None:
    """Take a subscription of any hospital that has something to do: the one that has waited longest."""
    found = await tx.rows(
        Leased,
        """
        with due as (
            select hospital, id from subscription_delivery s
            where state in ('requested', 'active') and (leased_until is null or leased_until <= %(now)s)
              and (next_at is null or next_at <= %(now)s)
              and (state = 'requested' or heartbeat_at <= %(now)s or ends_at <= %(now)s or exists (
                  select from outbox o
                  where o.hospital = s.hospital and (o.xid, o.id) > (s.position, s.place)
                    and o.xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint))
            order by leased_until nulls first limit 1 for update skip locked
        )
        update subscription_delivery d set turn = d.turn + 1, leased_until = %(until)s
        from due where d.hospital = due.hospital and d.id = due.id
        returning d.hospital, d.id, d.turn
        """,
        {"now": now, "until": now + LEASE},
    )
    return found[0] if found else None


async def hold(tx: Transaction, leased: Leased, now: datetime) -> Delivery | None:
    """The row, its lease renewed and itself locked to the commit; None when it is somebody else's or has ended."""
    found = await tx.rows(
        Delivery,
        """
        update subscription_delivery set leased_until = %s
        where hospital = %s and id = %s and turn = %s and state in ('requested', 'active') returning *
        """,
        [now + LEASE, tx.hospital, leased.id, leased.turn],
    )
    return found[0] if found else None


async def release(tx: SystemTransaction, leased: Leased, now: datetime) -> None:
    """Let others have a turn."""
    await tx.execute(
        "update subscription_delivery set leased_until = %s where hospital = %s and id = %s and turn = %s",
        [now, leased.hospital, leased.id, leased.turn],
    )


async def advance(
    tx: Transaction, leased: Leased, to: Place, *, events: int = 0, heartbeat_at: datetime | None = None
) -> None:
    """Everything up to a place is told, `events` more among it."""
    await tx.execute(
        """
        update subscription_delivery
        set position = %s, place = %s, events = events + %s, attempts = 0, next_at = null,
            heartbeat_at = coalesce(%s, heartbeat_at)
        where hospital = %s and id = %s and turn = %s
        """,
        [to.position, to.place, events, heartbeat_at, tx.hospital, leased.id, leased.turn],
    )


async def failed(tx: Transaction, leased: Leased, again: datetime) -> int:
    """Note that a notification did not arrive, to be tried again later; how often that was so in a row."""
    row = await tx.one(
        """
        update subscription_delivery set attempts = attempts + 1, next_at = %s
        where hospital = %s and id = %s and turn = %s returning attempts
        """,
        [again, tx.hospital, leased.id, leased.turn],
    )
    return int(row["attempts"]) if row else 0


async def standing(tx: Transaction, one: Delivery, now: datetime) -> str | None:
    """Whether who asked may still ask: the scope of a registered client as it is now, '' for a token without one.

    None for a client that was closed, and for a token of nobody's registration that has ended.
    """
    client = await tx.one(
        "select disabled, scope from client where hospital = %s and id = %s", [tx.hospital, one.actor]
    )
    if client is not None:
        return None if client["disabled"] else str(client["scope"])
    token = await tx.one(
        "select 1 as one from access_token where hospital = %s and secret_hash = %s and expires_at > %s",
        [tx.hospital, one.token, now],
    )
    return "" if token is not None else None
