"""Hospitals' data keys: each wrapped by a master key of the ring, which never lies in the database.

**Announce, then use.** A new key stands in the table for a while before anything is sealed or indexed with it, and
every process looks there every few seconds, in front of a transaction: when it begins to seal, everybody can open what
it seals, and searches by its hashes. The table's server is the clock that they share. A key is taken away in the other
order: nothing seals with it, nothing is left of it, then it goes.

A hospital without a row is sealed by the ring itself, as before there were data keys; its ring keys are entered,
without a wrapped key, when it gets its first data key.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from domain.errors import Conflict, NotFound, SealBroken
from store.sealing import DataKeys, KeyRing, Sealed

if TYPE_CHECKING:
    from store.database import SystemTransaction

LOOKED_AT_EVERY = timedelta(seconds=10)
"""How old a process's knowledge of the keys may be when a transaction begins."""

AHEAD = timedelta(seconds=90)
"""From a key's announcement to its use: a look, and the longest transaction that began before it."""

_BYTES = 32


@dataclass(frozen=True)
class DataKey:
    """master: the key of the ring that wraps it.  wrapped: None for a key of the ring itself, empty when destroyed.

    begun: it may seal.  settled: whoever began before it sealed has ended.
    """

    hospital: str
    id: str
    master: str
    wrapped: bytes | None
    made_at: datetime
    current_from: datetime
    retired_at: datetime | None
    begun: bool
    settled: bool

    @property
    def from_ring(self) -> bool:
        return self.wrapped is None


_SELECT = """
select hospital, id, master, wrapped, made_at, current_from, retired_at, current_from <= clock_timestamp() as begun,
       current_from + %(ahead)s <= clock_timestamp() as settled
from data_key
"""


async def every(tx: SystemTransaction) -> dict[str, list[DataKey]]:
    """All keys by hospital, the newest last."""
    found = await tx.rows(DataKey, _SELECT.encode() + b"order by hospital, current_from, made_at, id", {"ahead": AHEAD})
    listed: dict[str, list[DataKey]] = defaultdict(list)
    for key in found:
        listed[key.hospital].append(key)
    return dict(listed)


def known(ring: KeyRing, hospital: str, keys: list[DataKey]) -> DataKeys:
    """What a process uses of them."""
    opened: dict[str, bytes] = {}
    locked: dict[str, str] = {}
    live = [key for key in keys if key.retired_at is None]
    for key in live:
        if key.wrapped is not None:
            try:
                opened[key.id] = ring.unwrap(Sealed(key.master, key.wrapped), key.id, hospital)
            except SealBroken:
                locked[key.id] = key.master
    begun = [key for key in live if key.begun and not key.from_ring]
    sealing = begun[-1].id if begun else None
    searching = [key.id for key in live if (key.id in ring.keys if key.from_ring else key.id in opened)]
    if sealing is None and ring.current not in searching:
        searching.append(ring.current)
    return DataKeys(sealing, tuple(searching), opened, locked)


async def announce(tx: SystemTransaction, hospital: str, *, ahead: timedelta = AHEAD, empty: bool = False) -> DataKey:
    """Make a hospital's next data key. Raises Conflict while one is announced that does not seal yet.

    ahead: nothing only where no other process runs.  empty: nothing of the hospital is sealed yet.
    """
    await tx.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"data_key/{hospital}"])
    before = (await every(tx)).get(hospital, [])
    if any(not key.begun for key in before if key.retired_at is None):
        raise Conflict("a key is announced already: it seals from then on", hospital=hospital)
    if not before and not empty:
        for id_ in tx.keys.keys:
            await _enter(tx, hospital, id_, Sealed(id_, b""), None)
    key_id = f"d.{os.urandom(6).hex()}"
    wrapped = tx.keys.wrap(os.urandom(_BYTES), key_id, hospital)
    await _enter(tx, hospital, key_id, wrapped, ahead)
    return next(key for key in (await every(tx))[hospital] if key.id == key_id)


async def _enter(tx: SystemTransaction, hospital: str, key_id: str, wrapped: Sealed, ahead: timedelta | None) -> None:
    """ahead: None for a key of the ring, which has sealed all along."""
    await tx.execute(
        """
        insert into data_key (hospital, id, master, wrapped, made_at, current_from)
        values (%(hospital)s, %(id)s, %(master)s, %(wrapped)s, clock_timestamp(),
                case when %(ahead)s::interval is null then '2000-01-01T00:00Z'::timestamptz
                     else clock_timestamp() + %(ahead)s::interval end)
        """,
        {
            "hospital": hospital,
            "id": key_id,
            "master": wrapped.key_id,
            "wrapped": None if ahead is None else wrapped.data,
            "ahead": ahead,
        },
    )


async def rewrap(tx: SystemTransaction) -> int:
    """Wrap every data key by the ring's current master key. How many were wrapped by another. Raises SealBroken."""
    done = 0
    for hospital, keys in (await every(tx)).items():
        for key in keys:
            if key.retired_at is None and key.wrapped is not None and key.master != tx.keys.current:
                plain = tx.keys.unwrap(Sealed(key.master, key.wrapped), key.id, hospital)
                anew = tx.keys.wrap(plain, key.id, hospital)
                await tx.execute(
                    "update data_key set master = %s, wrapped = %s where hospital = %s and id = %s",
                    [anew.key_id, anew.data, hospital, key.id],
                )
                done += 1
    return done


async def retire(tx: SystemTransaction, hospital: str, key_id: str, left: Mapping[str, int]) -> None:
    """Destroy a data key, or let go of a key of the ring. `left`: rows that are sealed with it, by place.

    Raises NotFound, Conflict while rows are left, and for the key that seals or that has not begun to.
    """
    await tx.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"data_key/{hospital}"])
    keys = [key for key in (await every(tx)).get(hospital, []) if key.retired_at is None]
    key = next((each for each in keys if each.id == key_id), None)
    if key is None:
        raise NotFound("no such key", hospital=hospital, key_id=key_id)
    later = [each for each in keys if not each.from_ring and each.settled and each.id != key_id]
    if not key.begun or not later or (later[-1].current_from <= key.current_from):
        raise Conflict("the key seals, or did a moment ago: rotate first, and wait", hospital=hospital, key_id=key_id)
    if left:
        said = ", ".join(f"{count} in {place}" for place, count in left.items())
        raise Conflict(f"rows are sealed with it: {said}", hospital=hospital, key_id=key_id)
    await tx.execute(
        """
        update data_key set wrapped = case when wrapped is not null then ''::bytea end, retired_at = clock_timestamp()
        where hospital = %s and id = %s
        """,
        [hospital, key_id],
    )
