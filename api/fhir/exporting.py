"""Doing the exports that were asked for: every server looks for some, and goes on where another one stopped.

A batch is one short transaction: it takes the job's row, reads a stretch, keeps the lines and how far it came. After
some batches another job has its turn.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import structlog

from api.caller import Caller
from api.fhir.exchange import Address, Asker, Call
from api.fhir.export_gathering import Gathering
from api.fhir.export_request import Asked
from api.state import AppState
from domain.errors import PhisError, Unavailable
from rules.access import rights
from rules.scopes import Grants
from store import clocks, export_files, exports, hospitals
from store.database import Transaction
from store.export_files import Lines
from store.exports import Job, Leased
from store.fhir.walking import Span

log = structlog.get_logger(__name__)

_BATCHES = 40
"""Batches of a job until another one has its turn."""

_WALKS = 20
"""Types without a resource that one batch may pass."""

_MOST_FAILURES = 5
_LOOKS = timedelta(seconds=1)


@dataclass(frozen=True)
class Exporter:
    """Takes turns at the exports of all hospitals."""

    state: AppState

    async def keep_exporting(self, *, every: timedelta = _LOOKS) -> None:
        """Run until cancelled. An outage of the database is waited out: the jobs stand in it."""
        while True:
            try:
                while await self.turn():
                    pass
            except PhisError as later:
                log.warning("exports wait", reason=later.code)
            await asyncio.sleep(every.total_seconds())

    async def turn(self, batches: int = _BATCHES) -> bool:
        """Take one job some batches further, or remove files that nobody may have any more; False with none due."""
        async with self.state.database.system() as tx:
            leased = await exports.lease(tx, self.state.now())
        if leased is None:
            return False
        for _ in range(batches):
            if not await self._go_on(leased):
                break
            await asyncio.sleep(0)
        async with self.state.database.system() as tx:
            await exports.release(tx, leased, self.state.now())
        return True

    async def _go_on(self, leased: Leased) -> bool:
        """One batch; False when there is nothing more to do now."""
        try:
            async with self.state.database.transaction(leased.hospital) as tx:
                job = await exports.hold(tx, leased, self.state.now())
                if job is None:
                    return await exports.remove_some(tx, leased, self.state.now())
                return await self._batch(tx, leased.hospital, job)
        except Unavailable:
            raise
        except Exception as broken:
            # Whatever it was: the job is tried again, and given up in the end, but never the server's loop.
            log.exception("export failed", reason=getattr(broken, "code", ""), hospital=leased.hospital)
            async with self.state.database.transaction(leased.hospital) as tx:
                given_up = await exports.failed(
                    tx, leased, most=_MOST_FAILURES, now=self.state.now(), lasts=self.state.export_lifetime
                )
            if given_up:
                log.warning("export given up", hospital=leased.hospital, count=_MOST_FAILURES)
            return False

    async def _batch(self, tx: Transaction, hospital: str, job: Job) -> bool:
        asked = Asked.model_validate_json(exports.request(tx, job))
        gathering = Gathering(
            await self._call(tx, hospital, job, asked), asked, Span(job.transaction_time, asked.since, asked.seen)
        )
        found = 0

        async def keep(lines: Lines) -> None:
            nonlocal found
            found += lines.count
            await export_files.append(tx, job.id, lines)

        kind, after = job.at_type, job.after_id
        for _ in range(_WALKS):
            last = await gathering.stretch(tx, kind, after, keep)
            if last is None:
                following = asked.types.index(kind) + 1
                if following == len(asked.types):
                    await exports.advance(tx, job.id, at_type=kind, after_id=after, resources=found)
                    await exports.finish(tx, job.id, self.state.now(), self.state.export_lifetime)
                    return False
                kind, after = asked.types[following], ""
            else:
                after = last
            if found or last is not None:
                break
        await exports.advance(tx, job.id, at_type=kind, after_id=after, resources=found)
        return True

    async def _call(self, tx: Transaction, hospital: str, job: Job, asked: Asked) -> Call:
        """The request as it was made: what may be reached is asked of it for every stretch."""
        grants = Grants({name: frozenset(letters) for name, letters in asked.letters.items()})
        caller = Caller(hospital, job.actor, frozenset(asked.roles), {}, {}, None, b"")
        small = (await hospitals.get(tx, hospital)).small
        whose = rights(caller.roles, small=small) if asked.person else None
        asker = Asker(caller, grants, await clocks.clock_of(tx), whose)
        return Call(self.state, asker, asked.base, Address("operation", operation="export"), self.state.now())
