"""The owner of an override hears that the rule above it has changed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid5

from pydantic import AwareDatetime, BaseModel

from domain.errors import NotFound
from store.database import Transaction

_NOTICES = UUID("5a4c1f0e-6a0b-4f57-9d44-1f2f7b1c9c11")


class Notice(BaseModel, frozen=True):
    """`override` was written against `written_against`; above it stands `now` ('' for nothing)."""

    id: UUID
    override: str
    rule: str
    owner: str
    written_against: str
    now: str
    told_at: AwareDatetime
    seen_by: str | None
    seen_at: AwareDatetime | None


async def tell(
    tx: Transaction, *, override: str, rule: str, owner: str, written_against: str, parent: str, at: datetime
) -> None:
    """Write a notice down, once for each override and parent. parent: digest of what stands above it now, or ''."""
    await tx.execute(
        """
        insert into rule_notice (hospital, id, override, rule, owner, written_against, now, told_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing
        """,
        [
            tx.hospital,
            uuid5(_NOTICES, f"{tx.hospital}\n{override}\n{parent}"),
            override,
            rule,
            owner,
            written_against,
            parent,
            at,
        ],
    )


async def waiting(tx: Transaction) -> list[Notice]:
    """Those that nobody has seen, the latest first."""
    return await tx.rows(
        Notice,
        "select * from rule_notice where hospital = %s and seen_at is null order by told_at desc, id",
        [tx.hospital],
    )


async def see(tx: Transaction, id_: UUID, *, by: str, now: datetime) -> Notice:
    """Take note of it; the first who does is kept. Raises NotFound."""
    await tx.execute(
        "update rule_notice set seen_by = %s, seen_at = %s where hospital = %s and id = %s and seen_at is null",
        [by, now, tx.hospital, id_],
    )
    found = await tx.rows(Notice, "select * from rule_notice where hospital = %s and id = %s", [tx.hospital, id_])
    if not found:
        raise NotFound("no such notice")
    return found[0]
