"""A hospital's records as NDJSON files, as `phis export` writes them: the mirror of `phis load`.

The same as `$export` gives (hl7.org/fhir/uv/bulkdata/export.html), through the store and without HTTP: as of one
instant, a short transaction for each stretch, an audit row beside it. The files lie readable on the disk, for whoever
runs the command; nobody else may read them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from api.accesses import accessed
from api.caller import Caller
from api.fhir.bundles import instant
from api.fhir.exchange import Address, Asker, Call
from api.fhir.export import transaction_time
from api.fhir.export_gathering import Gathering
from api.fhir.export_request import Asked
from api.fhir.versions import time_of
from domain import fhir
from domain.errors import Invalid, Misconfigured
from rules.scopes import grants
from runtime.load import without_engine
from store import clocks, exports
from store.audit import AuditAction
from store.database import Database
from store.export_files import FileKind, Lines
from store.fhir.walking import Span

Tell = Callable[[str], None]

MANIFEST = "manifest.json"


async def export(
    database: Database, hospital: str, folder: Path, *, origin: str, types: Sequence[str], since: str | None, tell: Tell
) -> int:
    """Write `Type.ndjson` for each type that has something, and a manifest; how many resources that were.

    folder: empty, or not there yet.  types: none for all.  since: only what changed later, and what was deleted.
    Raises Misconfigured, Unavailable.
    """
    asked = Asked(base=f"{origin}/fhir/{hospital}", url="", level="system", types=_types(types), since=_instant(since))
    _prepare(folder)
    async with database.transaction(hospital) as tx:
        caller = Caller(hospital, "command-line", frozenset(), {}, {}, None, b"")
        asker = Asker(caller, grants("system/*.rs", frozenset()), await clocks.clock_of(tx))
        state = without_engine(database, origin)
        call = Call(state, asker, asked.base, Address("operation", operation="export"), state.now())
        at = transaction_time(call)
        seen = await exports.snapshot_at(tx, asked.since) if asked.since else None
        # The row remembers what this export could not have seen; there are no files to keep in the database.
        job = await exports.ask(
            tx,
            actor=caller.actor,
            asked=asked.model_dump_json().encode(),
            transaction_time=at,
            now=call.real,
            first_type=asked.types[0],
            kept=False,
        )
        await accessed(tx, caller, AuditAction.EXECUTE, "fhir/export", at=call.real)
    writing = _Writing(database, Gathering(call, asked, Span(at, asked.since, seen)), folder)
    for kind in asked.types:
        before = writing.count
        await writing.all_of(kind)
        if writing.count > before:
            tell(f"{kind}: {writing.count - before} written")
    async with database.transaction(hospital) as tx:
        await exports.finish(tx, job, state.now(), state.export_lifetime)
    manifest = {"transactionTime": instant(at), "hospital": hospital, "resources": writing.count}
    _append(folder / MANIFEST, json.dumps(manifest, indent=1).encode() + b"\n")
    return writing.count


class _Writing:
    """One run: what a stretch gives goes to the file of its type, and into the audit."""

    def __init__(self, database: Database, gathering: Gathering, folder: Path) -> None:
        self._database, self._gathering, self._folder = database, gathering, folder
        self.count = 0

    async def all_of(self, kind: str) -> None:
        after: str | None = ""
        while after is not None:
            async with self._database.transaction(self._gathering.call.hospital) as tx:
                found: list[Lines] = []

                async def keep(lines: Lines, found: list[Lines] = found) -> None:
                    found.append(lines)
                    _append(self._folder / _name(lines), lines.text)

                after = await self._gathering.stretch(tx, kind, after, keep)
                if found:
                    about = [patient for lines in found for patient in lines.patients]
                    call = self._gathering.call
                    await accessed(
                        tx, call.asker.caller, AuditAction.EXPORT, "fhir/export-file", at=call.real, patients=about
                    )
            self.count += sum(lines.count for lines in found if lines.kind is FileKind.OUTPUT)


def _name(lines: Lines) -> str:
    return f"{lines.type}.ndjson" if lines.kind is FileKind.OUTPUT else f"{lines.kind.value}.ndjson"


def _append(path: Path, text: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "ab") as file:
        file.write(text)


def _prepare(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise Misconfigured(f"{folder} is not empty: an export begins in a folder of its own.")
    except OSError as refused:
        raise Misconfigured(f"{folder} cannot be written: {refused.strerror}.") from None


def _types(named: Sequence[str]) -> tuple[str, ...]:
    for name in named:
        if name not in fhir.resource_types():
            raise Misconfigured(f"--type {name}: R4 has no such resource type.")
    return tuple(sorted(set(named) or fhir.resource_types()))


def _instant(since: str | None) -> datetime | None:
    try:
        return time_of(since, "since")[0] if since else None
    except Invalid:
        raise Misconfigured(f"--since {since}: write an instant such as 2026-11-23T10:00:00+09:00.") from None
