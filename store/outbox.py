"""Telling others what changed, without a NOTIFY in business transactions (engine room, 8).

A transaction writes rows; the relay announces them; whoever hears it reads on from where it stopped.

A change's position is the number of the transaction that wrote it, and readers stay below the oldest transaction still
running. So nothing can appear later at a position that was passed: neither a running number nor a time promises that,
because both are given before the commit.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row

from store.database import SystemTransaction, Transaction

log = logging.getLogger(__name__)

CHANNEL = "phis"
RECORDS = "records"
"""Versions of records: the subject is `Patient/1/_history/2`."""

BATCH = 1000

_LEADERSHIP = 5_077_003
_POLL = timedelta(milliseconds=100)
_KEPT = timedelta(days=1)  # delivered changes, for readers that stopped a while ago
_SWEEP = timedelta(minutes=1)
_BACK_OFF = (0.1, 0.2, 0.5, 1.0)  # seconds; the last is repeated
# Keepalives: a leader whose machine vanished must lose its lock within half a minute.
_SETTINGS = (
    "-c timezone=UTC -c client_min_messages=warning "
    "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
)


# What a subscription has not seen yet stays for it, however long its receiver or the servers were away.
_FORGET = """
    delete from outbox o where delivered_at < %s and not exists (
        select from subscription_delivery s
        where s.hospital = o.hospital and s.state in ('requested', 'active') and s.position <= o.xid
    )
"""


@dataclass(frozen=True)
class Change:
    """Something changed: `subject` is a reference or a code. Changes of one transaction share their position."""

    position: int
    topic: str
    subject: str


@dataclass(frozen=True)
class Hint:
    """Changes of a topic exist, up to a position. `hospital` and `topic` are '' after a reconnect: look everywhere."""

    hospital: str
    topic: str
    position: int


async def put(tx: Transaction, topic: str, subject: str) -> None:
    """Announce a change when, and only when, the transaction commits."""
    await tx.execute(
        """
        insert into outbox (hospital, xid, topic, subject)
        values (%s, pg_current_xact_id()::text::bigint, %s, %s)
        """,
        [tx.hospital, topic, subject],
    )


async def put_all(tx: Transaction, topic: str, subjects: Collection[str]) -> None:
    """Announce many changes at once, like `put`."""
    await tx.execute(
        """
        insert into outbox (hospital, xid, topic, subject)
        select %s, pg_current_xact_id()::text::bigint, %s, subject from unnest(%s::text[]) as subject
        """,
        [tx.hospital, topic, list(subjects)],
    )


async def changes_since(tx: Transaction, position: int, topics: Collection[str], limit: int = BATCH) -> list[Change]:
    """Changes after a position, oldest first; those of running transactions, and younger ones, are left for later.

    limit: about how many; the changes of one transaction always come together.
    """
    return await tx.rows(
        Change,
        """
        select xid as position, topic, subject from outbox
        where hospital = %s and xid > %s and topic = any(%s)
          and xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
        order by xid fetch first %s rows with ties
        """,
        [tx.hospital, position, list(topics), limit],
    )


async def waiting(tx: SystemTransaction) -> int:
    """Changes of all hospitals that the relay has not announced yet."""
    row = await tx.one("select count(*) as count from outbox where delivered_at is null")
    return int(row["count"]) if row else 0


async def position(tx: Transaction) -> int:
    """Where a reader begins who wants only what changes from now on."""
    row = await tx.one("select pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1 as position")
    return int(row["position"]) if row else 0


class Place(NamedTuple):
    """A place among the changes of a hospital: number of the transaction, and of the change within it."""

    position: int
    place: int


_LAST = 2**63 - 1


async def records_after(tx: Transaction, after: Place, limit: int) -> tuple[list[tuple[Place, str]], Place]:
    """Up to `limit` changes of records after a place, one by one in their order; and the place looked up to."""
    bound = await tx.one("select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as bound")
    assert bound is not None  # noqa: S101 - the statement always has a row
    rows = await tx.all(
        """
        select xid, id, subject from outbox
        where hospital = %s and (xid, id) > (%s, %s) and xid < %s and topic = %s order by xid, id limit %s
        """,
        [tx.hospital, after.position, after.place, bound["bound"], RECORDS, limit],
    )
    found = [(Place(row["xid"], row["id"]), str(row["subject"])) for row in rows]
    if len(found) == limit:
        return found, found[-1][0]
    return found, max(after, Place(bound["bound"] - 1, _LAST))


async def forget(tx: SystemTransaction, before: datetime) -> None:
    """Remove changes of all hospitals that were announced before, but those that a subscription has not seen."""
    await tx.execute(_FORGET, [before])


class Relay:
    """Announces committed changes. Every server runs one; a session-wide advisory lock lets one of them lead.

    now: real time, for the day that delivered changes are kept.  leading: set while this one leads.
    """

    def __init__(self, system_url: str, *, now: Callable[[], datetime], poll: timedelta = _POLL) -> None:
        self._url = system_url
        self._now = now
        self._poll = poll.total_seconds()
        self.leading = asyncio.Event()

    async def run(self) -> None:
        """Run until cancelled. An outage of the database is waited out."""
        failures = 0
        while True:
            try:
                async with await _connect(self._url, "phis-relay") as connection:
                    await self._elected(connection)
                    failures = 0
                    self.leading.set()
                    log.info("relay leads")
                    await self._lead(connection)
            except psycopg.OperationalError as down:
                log.warning("relay lost the database: %s", type(down).__name__)
            finally:
                self.leading.clear()
            await asyncio.sleep(_BACK_OFF[min(failures, len(_BACK_OFF) - 1)])
            failures += 1

    async def _elected(self, connection: AsyncConnection[DictRow]) -> None:
        while True:
            # Asked for again and again: a statement that waits for the lock would hold back vacuum everywhere.
            cursor = await connection.execute("select pg_try_advisory_lock(%s) as mine", [_LEADERSHIP])
            row = await cursor.fetchone()
            if row and row["mine"]:
                return
            await asyncio.sleep(10 * self._poll)

    async def _lead(self, connection: AsyncConnection[DictRow]) -> None:
        swept: datetime | None = None
        while True:
            now = self._now()
            if await deliver(connection, now) == 0:
                await asyncio.sleep(self._poll)
            if swept is None or now - swept >= _SWEEP:
                await connection.execute(_FORGET, [now - _KEPT])
                swept = now


async def deliver(connection: AsyncConnection[DictRow], now: datetime) -> int:
    """Announce what no running transaction can add to, one notice a hospital and topic. Returns how many notices."""
    cursor = await connection.execute(
        """
        with due as (
            select hospital, xid, id from outbox
            where delivered_at is null and xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
            order by xid fetch first %(batch)s rows with ties
        ), told as (
            update outbox set delivered_at = %(now)s from due
            where outbox.hospital = due.hospital and outbox.xid = due.xid and outbox.id = due.id
            returning outbox.hospital, outbox.topic, outbox.xid
        )
        select pg_notify(%(channel)s, json_build_array(hospital, topic, max(xid))::text)
        from told group by hospital, topic
        """,
        {"batch": BATCH, "now": now, "channel": CHANNEL},
    )
    return len(await cursor.fetchall())


async def listen(url: str) -> AsyncGenerator[Hint, None]:
    """Hints as the relay announces them, until the caller stops asking. Any role may listen.

    The first hint, and one after every reconnect, says to look everywhere: what was announced meanwhile is lost.
    """
    failures = 0
    while True:
        try:
            async with await _connect(url, "phis-listener") as connection:
                await connection.execute("listen phis")
                failures = 0
                yield Hint("", "", 0)
                async with aclosing(connection.notifies()) as notices:
                    async for notice in notices:
                        hospital, topic, position = json.loads(notice.payload)
                        yield Hint(hospital, topic, position)
        except psycopg.OperationalError as down:
            log.warning("listener lost the database: %s", type(down).__name__)
        await asyncio.sleep(_BACK_OFF[min(failures, len(_BACK_OFF) - 1)])
        failures += 1


async def _connect(url: str, name: str) -> AsyncConnection[DictRow]:
    return await AsyncConnection.connect(
        url, autocommit=True, row_factory=dict_row, options=_SETTINGS, application_name=name, connect_timeout=5
    )
