"""Second factors: the sealed secret of one-time codes (RFC 6238), and recovery codes as hashes. Times are real.

Checking a code is the caller's; here stands which time step was the last accepted, so that no code is good twice, on
whichever server it is shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel, Field

from store.database import Transaction
from store.sealing import Sealed, SealedColumn, open_, place, seal

_PURPOSE = "second-factor"

SEALED = SealedColumn(
    table="second_factor",
    order={"account": "text"},
    key="key_id",
    data="secret",
    purpose=_PURPOSE,
    place=lambda _, row: place("second_factor", row["account"]),
)


class SecondFactor(BaseModel, frozen=True):
    """`secret`: as an authenticator takes it, base32. `confirmed`: its first code was shown."""

    account: str
    secret: str = Field(repr=False)
    confirmed: bool


async def of(tx: Transaction, account: str, *, lock: bool = False) -> SecondFactor | None:
    """An account's second factor, also one that is not confirmed yet.

    lock: a code will be accepted, so another answer with the same code waits. Raises SealBroken.
    """
    sql = "select key_id, secret, confirmed_at from second_factor where hospital = %s and account = %s"
    row = await tx.one(sql + " for update" if lock else sql, [tx.hospital, account])
    if row is None:
        return None
    sealed = Sealed(row["key_id"], bytes(row["secret"]))
    secret = open_(tx.keys, sealed, place("second_factor", account), purpose=_PURPOSE, hospital=tx.hospital)
    return SecondFactor(account=account, secret=secret.decode(), confirmed=row["confirmed_at"] is not None)


async def confirmed(tx: Transaction, account: str) -> bool:
    """Whether the account has a second factor that counts."""
    row = await tx.one(
        "select 1 as one from second_factor where hospital = %s and account = %s and confirmed_at is not null",
        [tx.hospital, account],
    )
    return row is not None


async def offer(tx: Transaction, account: str, secret: str, now: datetime) -> None:
    """Keep a secret that is shown to the person and counts once its first code came. A confirmed one stays."""
    sealed = seal(tx.keys, secret.encode(), place("second_factor", account), purpose=_PURPOSE, hospital=tx.hospital)
    await tx.execute(
        """
        insert into second_factor as f (hospital, account, key_id, secret, made_at)
        values (%(hospital)s, %(account)s, %(key)s, %(secret)s, %(now)s)
        on conflict (hospital, account) do update
        set key_id = excluded.key_id, secret = excluded.secret, made_at = excluded.made_at, last_step = null
        where f.confirmed_at is null
        """,
        {
            "hospital": tx.hospital,
            "account": account,
            "key": sealed.key_id,
            "secret": sealed.data,
            "now": now,
        },
    )


async def accept(tx: Transaction, account: str, step: int, now: datetime) -> bool:
    """Accept the code of a time step and confirm the factor. False when this step, or a later one, was accepted."""
    row = await tx.one(
        """
        update second_factor set last_step = %(step)s, confirmed_at = coalesce(confirmed_at, %(now)s)
        where hospital = %(hospital)s and account = %(account)s and (last_step is null or last_step < %(step)s)
        returning account
        """,
        {"hospital": tx.hospital, "account": account, "step": step, "now": now},
    )
    return row is not None


async def replace_recovery_codes(tx: Transaction, account: str, codes: Iterable[str]) -> None:
    """Keep hashes of these codes and forget the earlier ones."""
    await tx.execute("delete from recovery_code where hospital = %s and account = %s", [tx.hospital, account])
    for code in codes:
        await tx.execute(
            "insert into recovery_code (hospital, account, code_hash) values (%s, %s, %s)",
            [tx.hospital, account, _hash(code)],
        )


async def use_recovery_code(tx: Transaction, account: str, code: str, now: datetime) -> bool:
    """Use a recovery code up. False for one that was used or never was."""
    row = await tx.one(
        """
        update recovery_code set used_at = %s
        where hospital = %s and account = %s and code_hash = %s and used_at is null returning account
        """,
        [now, tx.hospital, account, _hash(code)],
    )
    return row is not None


async def recovery_codes_left(tx: Transaction, account: str) -> int:
    row = await tx.one(
        "select count(*) as n from recovery_code where hospital = %s and account = %s and used_at is null",
        [tx.hospital, account],
    )
    return int(row["n"]) if row else 0


async def remove(tx: Transaction, account: str) -> bool:
    """Take an account's second factor and recovery codes away. False when it had none."""
    await tx.execute("delete from recovery_code where hospital = %s and account = %s", [tx.hospital, account])
    gone = await tx.one(
        "delete from second_factor where hospital = %s and account = %s returning account", [tx.hospital, account]
    )
    return gone is not None


async def confirmed_accounts(tx: Transaction) -> frozenset[str]:
    """Accounts of the hospital that have a second factor."""
    rows = await tx.all(
        "select account from second_factor where hospital = %s and confirmed_at is not null", [tx.hospital]
    )
    return frozenset(row["account"] for row in rows)


def _hash(code: str) -> bytes:
    """SHA-256 is enough: a code has 80 random bits, and places that guess must wait."""
    return hashlib.sha256(code.encode()).digest()
