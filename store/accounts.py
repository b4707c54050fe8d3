"""Who may sign in and what they are. Checking a password is the caller's: here stands the hash that it gave."""

from __future__ import annotations

from collections.abc import Collection

from pydantic import BaseModel, Field

from domain.errors import Conflict, NotFound
from domain.roles import Role
from store.database import Transaction
from store.sessions import (
    Session,
    Token,
    end_session,
    forget_expired,
    hospital_of_secret,
    issue_token,
    secret_hash,
    session,
    start_session,
    token,
)

__all__ = [
    "Account",
    "Session",
    "Token",
    "account",
    "accounts",
    "change_password",
    "create_account",
    "disable",
    "end_session",
    "forget_expired",
    "hospital_of_secret",
    "issue_token",
    "secret_hash",
    "session",
    "start_session",
    "token",
]


class Account(BaseModel, frozen=True):
    """A person's account, named `bed-manager@hanbit`."""

    name: str
    display_ko: str
    display_en: str
    roles: frozenset[Role]
    password_hash: str = Field(repr=False)
    disabled: bool


async def create_account(
    tx: Transaction, *, name: str, display_ko: str, display_en: str, roles: Collection[Role], password_hash: str
) -> Account:
    """Raises Conflict for a name that is taken."""
    made = await tx.rows(
        Account,
        """
        insert into account (hospital, name, display_ko, display_en, roles, password_hash, disabled)
        values (%(hospital)s, %(name)s, %(display_ko)s, %(display_en)s, %(roles)s, %(password_hash)s, false)
        on conflict do nothing returning *
        """,
        {
            "hospital": tx.hospital,
            "name": name,
            "display_ko": display_ko,
            "display_en": display_en,
            "roles": sorted(roles),
            "password_hash": password_hash,
        },
    )
    if not made:
        raise Conflict("an account of this name exists", account=name)
    return made[0]


async def account(tx: Transaction, name: str) -> Account:
    """Raises NotFound."""
    found = await tx.rows(Account, "select * from account where hospital = %s and name = %s", [tx.hospital, name])
    if not found:
        raise NotFound("no such account", account=name)
    return found[0]


async def accounts(tx: Transaction) -> list[Account]:
    """All accounts of the hospital, by name."""
    return await tx.rows(Account, "select * from account where hospital = %s order by name", [tx.hospital])


async def change_password(tx: Transaction, name: str, password_hash: str) -> None:
    """Replace the hash and end the account's sessions. Raises NotFound."""
    changed = await tx.one(
        "update account set password_hash = %s where hospital = %s and name = %s returning name",
        [password_hash, tx.hospital, name],
    )
    await _changed(tx, name, found=changed is not None)


async def disable(tx: Transaction, name: str, *, disabled: bool = True) -> None:
    """Close an account, or open it again; either ends its sessions. Raises NotFound."""
    changed = await tx.one(
        "update account set disabled = %s where hospital = %s and name = %s returning name",
        [disabled, tx.hospital, name],
    )
    await _changed(tx, name, found=changed is not None)


async def _changed(tx: Transaction, name: str, *, found: bool) -> None:
    if not found:
        raise NotFound("no such account", account=name)
    await tx.execute("delete from session where hospital = %s and account = %s", [tx.hospital, name])
