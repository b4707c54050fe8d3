"""A hospital's audit for the tests of the seals: rows of every kind, a sealer that is asked instead of running."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row

from domain.ids import Reference
from store import audit
from store.audit import AuditAction
from store.database import Database
from store.sealing import KeyRing
from store.seals.checkpoints import Folder
from store.seals.sealer import Sealer, connected
from store.seals.verifying import Verdict, verify
from tests.store.values import Urls, settled

START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


async def write(database: Database, hospital: str, count: int, *, seed: int = 1, together: int = 4) -> None:
    """`count` accesses that differ in every column, a few to a transaction."""
    chance = Random(seed)  # noqa: S311
    written = 0
    while written < count:
        async with database.transaction(hospital) as tx:
            for _ in range(min(chance.randint(1, together), count - written)):
                await _one(tx, chance, written)
                written += 1


async def _one(tx: object, chance: Random, number: int) -> None:
    searched = chance.random() < 0.3
    await audit.record(
        tx,  # type: ignore[arg-type]
        action=chance.choice(list(AuditAction)),
        actor=f"person{chance.randint(1, 9)}@hanbit",
        outcome="denied" if chance.random() < 0.1 else "allowed",
        entities=[Reference.to("Observation", f"o{chance.randint(1, 999)}") for _ in range(chance.randint(0, 3))],
        patients=[Reference.to("Patient", f"p{chance.randint(1, 99)}")],
        detail="fhir/read",
        address="192.0.2.7" if chance.random() < 0.9 else None,
        at=START + timedelta(seconds=number),
        roles=["nurse"],
        purpose="TREAT",
        request=f"r{number}",
        on_behalf_of="head@hanbit" if chance.random() < 0.2 else None,
        found=chance.randint(0, 50) if searched else None,
        query=f"Patient?name=x{number}" if searched else None,
    )


def sealer(urls: Urls, keys: KeyRing, place: Folder | None, *, batch: int = 1000) -> Sealer:
    return Sealer(urls.system, keys, place, now=lambda: datetime.now(UTC), poll=timedelta(milliseconds=5), batch=batch)


async def seal(database: Database, hospital: str, sealing: Sealer) -> int:
    """Seal everything that is committed."""
    await settled(database, hospital)
    async with await connected(sealing.system_url) as connection:
        return await sealing.seal_due(connection)


async def look(database: Database, keys: KeyRing, hospital: str, place: Folder | None) -> Verdict:
    return await verify(database.transaction, keys, hospital, place, datetime.now(UTC))


def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "checkpoints").prepare()


@asynccontextmanager
async def attacker(urls: Urls) -> AsyncIterator[AsyncConnection[DictRow]]:
    """Somebody with the whole database in hand: past row security, triggers and grants."""
    async with await AsyncConnection.connect(urls.superuser, autocommit=True, row_factory=dict_row) as connection:
        await connection.execute("set session_replication_role = replica")
        yield connection
