"""Chains what was committed, about twice a second, and writes a signed line of every link to the second place.

A chain inside each access's transaction would make all accesses of a hospital wait for each other (engine room, 11);
so the last second is not chained yet. Every server runs a sealer; an advisory lock lets one of them lead. Should two
ever believe they do, a link's number is taken once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg import AsyncConnection, sql
from psycopg.rows import DictRow, dict_row

from domain.errors import SealBroken, Unavailable
from store.sealing import KeyRing
from store.seals.chain import BOTTOM, ENDLESS, GENESIS, Ahead, Link, forge
from store.seals.checkpoints import Checkpoint, Place
from store.seals.content import Row, selected

log = logging.getLogger(__name__)

Ask = Callable[[bytes, Any], Awaitable[list[DictRow]]]
"""The rows of a statement: `Transaction.all`, or a connection of one's own through `asked`."""

BATCH = 1000
"""Rows of a link, about: those of one transaction come together."""

MONTHS_AHEAD = 6

_LEADERSHIP = 5_077_004
_POLL = timedelta(milliseconds=300)
_LAY = timedelta(hours=6)
_COMPLAIN = timedelta(minutes=1)
_BACK_OFF = (0.1, 0.2, 0.5, 1.0)  # seconds; the last is repeated
_SETTINGS = (
    "-c timezone=UTC -c client_min_messages=warning -c lock_timeout=4s "
    "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
)
_LINK = ", ".join(each.name for each in fields(Link))

# Where the chain of each hospital goes on, and whether anything waits there. A link without an end is the last of a
# server's count of transactions: the next begins at the bottom, above the rows sealed so far.
_DUE = """
with now as (select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as horizon), ahead as (
    select h.code as hospital, s.number,
           case when s.number is null or s.until_xid = %(endless)s then %(bottom)s::bigint
                else s.until_xid end as from_xid,
           case when s.number is null then %(bottom)s::bigint when s.until_xid = %(endless)s then s.top + 1
                else s.floor end as floor
    from shared_hospital h left join lateral (
        select number, until_xid, floor, top from audit_seal a where a.hospital = h.code order by number desc limit 1
    ) s on true
)
select hospital, number, from_xid > horizon as anew from ahead, now
where from_xid > horizon or exists (
    select from audit_event e
    where e.hospital = ahead.hospital and e.xid >= ahead.from_xid and e.xid < horizon and e.id >= ahead.floor
)
order by hospital
"""


class CutBack(Exception):
    """The second place knows links that the database does not have."""


@dataclass
class Sealer:
    """now: real time.  place: the second place; None keeps links in the database only.  leading: set while it leads."""

    system_url: str
    keys: KeyRing
    place: Place | None
    now: Callable[[], datetime]
    poll: timedelta = _POLL
    batch: int = BATCH
    leading: asyncio.Event = field(default_factory=asyncio.Event)
    _known: dict[str, Checkpoint | None] = field(default_factory=dict)
    _complained: dict[str, datetime] = field(default_factory=dict)

    async def run(self) -> None:
        """Run until cancelled. An outage of the database or of the second place is waited out."""
        failures = 0
        while True:
            try:
                async with await connected(self.system_url) as connection:
                    await self._elected(connection)
                    failures = 0
                    self._known.clear()  # another leader may have written meanwhile
                    self.leading.set()
                    log.info("sealer leads")
                    await self._lead(connection)
            except (psycopg.OperationalError, Unavailable) as down:
                log.warning("sealer waits: %s", type(down).__name__)
            except psycopg.errors.UniqueViolation:
                log.warning("another sealer made the same link; it leads")
            finally:
                self.leading.clear()
            await asyncio.sleep(_BACK_OFF[min(failures, len(_BACK_OFF) - 1)])
            failures += 1

    async def _elected(self, connection: AsyncConnection[DictRow]) -> None:
        while True:
            cursor = await connection.execute("select pg_try_advisory_lock(%s) as mine", [_LEADERSHIP])
            row = await cursor.fetchone()
            if row and row["mine"]:
                return
            await asyncio.sleep(3 * self.poll.total_seconds())

    async def _lead(self, connection: AsyncConnection[DictRow]) -> None:
        laid: datetime | None = None
        while True:
            now = self.now()
            if laid is None or now - laid >= _LAY:
                await lay_months(connection, now)
                laid = now
            if await self.seal_due(connection) == 0:
                await asyncio.sleep(self.poll.total_seconds())

    async def seal_due(self, connection: AsyncConnection[DictRow]) -> int:
        """One look at all hospitals. Returns how many rows were sealed."""
        cursor = await connection.execute(_DUE, {"endless": ENDLESS, "bottom": BOTTOM})
        sealed = 0
        for due in await cursor.fetchall():
            hospital = due["hospital"]
            try:
                sealed += await self._seal(connection, hospital, anew=due["anew"])
            except CutBack as cut:
                self._complain(hospital, "the audit's seals were cut back, it is not sealed on", str(cut))
            except SealBroken:
                self._complain(hospital, "a link of the audit cannot be confirmed, it is not sealed on", "seal-broken")
        return sealed

    async def _seal(self, connection: AsyncConnection[DictRow], hospital: str, *, anew: bool) -> int:
        """Links until nothing is left, a transaction each. Returns how many rows."""
        sealed = 0
        while True:
            async with connection.transaction():
                last = await last_link(asked(connection), hospital)
                reached = await self._catch_up(connection, hospital, last)
                ahead = Ahead.after(last) if last else Ahead()
                rows, until = await _rows(connection, hospital, ahead, ENDLESS if anew else None, self.batch)
                if not rows and not anew:
                    return sealed
                link = forge(self.keys, hospital, ahead, rows, until_xid=until, at=self.now())
                await _keep(connection, link)
            sealed += len(rows)
            if reached:
                await self._tell(hospital, [link])
            if anew and until == ENDLESS:
                log.warning("the database counts its transactions anew: the audit of %s goes on above it", hospital)
                return sealed
            if not anew and len(rows) < self.batch:
                return sealed

    async def _tell(self, hospital: str, links: list[Link]) -> bool:
        """Whether the second place has them now. What it misses, it gets when it is there again."""
        if self.place is None:
            return False
        try:
            await asyncio.to_thread(self.place.append, [Checkpoint.of(link) for link in links])
        except Unavailable as away:
            self._known.pop(hospital, None)
            self._complain(hospital, "the second place of the audit does not answer", str(away))
            return False
        self._known[hospital] = Checkpoint.of(links[-1])
        return True

    async def _catch_up(self, connection: AsyncConnection[DictRow], hospital: str, last: Link | None) -> bool:
        """Bring the second place up to the last link; False while it is away. Raises CutBack, SealBroken."""
        if self.place is None:
            return False
        try:
            if hospital not in self._known:
                self._known[hospital] = await asyncio.to_thread(self.place.last, hospital)
        except Unavailable as away:
            self._complain(hospital, "the second place of the audit does not answer", str(away))
            return False
        known = self._known[hospital]
        at, before = (known.number, known.hash) if known else (0, GENESIS)
        have = last.number if last else 0
        if have < at:
            message = f"the second place has {at} links, the database {have}"
            raise CutBack(message)
        if at:
            same = last if last and have == at else await link_of(asked(connection), hospital, at)
            if same is None or same.hash != before:
                message = f"link {at} is not the one that the second place has"
                raise CutBack(message)
        while at < have:
            missing = await links_from(asked(connection), hospital, at + 1, 100)
            for link in missing:
                at += 1
                if link.number != at or link.previous != before or link.hash != link.computed():
                    raise SealBroken("a link does not continue the chain")
                if not link.is_signed(self.keys):
                    raise SealBroken("a link is not signed by us")
                before = link.hash
            if not missing or not await self._tell(hospital, missing):
                return False
        return True

    def _complain(self, hospital: str, sentence: str, reason: str) -> None:
        now = self.now()
        since = self._complained.get(hospital)
        if since is None or now - since >= _COMPLAIN:
            self._complained[hospital] = now
            log.error("%s (%s: %s); run phis audit verify", sentence, hospital, reason)


async def connected(url: str) -> AsyncConnection[DictRow]:
    """A connection of one's own as `phis_system`."""
    return await AsyncConnection.connect(
        url, autocommit=True, row_factory=dict_row, options=_SETTINGS, application_name="phis-sealer", connect_timeout=5
    )


async def lay_months(connection: AsyncConnection[DictRow], now: datetime, months: int = MONTHS_AHEAD) -> int:
    """Lay the audit's parts for this month and the next ones. Returns how many were missing."""
    try:
        cursor = await connection.execute("select audit_lay_months(%s, %s) as laid", [now.date(), months])
    except psycopg.errors.LockNotAvailable:
        return 0  # somebody reads for long; there are months left, and we ask again
    row = await cursor.fetchone()
    return int(row["laid"]) if row else 0


def asked(connection: AsyncConnection[DictRow]) -> Ask:
    async def ask(statement: bytes, params: Sequence[Any] | Mapping[str, Any]) -> list[DictRow]:
        return await (await connection.execute(statement, params, binary=True)).fetchall()

    return ask


async def last_link(ask: Ask, hospital: str) -> Link | None:
    found = await _links(ask, "where hospital = %s order by number desc limit 1", [hospital])
    return found[0] if found else None


async def link_of(ask: Ask, hospital: str, number: int) -> Link | None:
    found = await _links(ask, "where hospital = %s and number = %s", [hospital, number])
    return found[0] if found else None


async def links_from(ask: Ask, hospital: str, number: int, limit: int) -> list[Link]:
    """Links in order, from a number on."""
    return await _links(ask, "where hospital = %s and number >= %s order by number limit %s", [hospital, number, limit])


async def _links(ask: Ask, where: str, params: list[object]) -> list[Link]:
    statement = f"select {_LINK} from audit_seal {where}".encode()  # noqa: S608  (names of ours)
    return [Link(**row) for row in await ask(statement, params)]


async def _rows(
    connection: AsyncConnection[DictRow], hospital: str, ahead: Ahead, until: int | None, batch: int
) -> tuple[list[Row], int]:
    """What the next link holds and where it ends. until: None for what no running transaction can add to."""
    statement = f"""
        select {selected()}, pg_snapshot_xmin(pg_current_snapshot())::text::bigint as horizon from audit_event
        where hospital = %(hospital)s and xid >= %(from)s and id >= %(floor)s
          and xid < coalesce(%(until)s, pg_snapshot_xmin(pg_current_snapshot())::text::bigint)
        order by xid fetch first %(batch)s rows with ties
    """  # noqa: S608  (names of ours)
    values = {"hospital": hospital, "from": ahead.from_xid, "floor": ahead.floor, "until": until, "batch": batch}
    found = await (await connection.execute(statement.encode(), values, binary=True)).fetchall()
    rows = sorted(Row(row["xid"], row["id"], row["content"]) for row in found)
    if until is not None and len(rows) < batch:
        return rows, until
    if len(rows) >= batch:
        return rows, rows[-1].xid + 1
    return rows, found[0]["horizon"] if found else ahead.from_xid


async def _keep(connection: AsyncConnection[DictRow], link: Link) -> None:
    names = [each.name for each in fields(Link)]
    statement = sql.SQL("insert into audit_seal ({}) values ({})").format(
        sql.SQL(", ").join(map(sql.Identifier, names)), sql.SQL(", ").join(map(sql.Placeholder, names))
    )
    await connection.execute(statement, vars(link))
