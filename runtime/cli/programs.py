"""What `phis client` does, in a transaction with its audit row."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from adapters.jose.keys import public_keys
from adapters.outgoing import Outgoing
from domain.errors import Forbidden, Invalid, Misconfigured
from rules.scopes import intersection
from runtime.cli.database import duration, reachable_settings, tell
from runtime.cli.people import in_hospital, note
from runtime.settings import Settings
from store import clients
from store.audit import AuditAction

_LONGEST = 3600  # seconds, SMART recommends 300


@dataclass(frozen=True)
class NewClient:
    hospital: str
    name: str
    scope: Sequence[str]
    keys: Path | None
    keys_url: str
    lasts: str
    display: str


def register(wanted: NewClient, data_dir: Path | None) -> None:
    id_ = full_id(wanted.name, wanted.hospital)
    seconds = int(duration(wanted.lasts, "--lasts").total_seconds())
    if seconds > _LONGEST:
        raise Misconfigured("--lasts: a token is good for an hour at most; five minutes are usual.")
    scope = " ".join(wanted.scope)
    for one in scope.split():
        if not intersection(one, one):
            raise Misconfigured(f"--scope {one}: write system scopes, such as system/Observation.rs.")
    settings = reachable_settings(data_dir)
    keys, url = _keys(settings, wanted.keys, wanted.keys_url)

    async def act() -> None:
        async with in_hospital(settings, wanted.hospital) as (tx, now):
            await clients.register(
                tx,
                id_=id_,
                display=wanted.display or wanted.name,
                keys=keys,
                keys_url=url,
                scope=scope,
                token_seconds=seconds,
                now=now,
            )
            await note(tx, now, AuditAction.CREATE, f"client/registered:{id_}")

    asyncio.run(act())
    tell(f"It asks for tokens at {settings.origin}/auth/token, as client")
    print(id_)  # noqa: T201  (scripts read the last line of standard output)


def show(hospital: str, data_dir: Path | None) -> None:
    settings = reachable_settings(data_dir)

    async def act() -> Table:
        table = Table(box=None, padding=(0, 2, 0, 0))
        for head in ("client", "what it is", "scopes", "keys", "tokens last", "state"):
            table.add_column(head, overflow="fold")
        async with in_hospital(settings, hospital) as (tx, _):
            for one in await clients.clients(tx):
                names = ", ".join(str(key["kid"]) for key in (one.keys or {}).get("keys", []))
                state = "closed" if one.disabled else "open"
                table.add_row(one.id, one.display, one.scope, one.keys_url or names, f"{one.token_seconds} s", state)
        return table

    Console().print(asyncio.run(act()))


def rotate(hospital: str, name: str, file: Path | None, keys_url: str, data_dir: Path | None) -> None:
    id_ = full_id(name, hospital)
    settings = reachable_settings(data_dir)
    keys, url = _keys(settings, file, keys_url)

    async def act() -> None:
        async with in_hospital(settings, hospital) as (tx, now):
            await clients.rotate(tx, id_, keys=keys, keys_url=url)
            await note(tx, now, AuditAction.UPDATE, f"client/keys:{id_}")

    asyncio.run(act())
    tell(f"{id_} has new keys; tokens that it had have ended.")


def disable(hospital: str, name: str, data_dir: Path | None, *, disabled: bool) -> None:
    id_ = full_id(name, hospital)
    settings = reachable_settings(data_dir)

    async def act() -> None:
        async with in_hospital(settings, hospital) as (tx, now):
            await clients.disable(tx, id_, disabled=disabled)
            await note(tx, now, AuditAction.UPDATE, f"client/{'closed' if disabled else 'opened'}:{id_}")

    asyncio.run(act())
    tell(f"{id_} is {'closed' if disabled else 'open again'}; tokens that it had have ended.")


def full_id(name: str, hospital: str) -> str:
    """`loader` and `hanbit.loader` are the same. Raises Misconfigured for an id that no client can have."""
    id_ = name if name.startswith(f"{hospital}.") else f"{hospital}.{name}"
    try:
        clients.hospital_of_client(id_)
    except Invalid as wrong:
        raise Misconfigured(f"{name}: {wrong}.") from None
    return id_


def _keys(settings: Settings, file: Path | None, url: str) -> tuple[dict[str, Any] | None, str | None]:
    if (file is None) == (not url):
        raise Misconfigured("Give the client's public keys with --keys FILE, or with --keys-url where it has them.")
    if file is None:
        try:
            Outgoing(settings.outgoing_hosts.split(",")).refuse_elsewhere(url)
        except Forbidden:
            raise Misconfigured(
                f"--keys-url {url}: name its host in PHIS_OUTGOING_HOSTS first; it speaks https."
            ) from None
        return None, url
    try:
        return public_keys(json.loads(file.read_text(encoding="utf-8"))), None
    except (OSError, ValueError) as unreadable:
        raise Misconfigured(f"--keys {file}: cannot be read as JSON ({unreadable}).") from None
    except Invalid as wrong:
        raise Misconfigured(f"--keys {file}: {wrong} ({wrong.params.get('field', '')}).") from None
