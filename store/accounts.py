"""Who may sign in and what they are. Checking a password is the caller's: here stands the hash that it gave."""

from __future__ import annotations

from collections.abc import Collection

from pydantic import BaseModel, Field

from domain.errors import Conflict, NotFound
from domain.roles import Role
from store.database import Transaction
from store.sessions import (
    OwnSession,
    Session,
    Token,
    act_for,
    end_session,
    end_sessions,
    end_tokens,
    forget_expired,
    hospital_of_secret,
    is_person,
    issue_token,
    new_secret,
    proved,
    secret_hash,
    session,
    sessions_of,
    standing,
    start_session,
    token,
)

__all__ = [
    "Account",
    "OwnSession",
    "Session",
    "Token",
    "account",
    "account_of_external",
    "accounts",
    "act_for",
    "change_password",
    "change_roles",
    "create_account",
    "disable",
    "end_session",
    "end_sessions",
    "end_tokens",
    "forget_expired",
    "forget_password",
    "hospital_of_secret",
    "is_person",
    "issue_token",
    "must_change_password",
    "name_external",
    "new_secret",
    "proved",
    "secret_hash",
    "session",
    "sessions_of",
    "standing",
    "start_session",
    "token",
]


class Account(BaseModel, frozen=True):
    """A person's account, named `bed-manager@hanbit`.

    password_hash: empty while no password was chosen; nothing matches it.  must_change: the password was not chosen by
    the person.  external: how the hospital's own sign-on knows the person.
    """

    name: str
    display_ko: str
    display_en: str
    roles: frozenset[Role]
    password_hash: str = Field(repr=False)
    disabled: bool
    must_change: bool
    external: str | None


async def create_account(
    tx: Transaction,
    *,
    name: str,
    display_ko: str,
    display_en: str,
    roles: Collection[Role],
    password_hash: str,
    must_change: bool = False,
    external: str | None = None,
) -> Account:
    """Raises Conflict for a name, or an external name, that is taken."""
    made = await tx.rows(
        Account,
        """
        insert into account
            (hospital, name, display_ko, display_en, roles, password_hash, disabled, must_change, external)
        values (%(hospital)s, %(name)s, %(display_ko)s, %(display_en)s, %(roles)s, %(password_hash)s, false,
                %(must_change)s, %(external)s)
        on conflict do nothing returning *
        """,
        {
            "hospital": tx.hospital,
            "name": name,
            "display_ko": display_ko,
            "display_en": display_en,
            "roles": sorted(roles),
            "password_hash": password_hash,
            "must_change": must_change,
            "external": external,
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


async def account_of_external(tx: Transaction, external: str) -> Account:
    """Whom the hospital's own sign-on means. Raises NotFound."""
    found = await tx.rows(
        Account, "select * from account where hospital = %s and external = %s", [tx.hospital, external]
    )
    if not found:
        raise NotFound("no account has this external name")
    return found[0]


async def change_password(tx: Transaction, name: str, password_hash: str, *, but: bytes = b"") -> None:
    """Replace the hash by one of the person's own choice and end the account's sessions, except `but`.

    Set-up links end too. Raises NotFound.
    """
    await _changed(
        tx,
        name,
        await tx.one(
            """
            update account set password_hash = %s, must_change = false where hospital = %s and name = %s
            returning name
            """,
            [password_hash, tx.hospital, name],
        ),
        but=but,
    )
    await tx.execute("delete from setup_link where hospital = %s and account = %s", [tx.hospital, name])


async def must_change_password(tx: Transaction, name: str) -> None:
    """Ask for a new password at the next sign-in, and end the account's sessions. Raises NotFound."""
    await _changed(
        tx,
        name,
        await tx.one(
            "update account set must_change = true where hospital = %s and name = %s returning name",
            [tx.hospital, name],
        ),
    )


async def forget_password(tx: Transaction, name: str) -> None:
    """Let no password open the account until one is chosen with a set-up link; its sessions end. Raises NotFound."""
    await _changed(
        tx,
        name,
        await tx.one(
            "update account set password_hash = '' where hospital = %s and name = %s returning name",
            [tx.hospital, name],
        ),
    )


async def change_roles(tx: Transaction, name: str, roles: Collection[Role]) -> None:
    """Replace an account's roles, and end its sessions and tokens: what was signed in had other rights.

    Raises NotFound.
    """
    await _changed(
        tx,
        name,
        await tx.one(
            "update account set roles = %s where hospital = %s and name = %s returning name",
            [sorted(roles), tx.hospital, name],
        ),
    )


async def name_external(tx: Transaction, name: str, external: str | None) -> None:
    """Say how the hospital's sign-on knows the person, and end the account's sessions. Raises NotFound, Conflict."""
    if external is not None:
        taken = await tx.one(
            "select 1 as one from account where hospital = %s and external = %s and name <> %s",
            [tx.hospital, external, name],
        )
        if taken is not None:
            raise Conflict("another account has this external name", account=name)
    await _changed(
        tx,
        name,
        await tx.one(
            "update account set external = %s where hospital = %s and name = %s returning name",
            [external, tx.hospital, name],
        ),
    )


async def disable(tx: Transaction, name: str, *, disabled: bool = True) -> None:
    """Close an account, or open it again; either ends its sessions. Raises NotFound."""
    await _changed(
        tx,
        name,
        await tx.one(
            "update account set disabled = %s where hospital = %s and name = %s returning name",
            [disabled, tx.hospital, name],
        ),
    )


async def _changed(tx: Transaction, name: str, row: object, *, but: bytes = b"") -> None:
    if row is None:
        raise NotFound("no such account", account=name)
    await end_sessions(tx, name, but=but)
    await end_tokens(tx, name)
