"""Compares rows, links and the second place's lines, and names the first place that is wrong.

Rows are checked under the hospital's key, links under its signature, the chain against the lines kept elsewhere. Who
has the database only can neither make a row's digest nor a link's signature, and does not reach the second place.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Any, Protocol

from domain.errors import SealBroken
from store.sealing import KeyRing
from store.seals.chain import ENDLESS, Ahead, Link
from store.seals.checkpoints import Checkpoint, Place
from store.seals.content import COLUMNS, Row, digest, selected
from store.seals.sealer import links_from


class Reading(Protocol):
    """What a look needs of a transaction."""

    @property
    def hospital(self) -> str: ...

    async def all(self, sql: Any, params: Any = None) -> list[dict[str, Any]]: ...


Begin = Callable[[str], AbstractAsyncContextManager[Reading]]

MOST = 20
"""Findings after which the look ends: the first one is what matters."""

_LINKS = 50
_SPARE = 10_000  # rows beyond those that links name, before a look gives up counting them
_LATE = timedelta(minutes=1)


class Wrong(StrEnum):
    """What can be wrong with a sealed audit."""

    ROW_CHANGED = "row-changed"
    ROW_MISSING = "row-missing"
    ROW_INSERTED = "row-inserted"
    LINK_CHANGED = "link-changed"
    LINK_MISSING = "link-missing"
    CHAIN_BROKEN = "chain-broken"
    REWRITTEN = "rewritten"  # a link differs from its line in the second place
    CUT_OFF = "cut-off"  # links at the end, known to the second place, are gone
    CHECKPOINT_MISSING = "checkpoint-missing"
    CHECKPOINT_FORGED = "checkpoint-forged"
    KEY_MISSING = "key-missing"


@dataclass(frozen=True)
class Finding:
    """position, until: running numbers of the rows concerned, from 1.  link: its number.  row: its id in the audit."""

    position: int
    until: int
    what: Wrong
    link: int
    row: int = 0
    where: str = ""

    def order(self) -> tuple[int, bool, int]:
        """Where a row is known to be wrong, that says more than that its link is."""
        return self.link, self.row == 0, self.position


@dataclass
class Verdict:
    """links, rows: how many were looked at.  tail: rows not sealed yet, the oldest recorded at `tail_since`.

    behind: links that the second place does not have yet.  compared: whether there was a second place to compare.
    """

    hospital: str
    compared: bool
    links: int = 0
    rows: int = 0
    tail: int = 0
    tail_since: datetime | None = None
    behind: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return not self.findings


async def verify(
    begin: Begin, keys: KeyRing, hospital: str, place: Place | None, now: datetime, *, most: int = MOST
) -> Verdict:
    """Look at a hospital's whole audit; findings in order, what concerns single rows first.

    begin: opens a transaction of a hospital, such as `Database.transaction`.  now: real time.
    """
    verdict = Verdict(hospital, place is not None)
    check = _Check(keys, _Lines(place.all_of(hospital) if place else ()), verdict, now)
    if place is not None and (last := place.last(hospital)) is not None:
        check.kept_until = last.number
    async with begin(hospital) as tx:
        check.ceilings = await _ceilings(tx)
    while len(verdict.findings) < most:
        async with begin(hospital) as tx:
            links = await links_from(tx.all, hospital, check.next_number, _LINKS)
            if not links:
                break
            await check.look(tx, links)
    else:
        verdict.findings.sort(key=Finding.order)
        return verdict
    check.end()
    async with begin(hospital) as tx:
        verdict.tail, verdict.tail_since = await unsealed(tx, check.ahead)
        for id_ in await _impossible(tx, check.ahead):
            verdict.findings.append(
                Finding(check.ahead.first, check.ahead.first, Wrong.ROW_INSERTED, check.ahead.number, id_)
            )
    verdict.findings.sort(key=Finding.order)
    return verdict


async def unsealed(tx: Reading, ahead: Ahead) -> tuple[int, datetime | None]:
    """How many rows wait for their link, and since when."""
    (row,) = await tx.all(
        """
        select count(*) as n, min(recorded_at) as since from audit_event
        where hospital = %s and xid >= %s and id >= %s
        """,
        [tx.hospital, ahead.from_xid, ahead.floor],
    )
    return int(row["n"]), row["since"]


async def _impossible(tx: Reading, ahead: Ahead) -> list[int]:
    """Rows of transactions that have not been: none of ours could write them, and no link would ever hold them."""
    rows = await tx.all(
        """
        select id from audit_event
        where hospital = %s and xid >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint and id >= %s
        order by id limit 20
        """,
        [tx.hospital, ahead.floor],
    )
    return [row["id"] for row in rows]


async def _ceilings(tx: Reading) -> list[tuple[int, int]]:
    """Up to which row's id each count of transactions reaches: the last link of the count, and the id."""
    rows = await tx.all(
        "select number, top from audit_seal where hospital = %s and until_xid = %s order by number",
        [tx.hospital, ENDLESS],
    )
    return [(row["number"], row["top"]) for row in rows]


class _Lines:
    """Lines of the second place, handed out by number as the links come."""

    def __init__(self, lines: Iterable[Checkpoint]) -> None:
        self._lines = iter(lines)
        self._next = next(self._lines, None)
        self._held: dict[int, list[Checkpoint]] = {}

    def of(self, number: int) -> list[Checkpoint]:
        while self._next is not None and self._next.number <= number:
            self._held.setdefault(self._next.number, []).append(self._next)
            self._next = next(self._lines, None)
        return self._held.pop(number, [])

    def rest(self) -> Iterator[Checkpoint]:
        """What nobody asked for."""
        for number in sorted(self._held):
            yield from self._held.pop(number)
        while self._next is not None:
            yield self._next
            self._next = next(self._lines, None)


@dataclass
class _Check:
    keys: KeyRing
    lines: _Lines
    verdict: Verdict
    now: datetime
    kept_until: int = 0
    ceilings: list[tuple[int, int]] = field(default_factory=list)
    ahead: Ahead = field(default_factory=Ahead)
    seen: dict[int, bytes] = field(default_factory=dict)

    @property
    def next_number(self) -> int:
        return self.ahead.number

    async def look(self, tx: Reading, links: Sequence[Link]) -> None:
        """Links that follow each other, and the rows between their ends."""
        for (layout, _), group in groupby(links, key=lambda link: (link.layout, link.floor)):
            some = list(group)
            self._skip_to(some[0])
            rows = await self._rows(tx, some, layout)
            for link in some:
                self._skip_to(link)
                mine: list[Row] = []
                while rows and rows[-1].xid < link.until_xid:
                    mine.append(rows.pop())
                self._look_at(link, mine)

    def _skip_to(self, link: Link) -> None:
        while self.ahead.number < link.number:
            number = self.ahead.number
            known = next(iter(self.lines.of(number)), None)
            first = known.first if known else self.ahead.first
            until = known.first + known.count - 1 if known else link.first - 1
            self._found(Wrong.LINK_MISSING, first, max(first, until), number)
            self.ahead = Ahead(number + 1, self.ahead.previous, until + 1, self.ahead.from_xid, self.ahead.floor)
            if self.ahead.number == link.number:
                self.ahead = Ahead(number + 1, link.previous, link.first, link.from_xid, link.floor, link.top)

    async def _rows(self, tx: Reading, links: Sequence[Link], layout: int) -> list[Row]:
        """Rows between the ends of the links, last first."""
        if layout not in COLUMNS:
            return []  # the link's signature tells
        last = links[-1].number
        ceiling = next((top for number, top in self.ceilings if number >= last), ENDLESS)
        statement = f"""
            select {selected(layout)} from audit_event
            where hospital = %(hospital)s and xid >= %(from)s and xid < %(until)s and id >= %(floor)s and id <= %(top)s
            order by xid, id limit %(most)s
        """  # noqa: S608  (names of ours)
        values = {
            "hospital": tx.hospital,
            "from": self.ahead.from_xid,
            "until": max(link.until_xid for link in links),
            "floor": self.ahead.floor,
            "top": ceiling,
            "most": sum(len(link.ids) for link in links) + _SPARE,
        }
        found = [Row(row["xid"], row["id"], row["content"]) for row in await tx.all(statement.encode(), values)]
        found.reverse()
        return found

    def _look_at(self, link: Link, rows: Sequence[Row]) -> None:
        self.verdict.links += 1
        self.verdict.rows += len(link.ids)
        try:
            self._look_at_rows(link, rows)
            self._look_at_link(link)
            self._look_at_lines(link)
        except SealBroken:
            self._found(Wrong.KEY_MISSING, self.ahead.first, link.last, link.number)
        self.seen[link.number] = link.hash
        self.ahead = Ahead.after(link)

    def _look_at_rows(self, link: Link, rows: Sequence[Row]) -> None:
        wanted = {id_: link.digest_of(index) for index, id_ in enumerate(link.ids)}
        places = {id_: index for index, id_ in enumerate(link.ids)}
        met: dict[int, bool] = {}
        passed = 0
        for row in rows:
            position = self.ahead.first + passed
            right = wanted.get(row.id)
            same = right is not None and hmac.compare_digest(right, digest(self.keys, link.key_id, link.hospital, row))
            if right is None or (row.id in met and not (same and not met[row.id])):
                self._found(Wrong.ROW_INSERTED, position, position, link.number, row.id)
            else:
                met[row.id] = same
                passed = max(passed, places[row.id] + 1)
        for index, id_ in enumerate(link.ids):
            position = self.ahead.first + index
            if id_ not in met:
                self._found(Wrong.ROW_MISSING, position, position, link.number, id_)
            elif not met[id_]:
                self._found(Wrong.ROW_CHANGED, position, position, link.number, id_)

    def _look_at_link(self, link: Link) -> None:
        first, until = self.ahead.first, max(self.ahead.first, self.ahead.first + len(link.ids) - 1)
        if link.hash != link.computed() or not link.is_signed(self.keys):
            self._found(Wrong.LINK_CHANGED, first, until, link.number)
            return
        begins = (link.previous, link.first, link.from_xid, link.floor)
        if begins != (self.ahead.previous, self.ahead.first, self.ahead.from_xid, self.ahead.floor):
            self._found(Wrong.CHAIN_BROKEN, first, until, link.number)

    def _look_at_lines(self, link: Link) -> None:
        first, until = self.ahead.first, max(self.ahead.first, self.ahead.first + len(link.ids) - 1)
        lines = self.lines.of(link.number)
        for line in lines:
            self._look_at_line(line, link.hash, first, until)
        if lines or not self.verdict.compared:
            return
        if link.number > self.kept_until:
            self.verdict.behind += 1
        if link.number <= self.kept_until or self.now - link.sealed_at > _LATE:
            self._found(Wrong.CHECKPOINT_MISSING, first, until, link.number)

    def _look_at_line(self, line: Checkpoint, right: bytes | None, first: int, until: int) -> None:
        if line.hospital != self.verdict.hospital or not line.is_signed(self.keys):
            self._found(Wrong.CHECKPOINT_FORGED, first, until, line.number, where=line.where)
        elif line.hash != right:
            self._found(Wrong.REWRITTEN, first, until, line.number, where=line.where)

    def end(self) -> None:
        """What the second place knows beyond the last link."""
        gone: list[Checkpoint] = []
        for line in self.lines.rest():
            try:
                if line.number < self.ahead.number:  # told twice: both must be right
                    self._look_at_line(line, self.seen.get(line.number), line.first, line.first)
                elif not line.is_signed(self.keys):
                    self._found(Wrong.CHECKPOINT_FORGED, line.first, line.first, line.number, where=line.where)
                else:
                    gone.append(line)
            except SealBroken:
                self._found(Wrong.KEY_MISSING, line.first, line.first, line.number, where=line.where)
        if gone:
            last = max(gone, key=lambda line: line.number)
            until = max(line.first + line.count - 1 for line in gone)
            self._found(Wrong.CUT_OFF, self.ahead.first, until, last.number, where=last.where)

    def _found(self, what: Wrong, position: int, until: int, link: int, row: int = 0, *, where: str = "") -> None:
        self.verdict.findings.append(Finding(position, until, what, link, row, where))
