"""Which tables ask for a second pair of eyes, and which packs a hospital began with."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from pydantic import BaseModel

from domain.setup.kinds import Kind
from store.database import Transaction


class TakenPack(BaseModel, frozen=True):
    """A pack that a hospital took. `key`: its publisher's, in base64."""

    name: str
    version: str
    size: str
    publisher: str
    key: str
    entries: int
    taken_by: str
    taken_at: datetime


async def four_eyes(tx: Transaction) -> frozenset[Kind]:
    """The kinds whose changes wait until somebody else approves them."""
    rows = await tx.all("select kind from master_policy where hospital = %s", [tx.hospital])
    return frozenset(Kind(row["kind"]) for row in rows)


async def set_four_eyes(tx: Transaction, kinds: Collection[Kind], *, by: str, now: datetime) -> None:
    """Ask for a second pair of eyes for these kinds and no others. What waits goes on waiting."""
    await tx.execute("delete from master_policy where hospital = %s", [tx.hospital])
    for kind in sorted(set(kinds)):
        await tx.execute(
            "insert into master_policy (hospital, kind, set_by, set_at) values (%s, %s, %s, %s)",
            [tx.hospital, kind.value, by, now],
        )


async def took(tx: Transaction, pack: TakenPack) -> None:
    await tx.execute(
        """
        insert into master_pack (hospital, name, version, size, publisher, key, entries, taken_by, taken_at)
        values (%(hospital)s, %(name)s, %(version)s, %(size)s, %(publisher)s, %(key)s, %(entries)s, %(taken_by)s,
                %(taken_at)s)
        """,
        {"hospital": tx.hospital, **pack.model_dump()},
    )


async def packs(tx: Transaction) -> list[TakenPack]:
    """The packs that the hospital took, by name."""
    return await tx.rows(TakenPack, "select * from master_pack where hospital = %s order by name", [tx.hospital])
