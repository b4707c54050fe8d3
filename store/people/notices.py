"""Messages to people: each row is its own outbox, so what was decided is sent, whoever dies in between.

`made_at` to `acknowledged_at` are hospital time; `next_at` and leases are real time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from pydantic import BaseModel

from domain.errors import NotFound
from domain.ids import made_uuid
from domain.notices import NoticeKind, NoticeState
from domain.worklist import Priority
from store import outbox
from store.database import SystemTransaction, Transaction

TOPIC = "notices"
LEASE = timedelta(seconds=30)


class Notice(BaseModel, frozen=True):
    """A message to one person. `source`, `step`: what it belongs to, e.g. a process and its step."""

    id: UUID
    source: str
    step: str
    account: str
    kind: NoticeKind
    params: Mapping[str, str]
    urgency: Priority
    made_at: datetime
    state: NoticeState
    contact: UUID | None
    attempts: int
    sent_at: datetime | None
    delivered_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_how: str | None
    turn: int


class Event(BaseModel, frozen=True):
    """What happened to a message; `contact`: on which channel."""

    at: datetime
    what: str
    contact: UUID | None


class Leased(BaseModel, frozen=True):
    hospital: str
    id: UUID
    turn: int


async def send(
    tx: Transaction,
    *,
    source: str,
    step: str,
    to: Sequence[str],
    kind: NoticeKind,
    params: Mapping[str, str],
    urgency: Priority,
    now: datetime,
    real: datetime,
) -> list[UUID]:
    """Messages to people, sent after the commit. The same source and step again sends nothing twice."""
    made = []
    for account in dict.fromkeys(to):
        id_ = made_uuid(f"{tx.hospital}\n{source}", step, account)
        made.append(id_)
        await tx.execute(
            """
            insert into notice (hospital, id, source, step, account, kind, params, urgency, made_at, state,
                                attempts, next_at, turn)
            values (%(hospital)s, %(id)s, %(source)s, %(step)s, %(account)s, %(kind)s, %(params)s, %(urgency)s,
                    %(now)s, 'waiting', 0, %(real)s, 0)
            on conflict do nothing
            """,
            {
                "hospital": tx.hospital,
                "id": id_,
                "source": source,
                "step": step,
                "account": account,
                "kind": kind,
                "params": Jsonb(dict(params)),
                "urgency": urgency,
                "now": now,
                "real": real,
            },
        )
        await outbox.put(tx, TOPIC, account)
    return made


async def lease(tx: SystemTransaction, now: datetime) -> Leased | None:
    """Take a message of any hospital that has something to do: the one that has waited longest."""
    found = await tx.rows(
        Leased,
        """
        with due as (
            select hospital, id from notice
            where next_at <= %(now)s and (leased_until is null or leased_until <= %(now)s)
            order by next_at limit 1 for update skip locked
        )
        update notice n set turn = n.turn + 1, leased_until = %(until)s
        from due where n.hospital = due.hospital and n.id = due.id
        returning n.hospital, n.id, n.turn
        """,
        {"now": now, "until": now + LEASE},
    )
    return found[0] if found else None


async def hold(tx: Transaction, leased: Leased) -> Notice | None:
    """The message, locked to the commit; None when it is another server's by now."""
    found = await tx.rows(
        Notice,
        "select * from notice where hospital = %s and id = %s and turn = %s for update",
        [tx.hospital, leased.id, leased.turn],
    )
    return found[0] if found else None


async def become(
    tx: Transaction,
    notice: Notice,
    state: NoticeState,
    *,
    now: datetime,
    again: datetime | None,
    what: str = "",
    contact: UUID | None = None,
    attempts: int = 0,
) -> None:
    """Note what happened, and when to look again in real time; None for never. contact: the channel in use."""
    column = {
        NoticeState.SENT: "sent_at",
        NoticeState.DELIVERED: "delivered_at",
        NoticeState.ACKNOWLEDGED: "acknowledged_at",
    }.get(state)
    first = f", {column} = coalesce({column}, %(now)s)" if column else ""
    await tx.execute(
        f"""
        update notice set state = %(state)s, contact = %(contact)s, attempts = %(attempts)s, next_at = %(again)s,
                          leased_until = null {first}
        where hospital = %(hospital)s and id = %(id)s
        """.encode(),  # noqa: S608  # a column of ours
        {
            "hospital": tx.hospital,
            "id": notice.id,
            "state": state,
            "contact": contact,
            "attempts": attempts,
            "again": again,
            "now": now,
        },
    )
    if what:
        await note(tx, notice.id, what, contact or notice.contact, now)
    if state is not notice.state:
        await outbox.put(tx, TOPIC, notice.account)


async def note(tx: Transaction, id_: UUID, what: str, contact: UUID | None, now: datetime) -> None:
    await tx.execute(
        "insert into notice_event (hospital, notice, at, what, contact) values (%s, %s, %s, %s, %s)",
        [tx.hospital, id_, now, what, contact],
    )


async def acknowledge(tx: Transaction, id_: UUID, *, account: str, how: str, now: datetime) -> Notice:
    """The person says that the message arrived; again changes nothing. Raises NotFound for another's message."""
    found = await tx.rows(
        Notice,
        "select * from notice where hospital = %s and id = %s and account = %s for update",
        [tx.hospital, id_, account],
    )
    if not found:
        raise NotFound("no such message")
    if found[0].acknowledged_at is not None:
        return found[0]
    changed = await tx.rows(
        Notice,
        """
        update notice set state = 'acknowledged', acknowledged_at = %(now)s, acknowledged_how = %(how)s, next_at = null,
                          turn = turn + 1
        where hospital = %(hospital)s and id = %(id)s returning *
        """,
        {"hospital": tx.hospital, "id": id_, "now": now, "how": how},
    )
    await note(tx, id_, "acknowledged", found[0].contact, now)
    await outbox.put(tx, TOPIC, account)
    return changed[0]


async def withdraw(tx: Transaction, source: str, now: datetime) -> int:
    """What has not gone out yet is not needed any more; how many messages."""
    rows = await tx.all(
        """
        update notice set state = 'withdrawn', next_at = null, turn = turn + 1
        where hospital = %s and source = %s and state = 'waiting' returning id
        """,
        [tx.hospital, source],
    )
    for row in rows:
        await note(tx, row["id"], "withdrawn", None, now)
    return len(rows)


async def of_step(tx: Transaction, source: str, step: str) -> list[Notice]:
    """The messages that a step sent, by account."""
    return await tx.rows(
        Notice,
        "select * from notice where hospital = %s and source = %s and step = %s order by account",
        [tx.hospital, source, step],
    )


async def called(tx: Transaction, source: str) -> frozenset[str]:
    """Everybody to whom a source has sent a message: a ladder does not call them again."""
    rows = await tx.all(
        "select distinct account from notice where hospital = %s and source = %s", [tx.hospital, source]
    )
    return frozenset(row["account"] for row in rows)


async def to(tx: Transaction, account: str, limit: int = 100) -> list[Notice]:
    """Messages to a person, the latest first."""
    return await tx.rows(
        Notice,
        "select * from notice where hospital = %s and account = %s order by made_at desc, id limit %s",
        [tx.hospital, account, limit],
    )


async def unanswered(tx: Transaction, account: str) -> int:
    """How many messages to a person nobody has acknowledged."""
    row = await tx.one(
        """
        select count(*) as n from notice
        where hospital = %s and account = %s and acknowledged_at is null and state <> 'withdrawn'
        """,
        [tx.hospital, account],
    )
    return int(row["n"]) if row else 0


async def events(tx: Transaction, ids: Collection[UUID]) -> dict[UUID, list[Event]]:
    """What happened to messages, in order."""
    rows: list[dict[str, Any]] = await tx.all(
        "select notice, at, what, contact from notice_event where hospital = %s and notice = any(%s) order by number",
        [tx.hospital, list(ids)],
    )
    found: dict[UUID, list[Event]] = {each: [] for each in ids}
    for row in rows:
        found[row["notice"]].append(Event.model_validate(row))
    return found
