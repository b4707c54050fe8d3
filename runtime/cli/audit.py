"""`phis audit`: is the audit what it was, and what happened in a month."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from adapters.csv import writing
from api.ui.views.audit_report import Section, sections
from api.ui.words import Language, words
from domain.errors import Misconfigured
from runtime.cli.database import opened, reachable_settings, refuse_unknown
from runtime.settings import Settings
from store import audit, audit_report
from store.audit import AuditAction
from store.sealing import KeyRing
from store.seals.checkpoints import Folder
from store.seals.verifying import Finding, Verdict, Wrong
from store.seals.verifying import verify as compare

_SAYS = {
    Wrong.ROW_CHANGED: "a row was changed",
    Wrong.ROW_MISSING: "a row is missing",
    Wrong.ROW_INSERTED: "a row was inserted",
    Wrong.LINK_CHANGED: "the link was changed",
    Wrong.LINK_MISSING: "the link is missing",
    Wrong.CHAIN_BROKEN: "the link does not continue the chain",
    Wrong.REWRITTEN: "the link is not the one that the second place has",
    Wrong.CUT_OFF: "the end was cut off, up to a link that the second place has",
    Wrong.CHECKPOINT_MISSING: "the second place has no line of the link",
    Wrong.CHECKPOINT_FORGED: "the second place's line is not signed by us",
    Wrong.KEY_MISSING: "the key that sealed it is not in the ring",
}


class Form(StrEnum):
    """How the report is written."""

    TEXT = "text"
    CSV = "csv"
    JSON = "json"


def verify(hospital: str, checkpoints: Path | None, data_dir: Path | None) -> tuple[list[str], int]:
    """Lines to print, and the exit code: 1 when something is wrong."""
    settings = reachable_settings(data_dir)
    place = checkpoints or settings.audit_checkpoints
    if place is not None and not place.is_dir():
        raise Misconfigured(f"{place} is not a folder: name the second place with --checkpoints.")
    verdict = asyncio.run(_verify(settings, hospital, place))
    return told(verdict), 0 if verdict.sound else 1


def report(hospital: str, month: str, language: Language, form: Form, data_dir: Path | None) -> str:
    """The review of a month, as text to print."""
    try:
        since, until = audit_report.month_of(month)
    except ValueError:
        raise Misconfigured(f"--month {month}: write a year and a month, such as 2026-11.") from None
    found = asyncio.run(_report(reachable_settings(data_dir), hospital, (since, until), language))
    return written(found, form)


def told(verdict: Verdict) -> list[str]:
    """What the look found, the first wrong place first."""
    lines = [f"{verdict.links} links with {verdict.rows} accesses of {verdict.hospital} were looked at."]
    if verdict.findings:
        first, *others = verdict.findings
        lines.append(f"WRONG: {_finding(first)}")
        lines += [f"   and: {_finding(each)}" for each in others]
    else:
        lines.append("Nothing was changed, removed or added in what is sealed.")
    since = f", the oldest of {verdict.tail_since:%Y-%m-%d %H:%M:%S} UTC" if verdict.tail_since else ""
    lines.append(f"Not sealed yet: {verdict.tail} accesses{since}.")
    if not verdict.compared:
        lines.append("No second place was compared: that the end was cut off could not have been seen.")
    elif verdict.behind:
        lines.append(f"{verdict.behind} links wait for their line in the second place.")
    return lines


def _finding(found: Finding) -> str:
    where = f"access {found.position}" if found.until == found.position else f"accesses {found.position}–{found.until}"
    row = f", row {found.row}" if found.row else ""
    file = f" ({found.where})" if found.where else ""
    return f"{where}, link {found.link}{row}: {_SAYS[found.what]} [{found.what.value}]{file}"


def written(found: Sequence[Section], form: Form) -> str:
    """Sections as text, CSV or JSON."""
    if form is Form.JSON:
        shown = {each.key: [dict(zip(each.columns, row, strict=True)) for row in each.rows] for each in found}
        return json.dumps(shown, ensure_ascii=False, indent=1)
    if form is Form.CSV:
        return writing.table(row for each in found for row in ([each.title], each.columns, *each.rows, []))
    return "\n".join(_table(section) for section in found)


def _table(section: Section) -> str:
    lines = [f"{section.title}: {len(section.rows)}"]
    if section.rows:
        rows = [section.columns, *section.rows]
        widths = [max(len(row[at]) for row in rows) for at in range(len(section.columns))]
        lines += ["  " + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines) + "\n"


async def _verify(settings: Settings, hospital: str, checkpoints: Path | None) -> Verdict:
    keys = KeyRing.parse(settings.require("keys").keys.get_secret_value())
    async with opened(settings) as database:
        async with database.transaction(hospital) as tx:
            await refuse_unknown(tx, hospital)
        place = Folder(checkpoints) if checkpoints else None
        return await compare(database.transaction, keys, hospital, place, datetime.now(UTC))


async def _report(
    settings: Settings, hospital: str, month: tuple[datetime, datetime], language: Language
) -> list[Section]:
    async with opened(settings) as database, database.transaction(hospital) as tx:
        await refuse_unknown(tx, hospital)
        found = await audit_report.review(tx, *month)
        await audit.record(
            tx,
            action=AuditAction.QUERY,
            actor="command-line",
            detail="audit-report",
            at=datetime.now(UTC),
            patients=sorted({ref for each in (*found.broken_glass, *found.downloads) for ref in each.line.patients}),
        )
    return sections(words(language), found)
