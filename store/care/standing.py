"""What an account is in the records: its Practitioner, and the places where the person works."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel

from domain.ids import Reference
from store.database import Transaction


class Standing(BaseModel, frozen=True):
    """`places`: Locations whose patients the person cares for, such as wards; a ward stands for its rooms and beds."""

    practitioner: Reference | None = None
    places: tuple[Reference, ...] = ()


async def standing(tx: Transaction, account: str, now: datetime) -> Standing:
    """What is so at a moment, in hospital time; empty for an account of which nothing is known.

    Posts (PractitionerRole) that run add their places to those that the account has all the time.
    """
    found = await tx.rows(
        Standing,
        """
        select s.practitioner, array(
            select unnest(s.places)
            union
            select unnest(c.places) from credential c
            where c.hospital = s.hospital and c.practitioner = s.practitioner and c.kind = 'post'
              and (c.since is null or c.since <= %(now)s) and (c.until is null or c.until > %(now)s)
        ) as places
        from standing s where s.hospital = %(hospital)s and s.account = %(account)s
        """,
        {"hospital": tx.hospital, "account": account, "now": now},
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


async def be(tx: Transaction, account: str, practitioner: Reference) -> None:
    """Say which Practitioner an account is; its places stay."""
    await tx.execute(
        """
        insert into standing (hospital, account, practitioner, places) values (%s, %s, %s, '{}')
        on conflict (hospital, account) do update set practitioner = excluded.practitioner
        """,
        [tx.hospital, account, practitioner],
    )
