"""What an account is in the records: its Practitioner, and the places where the person works."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel

from domain.ids import Reference
from store.database import Transaction


class Standing(BaseModel, frozen=True):
    """`places`: Locations whose patients the person cares for, such as wards; a ward stands for its rooms and beds."""

    practitioner: Reference | None = None
    places: tuple[Reference, ...] = ()


async def standing(tx: Transaction, account: str) -> Standing:
    """Empty for an account of which nothing is known."""
    found = await tx.rows(
        Standing,
        "select practitioner, places from standing where hospital = %s and account = %s",
        [tx.hospital, account],
    )
    return found[0] if found else Standing()


async def place(
    tx: Transaction, account: str, *, practitioner: Reference | None = None, places: Sequence[Reference] = ()
) -> None:
    """Say what an account is in the records, replacing what was said; it holds from the next request."""
    await tx.execute(
        """
        insert into standing (hospital, account, practitioner, places) values (%s, %s, %s, %s)
        on conflict (hospital, account) do update
        set practitioner = excluded.practitioner, places = excluded.places
        """,
        [tx.hospital, account, practitioner, list(places)],
    )
