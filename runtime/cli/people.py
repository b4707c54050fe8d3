"""What `phis account` does, in a transaction with its audit row."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from domain.errors import Misconfigured
from domain.roles import Role
from runtime.cli.database import opened, reachable_settings, refuse_unknown, tell
from runtime.settings import Settings
from store import accounts, attempts, audit, second_factors, sign_ins
from store.audit import AuditAction
from store.database import Transaction

ACTOR = "command-line"

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,60}")


@dataclass(frozen=True)
class NewAccount:
    hospital: str
    name: str
    roles: Sequence[Role]
    display: str
    external: str


def create(wanted: NewAccount, data_dir: Path | None) -> None:
    name = full_name(wanted.name or wanted.roles[0].value, wanted.hospital)
    display = wanted.display.strip() or name.partition("@")[0]
    settings = reachable_settings(data_dir)

    async def act() -> str:
        async with in_hospital(settings, wanted.hospital) as (tx, now):
            await accounts.create_account(
                tx,
                name=name,
                display_ko=display,
                display_en=display,
                roles=wanted.roles,
                password_hash="",  # nothing matches it: the person chooses one
                external=wanted.external.strip() or None,
            )
            await note(tx, now, AuditAction.CREATE, f"account/created:{name}")
            return await sign_ins.make_link(tx, name, now)

    _print_link(settings, name, asyncio.run(act()))


def show(hospital: str, data_dir: Path | None) -> None:
    settings = reachable_settings(data_dir)

    async def act() -> Table:
        table = Table(box=None, padding=(0, 2, 0, 0))
        for head in ("account", "name", "roles", "second factor", "state"):
            table.add_column(head, overflow="fold")
        async with in_hospital(settings, hospital) as (tx, now):
            with_factor = await second_factors.confirmed_accounts(tx)
            held_up = set(await attempts.waiting(tx, now))
            for one in await accounts.accounts(tx):
                state = "closed" if one.disabled else "no password yet" if not one.password_hash else "open"
                table.add_row(
                    one.name,
                    one.display_ko,
                    ", ".join(sorted(one.roles)),
                    "yes" if one.name in with_factor else "no",
                    f"{state}, somebody waits after failures" if one.name in held_up else state,
                )
        return table

    Console().print(asyncio.run(act()))


def disable(hospital: str, name: str, reason: str, data_dir: Path | None, *, disabled: bool) -> None:
    full = full_name(name, hospital)
    settings = reachable_settings(data_dir)

    async def act() -> None:
        async with in_hospital(settings, hospital) as (tx, now):
            await accounts.disable(tx, full, disabled=disabled)
            await note(tx, now, AuditAction.UPDATE, f"account/{'closed' if disabled else 'opened'}:{full}", reason)

    asyncio.run(act())
    tell(f"{full} is {'closed' if disabled else 'open again'}; its sessions have ended.")


def reset(hospital: str, name: str, reason: str, data_dir: Path | None, *, second_factor: bool) -> None:
    full = full_name(name, hospital)
    settings = reachable_settings(data_dir)

    async def act() -> str:
        async with in_hospital(settings, hospital) as (tx, now):
            await accounts.forget_password(tx, full)
            await attempts.forget_account(tx, full)
            if second_factor and await second_factors.remove(tx, full):
                await note(tx, now, AuditAction.DELETE, f"second-factor/reset:{full}", reason)
            await note(tx, now, AuditAction.UPDATE, f"account/reset:{full}", reason)
            return await sign_ins.make_link(tx, full, now)

    _print_link(settings, full, asyncio.run(act()))


def change_roles(hospital: str, name: str, reason: str, roles: Sequence[Role], data_dir: Path | None) -> None:
    full = full_name(name, hospital)
    settings = reachable_settings(data_dir)

    async def act() -> None:
        async with in_hospital(settings, hospital) as (tx, now):
            await accounts.change_roles(tx, full, roles)
            await note(tx, now, AuditAction.UPDATE, f"account/roles:{full}", reason)

    asyncio.run(act())
    tell(f"{full} is now {', '.join(sorted(roles))}; its sessions have ended.")


def name_external(hospital: str, name: str, reason: str, external: str, data_dir: Path | None) -> None:
    full = full_name(name, hospital)
    settings = reachable_settings(data_dir)

    async def act() -> None:
        async with in_hospital(settings, hospital) as (tx, now):
            await accounts.name_external(tx, full, external.strip() or None)
            await note(tx, now, AuditAction.UPDATE, f"account/external:{full}", reason)

    asyncio.run(act())
    tell(f"{full} is known to the sign-on as {external}." if external else f"{full} is unknown to the sign-on.")


def full_name(name: str, hospital: str) -> str:
    """`kim` and `kim@hanbit` are the same. Raises Misconfigured for a name that no account can have."""
    local, _, of = name.strip().partition("@")
    if of not in {"", hospital} or not _NAME.fullmatch(local):
        raise Misconfigured(f"{name}: an account's name is small letters, digits, '-', '_' and '.', then @{hospital}.")
    return f"{local}@{hospital}"


@asynccontextmanager
async def in_hospital(settings: Settings, hospital: str) -> AsyncIterator[tuple[Transaction, datetime]]:
    async with opened(settings) as database, database.transaction(hospital) as tx:
        await refuse_unknown(tx, hospital)
        yield tx, datetime.now(UTC)


async def note(tx: Transaction, now: datetime, action: AuditAction, detail: str, reason: str | None = None) -> None:
    """One audit row of the command line; the reason is kept encrypted. Raises Misconfigured for an empty one."""
    if reason is not None and not reason.strip():
        raise Misconfigured("--reason is empty: say why, for whoever reads the audit.")
    await audit.record(tx, action=action, actor=ACTOR, detail=detail, reason=reason, at=now)


def _print_link(settings: Settings, name: str, secret: str) -> None:
    tell(f"{name} chooses a password within 24 hours, once, at:")
    print(f"{settings.origin}/setup/{secret}")  # noqa: T201  (scripts read the last line of standard output)
