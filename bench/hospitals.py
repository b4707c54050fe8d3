"""Many hospitals in one installation: `python -m bench.hospitals`. Time, disk and memory, and that each is whole.

Three tertiary, eight general hospitals and seventy clinics, made from the shipped packs. The larger goal is a day's
set-up of a network; the smaller one is that an idle hospital costs next to nothing.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from psycopg import AsyncConnection

from adapters.packs import reading
from adapters.packs.sizes import Size
from api.commands.setup.standing import standing
from bench.report import Figure, percentile, show
from domain.setup.gaps import gaps
from domain.setup.kinds import Kind
from domain.setup.places import HospitalType
from runtime.hospitals.creating import NewHospital, create
from runtime.postgres import EmbeddedPostgres
from store import bootstrap, hospitals, schema
from store.database import Database
from store.sealing import KeyRing
from store.setup import entries

MANY = {Size.TERTIARY: 3, Size.GENERAL: 8, Size.CLINIC: 70}


async def measure() -> list[Figure]:
    folder = _folder()
    postgres = EmbeddedPostgres(folder / "postgres", durable=True)
    try:
        addresses = await postgres.start()
        await bootstrap.bootstrap(addresses.superuser, "bench", dict(addresses.passwords))
        migrate = addresses.url("phis_migrate", "bench")
        await schema.migrate(migrate)
        app, system = (addresses.url(role, "bench") for role in ("phis_app", "phis_system"))
        async with Database.open(app, system, KeyRing.generate()) as database:
            return await _many(database, migrate, addresses.superuser_of("bench"))
    finally:
        await postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def _many(database: Database, migrate: str, superuser: str) -> list[Figure]:
    packs = {size: reading.read(reading.shipped(), size) for size in Size}
    before = await _disk(superuser)
    took: dict[Size, list[float]] = {size: [] for size in Size}
    resident, spent_by_us = 0, time.process_time()
    for size, many in MANY.items():
        for number in range(many):
            wanted = NewHospital(f"{size}{number}", f"병원 {number}", f"Hospital {number}", HospitalType(size.value))
            began = time.perf_counter()
            await create(migrate, database, wanted, packs[size], by="bench", alone=True)
            took[size].append(time.perf_counter() - began)
            if size is Size.TERTIARY and number == 0:
                resident = _resident()  # models, packs and pools are there now; what comes is the hospitals'
    count = sum(MANY.values())
    grown, spent_by_us = _resident() - resident, time.process_time() - spent_by_us
    listed = await _look_at_each(database)
    every = [seconds for spent in took.values() for seconds in spent]
    return [
        *(
            Figure(f"a {size} hospital made, median of {len(spent)}", percentile(spent, 0.5), "s", 5)
            for size, spent in took.items()
        ),
        Figure(f"{count} hospitals made", sum(every), "s"),
        Figure("processor of the maker for each, without the database's", spent_by_us / count, "s", 1),
        Figure("disk of each hospital", (await _disk(superuser) - before) / count / 2**20, "MB"),
        Figure("memory of the maker for each further hospital", max(grown, 0) / (count - 1) / 2**10, "kB", 500),
        Figure(f"each of {count} looked at: what it lacks, and that nothing is another's", listed, "ms a hospital"),
    ]


async def _look_at_each(database: Database) -> float:
    """Milliseconds for each. Fails when a hospital is not listed, or has anything of another."""
    async with database.system() as tx:
        known = await hospitals.all_of_them(tx)
    assert len(known) == sum(MANY.values())
    began = time.perf_counter()
    for each in known:
        async with database.transaction(each.code) as tx:
            there = await standing(tx, datetime.now(UTC))
            (own,) = await entries.at(tx, Kind.HOSPITAL, datetime.now(UTC))
        named = (own.content or {})["name_en"]
        assert (named, there.hospital and there.hospital.type.value) == (each.name_en, each.kind)
        assert "no-administrator" in {gap.code for gap in gaps(there)}
    return (time.perf_counter() - began) * 1000 / len(known)


async def _disk(superuser: str) -> int:
    async with await AsyncConnection.connect(superuser, autocommit=True) as connection:
        row = await (await connection.execute("select pg_database_size(current_database())")).fetchone()
    return int(row[0]) if row else 0


def _folder() -> Path:
    """One that PostgreSQL's unprivileged user reaches."""
    folder = Path(tempfile.mkdtemp(prefix="phis-bench-"))
    folder.chmod(0o755)
    return folder


def _resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    show("hospitals", asyncio.run(measure()))
