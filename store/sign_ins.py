"""Sign-ins under way, and the links by which a person chooses a first password. No session: nothing else opens.

A secret reads like a session's (ADR 0009) and only its hash is kept. Times are real.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel, Field

from domain.errors import NotSignedIn
from store.database import SystemTransaction, Transaction
from store.sessions import new_secret, secret_hash

LASTS = timedelta(minutes=15)
LINK_LASTS = timedelta(hours=24)


class Proof(StrEnum):
    """What a person has shown."""

    PASSWORD = "password"  # noqa: S105  (the name of a proof)
    SECOND_FACTOR = "second-factor"
    SINGLE_SIGN_ON = "single-sign-on"


class SecondFactorRule(StrEnum):
    """Who of a hospital needs a second factor."""

    ROLES = "roles"  # those whose roles ask for it
    NOBODY = "nobody"  # a hospital that is shown, never one with patients


class SignIn(BaseModel, frozen=True):
    """A sign-in under way. `next`: where the person wanted to go."""

    secret_hash: bytes = Field(repr=False)
    account: str
    csrf: str = Field(repr=False)
    method: str
    proofs: frozenset[Proof]
    next: str


async def rule(tx: Transaction) -> SecondFactorRule:
    """Who of this hospital needs a second factor."""
    row = await tx.one("select second_factor from sign_in_policy where hospital = %s", [tx.hospital])
    return SecondFactorRule(row["second_factor"]) if row else SecondFactorRule.ROLES


async def set_rule(tx: Transaction, chosen: SecondFactorRule) -> None:
    await tx.execute(
        """
        insert into sign_in_policy (hospital, second_factor) values (%s, %s)
        on conflict (hospital) do update set second_factor = excluded.second_factor
        """,
        [tx.hospital, chosen],
    )


async def begin(
    tx: Transaction, account: str, proofs: Collection[Proof], now: datetime, *, method: str, next_: str
) -> str:
    """Keep what was proved so far and return the secret that the browser continues with."""
    secret = new_secret(tx)
    await tx.execute(
        """
        insert into sign_in (hospital, secret_hash, account, csrf, method, proofs, next, started_at, expires_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        [
            tx.hospital,
            secret_hash(secret),
            account,
            secrets.token_urlsafe(32),
            method,
            sorted(proofs),
            next_,
            now,
            now + LASTS,
        ],
    )
    return secret


async def under_way(tx: Transaction, hashed: bytes, now: datetime, *, lock: bool = False) -> SignIn:
    """The sign-in that a browser continues. Raises NotSignedIn when it is over or the account is closed.

    lock: it will be changed, so whoever else continues it waits.
    """
    sql = """
        select s.* from sign_in s join account a on a.hospital = s.hospital and a.name = s.account
        where s.hospital = %s and s.secret_hash = %s and s.expires_at > %s and not a.disabled
        """
    found = await tx.rows(SignIn, sql + " for update of s" if lock else sql, [tx.hospital, hashed, now])
    if not found:
        raise NotSignedIn("no such sign-in")
    return found[0]


async def end(tx: Transaction, hashed: bytes) -> bool:
    """Forget a sign-in: it became a session, or was given up. False when it is gone already."""
    gone = await tx.one(
        "delete from sign_in where hospital = %s and secret_hash = %s returning account", [tx.hospital, hashed]
    )
    return gone is not None


async def make_link(tx: Transaction, account: str, now: datetime) -> str:
    """A secret that lets its holder choose the account's password, once, within a day. Earlier ones end."""
    await tx.execute("delete from setup_link where hospital = %s and account = %s", [tx.hospital, account])
    secret = new_secret(tx)
    await tx.execute(
        "insert into setup_link (hospital, secret_hash, account, expires_at) values (%s, %s, %s, %s)",
        [tx.hospital, secret_hash(secret), account, now + LINK_LASTS],
    )
    return secret


async def account_of_link(tx: Transaction, hashed: bytes, now: datetime) -> str:
    """Whose password a link sets. Raises NotSignedIn for one that was used, is over, or never was."""
    row = await tx.one(
        """
        select l.account from setup_link l join account a on a.hospital = l.hospital and a.name = l.account
        where l.hospital = %s and l.secret_hash = %s and l.expires_at > %s and not a.disabled
        """,
        [tx.hospital, hashed, now],
    )
    if row is None:
        raise NotSignedIn("no such set-up link")
    return str(row["account"])


async def use_link(tx: Transaction, hashed: bytes, now: datetime) -> str:
    """Use a link up, and say whose password it sets. Raises NotSignedIn as `account_of_link` does."""
    row = await tx.one(
        """
        delete from setup_link l using account a
        where l.hospital = %s and l.secret_hash = %s and l.expires_at > %s
          and a.hospital = l.hospital and a.name = l.account and not a.disabled
        returning l.account
        """,
        [tx.hospital, hashed, now],
    )
    if row is None:
        raise NotSignedIn("no such set-up link")
    return str(row["account"])


async def forget_expired(tx: SystemTransaction, now: datetime) -> int:
    """Delete sign-ins and links of all hospitals that are over, and say how many."""
    gone = await tx.one(
        """
        with sign_ins as (delete from sign_in where expires_at <= %(now)s returning 1),
             links as (delete from setup_link where expires_at <= %(now)s returning 1)
        select (select count(*) from sign_ins) + (select count(*) from links) as n
        """,
        {"now": now},
    )
    return int(gone["n"]) if gone else 0
