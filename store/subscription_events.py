"""Events of topics by number, as subscribers were told of them: `$events` gives them again. Times are real.

Written before a notification is sent, so that nobody hears of a number that is not here. A notification that is tried
again may say something else under its number, where the record has changed meanwhile: what was said last counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from pydantic import BaseModel

from domain.ids import Reference
from store.database import SystemTransaction, Transaction

KEPT = timedelta(days=30)


class Told(BaseModel, frozen=True):
    """`subject`: the version that the event made, `Encounter/1/_history/2`."""

    number: int
    subject: str

    @property
    def reference(self) -> Reference:
        return Reference(self.subject.partition("/_history/")[0])

    @property
    def version(self) -> int:
        return int(self.subject.rpartition("/")[2])


async def keep(tx: Transaction, id_: str, events: Iterable[tuple[int, str]], now: datetime) -> None:
    """Numbers and subjects that a subscription is about to be told of."""
    listed = list(events)
    await tx.execute(
        """
        insert into subscription_event (hospital, id, number, subject, told_at)
        select %s, %s, number, subject, %s from unnest(%s::int8[], %s::text[]) as given (number, subject)
        on conflict (hospital, id, number) do update set subject = excluded.subject, told_at = excluded.told_at
        """,
        [tx.hospital, id_, now, [number for number, _ in listed], [subject for _, subject in listed]],
    )


async def between(tx: Transaction, id_: str, since: int, until: int, limit: int) -> list[Told]:
    """Those of a subscription from one number to another, both included, in order."""
    return await tx.rows(
        Told,
        """
        select number, subject from subscription_event
        where hospital = %s and id = %s and number between %s and %s order by number limit %s
        """,
        [tx.hospital, id_, since, until, limit],
    )


async def begin_anew(tx: Transaction, id_: str) -> None:
    """A subscription that is asked for again counts from one."""
    await tx.execute("delete from subscription_event where hospital = %s and id = %s", [tx.hospital, id_])


async def forget_old(tx: SystemTransaction, now: datetime) -> int:
    """Delete events of all hospitals that were kept for their time, and say how many."""
    gone = await tx.one(
        "with gone as (delete from subscription_event where told_at <= %s returning 1) select count(*) as n from gone",
        [now - KEPT],
    )
    return int(gone["n"]) if gone else 0
