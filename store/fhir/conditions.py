"""Looking for something before creating it: one at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

from store.database import Transaction

Criteria = Sequence[tuple[str, str]]


async def alone_with(tx: Transaction, searches: Iterable[tuple[str, Criteria]]) -> None:
    """Wait until nobody else in the hospital holds one of these searches, and hold them until the transaction ends.

    searches: a resource type and its criteria each. All are taken at once and in one order, or two transactions could
    wait for each other. Different searches may collide in 64 bits; then one waits for nothing, and no harm is done.
    """
    numbers = sorted({_number(tx.hospital, kind, criteria) for kind, criteria in searches})
    await tx.execute("select pg_advisory_xact_lock(number) from unnest(%s::int8[]) as number", [numbers])


async def alone_merging(tx: Transaction) -> None:
    """Wait until nobody else in the hospital merges patients: chains and merges both ways then meet one at a time."""
    await tx.execute("select pg_advisory_xact_lock(%s)", [_number(tx.hospital, "Patient/$merge", ())])


def _number(hospital: str, resource_type: str, criteria: Criteria) -> int:
    told = "\n".join([hospital, resource_type, *(f"{name}={value}" for name, value in criteria)])
    return int.from_bytes(hashlib.sha256(told.encode()).digest()[:8], signed=True)
