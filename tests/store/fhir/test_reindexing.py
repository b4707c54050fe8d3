"""Search rows are made anew from bodies, batch by batch, and are what a write would have made."""

from __future__ import annotations

from datetime import datetime

from domain.ids import Reference
from store.database import Database, Transaction
from store.fhir import writing
from store.fhir.reindexing import reindex
from store.fhir.rows import TABLES
from tests.store.search import ward


async def _rows(tx: Transaction) -> dict[str, set[str]]:
    found = {}
    for table in TABLES:
        statement = f"select listed::text as text from {table.name} listed".encode()  # noqa: S608  # a table of ours
        found[table.name] = {row["text"] for row in await tx.all(statement)}
    return found


async def test_rows_are_made_anew_from_the_bodies(database: Database, hospital: str, now: datetime) -> None:
    await ward.keep(database, hospital, ward.resources(), now)
    async with database.transaction(hospital) as tx:
        await writing.delete(tx, Reference("Patient/p3"), expected=1, now=now)
        before = await _rows(tx)
        for table in TABLES:
            await tx.execute(f"delete from {table.name}".encode())  # noqa: S608  # a table of ours
        assert await ward.ids(tx, "Patient?name=김") == ""
    at = 0
    while True:
        async with database.transaction(hospital) as tx:
            if (batch := await reindex(tx, after=at, limit=7)) is None:
                break
            at, count = batch
            assert 1 <= count <= 7
    async with database.transaction(hospital) as tx:
        assert await _rows(tx) == before
        assert await ward.ids(tx, "Patient?name=김") == "p1"
