"""Resources from files into a hospital's records, as `phis load` does it: through the store, without HTTP.

Everything is what a transaction over HTTP would be (hl7.org/fhir/R4/http.html#transaction): checked, searchable, noted
in the audit, announced, and refused where a process owns the state. No process is started. What is refused is said
with its place, and the rest goes on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

from api.caller import Caller
from api.commands.dispatch import Dispatcher
from api.commands.processes import Processes
from api.events import EventHub
from api.fhir.exchange import Address, Asker, Call
from api.fhir.outcome import face
from api.fhir.transaction import transaction
from api.state import AppState, ReferenceChecks
from domain.errors import Refused
from domain.process import ProcessSnapshot
from rules.scopes import grants
from runtime.load_files import Broken, Piece, files_of, pieces
from store import clocks
from store.database import Database

AT_ONCE = 200
"""Resources of one transaction, where they do not come as one."""

_TELLS = 10_000
"""Resources between two words about a long file."""

_PLACE = re.compile(r"Bundle\.(entry\[\d+\])(?:\.resource)?(.*)")

Tell = Callable[[str], None]


class _NoProcesses(Processes):
    """Loading writes records; whatever would start a process is refused."""

    def __init__(self) -> None:
        """It has no engine."""

    async def start(self, row: ProcessSnapshot, *, resume: bool = False, patience: timedelta) -> None:
        raise Refused("loading starts no process")


@dataclass(slots=True)
class Report:
    """How many entries were kept, and how many pieces were refused."""

    kept: int = 0
    failed: int = 0


@dataclass(slots=True)
class _Later:
    """Pieces that name something that was not there yet, with what was said of them, by file."""

    of: dict[Path, dict[str, list[str]]] = field(default_factory=dict)

    def add(self, path: Path, where: str, said: list[str]) -> None:
        self.of.setdefault(path, {})[where] = said


class Refusals(Exception):
    """What was said of a transaction; nothing of it was kept. `early`: it names what may come later."""

    def __init__(self, said: list[str], *, early: bool) -> None:
        super().__init__(said[0])
        self.said = said
        self.early = early


def without_engine(database: Database, origin: str, reference_checks: ReferenceChecks = "off") -> AppState:
    """What interactions need where nothing is served: records are read and written, no process is started."""
    return AppState(
        database=database,
        temporal=None,
        task_queue="",
        dispatcher=Dispatcher(database, _NoProcesses()),
        events=EventHub(),
        public_url=origin,
        secure_cookies=False,
        version="",
        reference_checks=reference_checks,
    )


async def load(
    database: Database,
    hospital: str,
    paths: Iterable[Path],
    *,
    origin: str,
    tell: Tell,
    reference_checks: ReferenceChecks = "off",
) -> Report:
    """Load files in their order. What names a resource of a later file is tried again at the end.

    origin: under which clients see the server; absolute references that begin so are our own.  tell: takes sentences.
    Raises Misconfigured for files that are not there, Unavailable.
    """
    async with database.transaction(hospital) as tx:
        clock = await clocks.clock_of(tx)
    state = without_engine(database, origin, reference_checks)
    caller = Caller(hospital, "command-line", frozenset(), {}, {}, None, b"")
    loading = _Loading(state, Asker(caller, grants("system/*.cruds", frozenset()), clock), tell)
    files = files_of(paths)
    for path in files:
        await loading.file(path, pieces(path))
    await loading.again()
    return loading.report


class _Loading:
    """One run over all files."""

    def __init__(self, state: AppState, asker: Asker, tell: Tell) -> None:
        self._state = state
        self._asker = asker
        self._base = f"{state.public_url}/fhir/{asker.caller.hospital}"
        self._tell = tell
        self._later = _Later()
        self._told = 0
        self.report = Report()

    async def file(self, path: Path, found: Iterator[Piece | Broken]) -> None:
        """Everything of a file: transactions as they came, the rest together in transactions of ours."""
        before, waiting = self.report.kept, list[Piece]()
        for piece in found:
            if isinstance(piece, Broken):
                self._refused(path, piece.where, [piece.said])
            elif piece.transaction:
                await self._together(path, waiting)
                await self._alone(path, piece)
            else:
                waiting.append(piece)
                if len(waiting) == AT_ONCE:
                    await self._together(path, waiting)
            if self.report.kept - self._told >= _TELLS:
                self._told = self.report.kept
                self._tell(f"{path}: {self.report.kept - before} so far")
        await self._together(path, waiting)
        self._tell(f"{path}: {self.report.kept - before} kept")

    async def again(self) -> None:
        """Try what came too early until that helps no more."""
        while self._later.of:
            waiting, kept = self._later.of, self.report.kept
            self._later = _Later()
            for path, places in waiting.items():
                missed = (piece for piece in pieces(path) if isinstance(piece, Piece) and piece.where in places)
                await self.file(path, missed)
            if self.report.kept == kept:
                break
        for path, places in self._later.of.items():
            for where, said in places.items():
                self._refused(path, where, said)

    async def _together(self, path: Path, waiting: list[Piece]) -> None:
        """Pieces in one transaction; when that is refused, each in its own."""
        held = waiting.copy()
        waiting.clear()
        if len(held) > 1:
            try:
                # A refused attempt has rewritten references already, to what then was not kept.
                await self._write([deepcopy(piece.entries[0]) for piece in held])
            except Refusals:
                pass
            else:
                return
        for piece in held:
            await self._alone(path, piece)

    async def _alone(self, path: Path, piece: Piece) -> None:
        try:
            await self._write(piece.entries, whole=piece.transaction)
        except Refusals as refused:
            if refused.early:
                self._later.add(path, piece.where, refused.said)
            else:
                self._refused(path, piece.where, refused.said)

    async def _write(self, entries: list[object], *, whole: bool = True) -> None:
        """One transaction. Raises Refusals, Unavailable."""
        if not entries:
            return
        call = Call(self._state, self._asker, self._base, Address("load"), self._state.now())
        call.resource = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        try:
            await transaction(call)
        except Exception as failed:
            # Everything has a face; what nobody expected goes to the log, and its number to the operator.
            refusal = face(failed)
            if refusal.status == HTTPStatus.SERVICE_UNAVAILABLE:
                raise failed.__cause__ or failed from None
            places = [str(each.get("expression", [""])[0]) for each in refusal.issues]
            said = [
                _placed(place, str(each.get("diagnostics", "")), whole=whole)
                for place, each in zip(places, refusal.issues, strict=True)
            ]
            raise Refusals(said, early=any(place.endswith("reference") for place in places)) from failed
        self.report.kept += len(entries)

    def _refused(self, path: Path, where: str, said: list[str]) -> None:
        self.report.failed += 1
        for sentence in said:
            self._tell(": ".join(part for part in (str(path), where, sentence) if part))


def _placed(expression: str, sentence: str, *, whole: bool) -> str:
    """A sentence after its place: within the Bundle that came, or within the resource that we made one of."""
    found = _PLACE.fullmatch(expression)
    if found is None:
        return f"{expression}: {sentence}" if expression else sentence
    place = found[1] + found[2] if whole else found[2].lstrip(".")
    return f"{place}: {sentence}" if place else sentence
