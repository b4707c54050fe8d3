"""Failed proofs, counted for an account and the place that they come from, and the pause that follows from them.

An attempt is counted before the proof is looked at, so that a hundred at once are a hundred; success forgets them.
Nobody fails for others: every new place has its first attempts free, whatever happens elsewhere. Times are real.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from store.database import SystemTransaction, Transaction

FREE = 5
"""Failures of one place before it must wait."""

FREE_UNDER_ATTACK = 1
"""The same, while an account has many failures from many places, or a place has them with many accounts."""

MANY = 50
LONGEST = timedelta(minutes=15)
FORGOTTEN = timedelta(hours=24)
_SHORT = timedelta(hours=1)  # how long failures are kept that made nobody wait


@dataclass(frozen=True)
class Place:
    """Where an attempt comes from.

    account: as it was typed.  origin: a known device of this account, or a network address.  address: the network
    address alone; None for a known device, which attacks nobody else.
    """

    account: str
    origin: str
    address: str | None


@dataclass(frozen=True)
class Attempt:
    """wait: the place must wait that long, and the attempt does not count.  pauses: should it fail, a pause follows."""

    wait: timedelta | None = None
    pauses: bool = False


async def begin(tx: Transaction, place: Place, now: datetime, *, known: str | None) -> Attempt:
    """Count an attempt as failed, until `succeeded` says otherwise.

    known: the account's name where one exists, so that an administrator can forget its failures.
    """
    if place.address is not None:
        wide = [_key("account", place.account), _key("address", place.address)]
        rows = await tx.all(
            "select failures from sign_in_attempt where hospital = %s and key = any(%s) and last_at > %s",
            [tx.hospital, wide, now - FORGOTTEN],
        )
        free = FREE_UNDER_ATTACK if any(row["failures"] >= MANY for row in rows) else FREE
    else:
        free = FREE
    key = _key("place", place.account, place.origin)
    counted = await tx.one(_COUNT, _counting(tx, key, known, now))
    if counted is None:
        row = await tx.one(
            "select blocked_until from sign_in_attempt where hospital = %s and key = %s", [tx.hospital, key]
        )
        until: datetime = row["blocked_until"] if row else now
        return Attempt(wait=max(until - now, timedelta(seconds=1)))
    tries = int(counted["failures"])
    if tries >= free:
        # The pause after this attempt, should it fail: 1, 2, 4 … seconds.
        pause = min(timedelta(seconds=2 ** min(tries - free, 20)), LONGEST)
        await tx.execute(
            "update sign_in_attempt set blocked_until = %s where hospital = %s and key = %s",
            [now + pause, tx.hospital, key],
        )
    return Attempt(pauses=tries >= free)


async def failed(tx: Transaction, place: Place, now: datetime, *, known: str | None) -> None:
    """It did fail: the account and the address have one more failure."""
    if place.address is not None:
        for key, whose in ((_key("account", place.account), known), (_key("address", place.address), None)):
            await tx.execute(_COUNT, _counting(tx, key, whose, now))
    if known is not None:  # told to the owner at the next sign-in
        await tx.execute(
            "update account set failed_since = failed_since + 1 where hospital = %s and name = %s", [tx.hospital, known]
        )


async def succeeded(tx: Transaction, place: Place) -> None:
    """It did not fail: this place begins anew."""
    await tx.execute(
        "delete from sign_in_attempt where hospital = %s and key = %s",
        [tx.hospital, _key("place", place.account, place.origin)],
    )


async def forget_account(tx: Transaction, account: str) -> int:
    """Let everybody try again with an account; says how many places had failed with it."""
    return len(
        await tx.all(
            "delete from sign_in_attempt where hospital = %s and account = %s returning 1 as one",
            [tx.hospital, account],
        )
    )


async def waiting(tx: Transaction, now: datetime) -> list[str]:
    """Accounts with a place that must wait at present, by name."""
    rows = await tx.all(
        """
        select distinct account from sign_in_attempt
        where hospital = %s and blocked_until > %s and account is not null order by account
        """,
        [tx.hospital, now],
    )
    return [row["account"] for row in rows]


async def forget_old(tx: SystemTransaction, now: datetime) -> int:
    """Delete what no longer counts, in all hospitals, and say how much."""
    gone = await tx.one(
        """
        with gone as (
            delete from sign_in_attempt
            where last_at <= %s or (failures < %s and last_at <= %s and blocked_until <= %s) returning 1
        ) select count(*) as n from gone
        """,
        [now - FORGOTTEN, FREE, now - _SHORT, now],
    )
    return int(gone["n"]) if gone else 0


_COUNT = """
    insert into sign_in_attempt as a (hospital, key, account, failures, last_at, blocked_until)
    values (%(hospital)s, %(key)s, %(account)s, 1, %(now)s, %(now)s)
    on conflict (hospital, key) do update
    set failures = case when a.last_at <= %(forgotten)s then 1 else a.failures + 1 end, last_at = %(now)s,
        account = excluded.account
    where a.blocked_until <= %(now)s
    returning a.failures
"""


def _counting(tx: Transaction, key: bytes, account: str | None, now: datetime) -> dict[str, object]:
    return {"hospital": tx.hospital, "key": key, "account": account, "now": now, "forgotten": now - FORGOTTEN}


def _key(*parts: str) -> bytes:
    """A hash: what people type where an account's name belongs is sometimes their password."""
    return hashlib.sha256("\n".join(parts).encode()).digest()
