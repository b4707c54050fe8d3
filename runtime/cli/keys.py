"""What `phis keys` does: data keys of hospitals, made, looked at, let go of."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from runtime.cli.database import opened, reachable_settings, refuse_unknown
from runtime.resealing import reseal as reseal_all
from store import data_keys, hospitals, resealing
from store.data_keys import AHEAD, DataKey
from store.database import Database


def rotate(hospital: str | None, data_dir: Path | None) -> list[str]:
    """A new data key for one hospital or all of them; a line for each."""

    async def work(database: Database) -> list[str]:
        lines = []
        for code in await _codes(database, hospital):
            # Even where nothing is sealed yet: a server may seal while this runs, and others must open and find that.
            async with database.system() as system:
                made = await data_keys.announce(system, code)
            lines.append(f"{code}  {made.id}  seals from {made.current_from:%Y-%m-%d %H:%M:%S %Z}")
        return lines

    return _run(work, data_dir)


def status(hospital: str | None, data_dir: Path | None) -> list[str]:
    """For each hospital its keys, and how many rows each has sealed, by place."""

    async def work(database: Database) -> list[str]:
        async with database.system() as system:
            every = await data_keys.every(system)
        lines: list[str] = []
        for code in await _codes(database, hospital):
            async with database.transaction(code) as tx:
                counted = await resealing.counted(tx)
                fixed = await resealing.fixed(tx)
                ring = tx.keys.keys
            keys = every.get(code, [])
            lines += [code, *_told(keys, counted)]
            listed = {key.id for key in keys if key.retired_at is None}
            lines += [f"  {id_}: {_rows(counted[id_])}" + _missing(id_, ring) for id_ in counted if id_ not in listed]
            lines += [
                f"  {id_}, audit, which is never sealed anew: {n} rows" + _missing(id_, ring)
                for id_, n in fixed.items()
            ]
        return lines

    return _run(work, data_dir)


def reseal(hospital: str | None, data_dir: Path | None) -> list[str]:
    """Seal anew here and now what servers would do in the background."""

    async def work(database: Database) -> list[str]:
        lines = []
        async with database.system() as system:
            every = await data_keys.every(system)
        for code in await _codes(database, hospital):
            live = [key for key in every.get(code, []) if key.retired_at is None]
            if live and not live[-1].settled:
                lines.append(f"{code}: key {live[-1].id} is not in use everywhere yet, try again in {AHEAD.seconds} s.")
                continue
            async with database.transaction(code) as tx:
                await resealing.begin_again(tx)
            steps = await reseal_all(database, code)
            lines.append(f"{code}: {steps} batches looked at.")
        return lines

    return _run(work, data_dir)


def rewrap(data_dir: Path | None) -> list[str]:
    """Wrap all data keys by the ring's first key."""

    async def work(database: Database) -> list[str]:
        async with database.system() as system:
            done = await data_keys.rewrap(system)
            current = system.keys.current
        return [f"{done} data keys wrapped anew by {current}."]

    return _run(work, data_dir)


def retire(hospital: str, key_id: str, data_dir: Path | None) -> list[str]:
    """Destroy a data key. Raises Conflict while anything is sealed with it."""

    async def work(database: Database) -> list[str]:
        await _codes(database, hospital)
        async with database.transaction(hospital) as tx:
            left = (await resealing.counted(tx)).get(key_id, {})
        async with database.system() as system:
            await data_keys.retire(system, hospital, key_id, left)
        return [f"{hospital}: key {key_id} is gone."]

    return _run(work, data_dir)


def _told(keys: Iterable[DataKey], counted: dict[str, dict[str, int]]) -> list[str]:
    live = [key for key in keys if key.retired_at is None]
    sealing = [key for key in live if key.begun]
    lines = []
    for key in live:
        state = (
            "seals" if key is sealing[-1] else "opens" if key.begun else f"seals from {key.current_from:%H:%M:%S %Z}"
        )
        origin = "of the ring" if key.from_ring else f"wrapped by {key.master}"
        lines.append(f"  {key.id} ({origin}) {state}: {_rows(counted.get(key.id, {}))}")
    return lines


def _rows(places: dict[str, int]) -> str:
    return ", ".join(f"{count} in {place}" for place, count in sorted(places.items())) or "no rows"


def _missing(key_id: str, ring: Iterable[str]) -> str:
    return "" if "." in key_id or key_id in ring else "  ← NOT IN THE RING: they do not open. Put the key back."


async def _codes(database: Database, hospital: str | None) -> list[str]:
    async with database.transaction(hospital or "") as tx:
        if hospital is not None:
            await refuse_unknown(tx, hospital)
            return [hospital]
        return [each.code for each in await hospitals.all_of_them(tx)]


def _run(work: Callable[[Database], Awaitable[list[str]]], data_dir: Path | None) -> list[str]:
    async def run() -> list[str]:
        async with opened(reachable_settings(data_dir)) as database:
            return await work(database)

    return asyncio.run(run())
