"""Finding accesses again: by who, whose, what, when and how it ended. The audit has no index but its chain's.

A search goes from month to month, as the table is laid out, until its page is full; what it does not find costs a look
at every row of the months that its dates allow.
"""

# ruff: noqa: S608  # statements are made of names of ours; every value is a parameter

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from store.audit import COLUMNS, AuditAction, AuditLine
from store.database import Transaction

_MONTHS = 36
_REST = "starts_with(detail, 'fhir/')"


class Kind(StrEnum):
    """Sorts of accesses, by what they are in FHIR's AuditEvent.type."""

    REST = "rest"
    SIGNING_IN = "110114"
    BREAK_GLASS = "110113"
    EXPORT = "110106"
    AUDIT = "110101"  # the audit was read
    RECORD = "110110"  # screens, commands, processes

    @property
    def condition(self) -> str:
        return _CONDITIONS[self]


_PLAIN = "(action not in ('login', 'logout', 'break-glass', 'export'))"
_AUDIT = f"(starts_with(detail, 'audit-') or {_REST} and detail like '%%-audit')"
_CONDITIONS = {
    Kind.SIGNING_IN: "action in ('login', 'logout')",
    Kind.BREAK_GLASS: "action = 'break-glass'",
    Kind.EXPORT: "action = 'export'",
    Kind.AUDIT: f"{_PLAIN} and {_AUDIT}",
    Kind.REST: f"{_PLAIN} and {_REST} and not {_AUDIT}",
    Kind.RECORD: f"{_PLAIN} and not {_REST} and not {_AUDIT}",
}


def kind_of(line: AuditLine) -> Kind:
    """The same in Python."""
    match line.action:
        case AuditAction.LOGIN | AuditAction.LOGOUT:
            return Kind.SIGNING_IN
        case AuditAction.BREAK_GLASS:
            return Kind.BREAK_GLASS
        case AuditAction.EXPORT:
            return Kind.EXPORT
    if line.detail.startswith("audit-") or (line.detail.startswith("fhir/") and line.detail.endswith("-audit")):
        return Kind.AUDIT
    return Kind.REST if line.detail.startswith("fhir/") else Kind.RECORD


_HOW = {
    "patients": "patients && %s::text[]",
    "entities": "(entities && %s::text[] or patients && %s::text[])",
    "subtype": f"(detail = any(%s::text[]) or not {_PLAIN} and action = any(%s::text[]))",
    "id": "id = any(%s::bigint[])",
    "roles": "roles && %s::text[]",
    "address": "exists (select from unnest(%s::text[]) as a where starts_with(address, a))",
}


@dataclass(frozen=True)
class Wanted:
    """A condition: any of `values` in a column, or in one of several; `kinds` asks for sorts of accesses."""

    column: str
    values: Sequence[str]

    def sql(self) -> str:
        return _HOW.get(self.column, f"{self.column} = any(%s::text[])")

    def params(self) -> list[object]:
        return [list(self.values)] * self.sql().count("%s")


@dataclass(frozen=True)
class Search:
    """since, until: `[since, until)`, None for open.  kinds: None for all.  after: where the page before ended."""

    since: datetime | None = None
    until: datetime | None = None
    wanted: Sequence[Wanted] = ()
    kinds: Sequence[Sequence[Kind]] = ()
    newest_first: bool = True
    after: tuple[datetime, int, int] | None = None
    count: int = 50


async def get(tx: Transaction, xid: int, id_: int) -> AuditLine | None:
    """One access by its numbers."""
    statement = f"select {COLUMNS} from audit_event where hospital = %s and xid = %s and id = %s"
    found = await tx.rows(AuditLine, statement.encode(), [tx.hospital, xid, id_])
    return found[0] if found else None


async def find(tx: Transaction, search: Search, now: datetime) -> tuple[list[AuditLine], bool]:
    """A page, and whether there is more. `now`: real time, near which most rows are."""
    found: list[AuditLine] = []
    for since, until in _windows(search, now):
        where, values = _where(tx, search, since, until)
        direction = "desc" if search.newest_first else "asc"
        order = ", ".join(f"{name} {direction}" for name in ("recorded_at", "xid", "id"))
        statement = f"select {COLUMNS} from audit_event where {where} order by {order} limit %s"
        found += await tx.rows(AuditLine, statement.encode(), [*values, search.count + 1 - len(found)])
        if len(found) > search.count:
            break
    return found[: search.count], len(found) > search.count


async def count(tx: Transaction, search: Search) -> int:
    """How many there are, all pages together."""
    where, values = _where(tx, search, search.since, search.until, paged=False)
    row = await tx.one(f"select count(*) as n from audit_event where {where}".encode(), values)
    return int(row["n"]) if row else 0


def _where(
    tx: Transaction, search: Search, since: datetime | None, until: datetime | None, *, paged: bool = True
) -> tuple[str, list[object]]:
    conditions, values = ["hospital = %s"], [tx.hospital]
    parts: list[object] = []
    if since is not None:
        conditions.append("recorded_at >= %s")
        parts.append(since)
    if until is not None:
        conditions.append("recorded_at < %s")
        parts.append(until)
    for one in search.wanted:
        conditions.append(one.sql())
        parts += one.params()
    conditions += [f"({' or '.join(kind.condition for kind in kinds) or 'false'})" for kinds in search.kinds]
    if paged and search.after is not None:
        conditions.append(f"(recorded_at, xid, id) {'<' if search.newest_first else '>'} (%s, %s, %s)")
        parts += search.after
    return " and ".join(conditions), [*values, *parts]


def _windows(search: Search, now: datetime) -> list[tuple[datetime | None, datetime | None]]:
    """Months, in the order of the search; before the first and after the last there is one open window each."""
    starts = [_month(now)]
    for _ in range(_MONTHS):
        starts.append(_month(starts[-1] - timedelta(days=1)))
    edges: list[datetime | None] = [None, *starts, None]  # from the open future back into the open past
    windows = [(edges[at + 1], edges[at]) for at in range(len(edges) - 1)]
    if not search.newest_first:
        windows.reverse()
    since, until = search.since, search.until
    if search.after is not None and search.newest_first:
        until = min(filter(None, (until, search.after[0] + timedelta(microseconds=1))))
    elif search.after is not None:
        since = max(filter(None, (since, search.after[0])))
    clipped = []
    for low, high in windows:
        begins = max(filter(None, (low, since)), default=None)
        ends = min(filter(None, (high, until)), default=None)
        if begins is None or ends is None or begins < ends:
            clipped.append((begins, ends))
    return clipped


def _month(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
