"""Browsers on their way to a hospital's own sign-on and back. Each way back works once, on whichever server."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import BaseModel, Field

from store.database import SystemTransaction, Transaction
from store.sessions import secret_hash

LASTS = timedelta(minutes=10)


class Way(BaseModel, frozen=True):
    """What the answer must fit to. `next`: where the person wanted to go."""

    issuer: str
    nonce: str = Field(repr=False)
    verifier: str = Field(repr=False)
    next: str


async def leave(tx: Transaction, way: Way, *, state: str, browser: str, now: datetime) -> None:
    """state: what the answer repeats.  browser: what only the browser that left can show."""
    await tx.execute(
        """
        insert into single_sign_on
            (hospital, state_hash, browser_hash, issuer, nonce, verifier, next, expires_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [
            tx.hospital,
            secret_hash(state),
            secret_hash(browser),
            way.issuer,
            way.nonce,
            way.verifier,
            way.next,
            now + LASTS,
        ],
    )


async def come_back(tx: Transaction, *, state: str, browser: str, now: datetime) -> Way | None:
    """The way that this browser left on, used up by it. None: there is none, or it is over, used, or another's."""
    found = await tx.rows(
        Way,
        """
        delete from single_sign_on
        where hospital = %s and state_hash = %s and browser_hash = %s and expires_at > %s
        returning issuer, nonce, verifier, next
        """,
        [tx.hospital, secret_hash(state), secret_hash(browser), now],
    )
    return found[0] if found else None


async def forget_expired(tx: SystemTransaction, now: datetime) -> int:
    gone = await tx.one(
        "with gone as (delete from single_sign_on where expires_at <= %s returning 1) select count(*) as n from gone",
        [now],
    )
    return int(gone["n"]) if gone else 0
