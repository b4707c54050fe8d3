"""Commands that speak to the database, of this configuration or of the `phis up` running beside."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console

from domain.errors import Misconfigured, NotFound
from domain.roles import Role
from runtime.settings import Settings, load_settings, settings_from
from runtime.supervisor.place import running
from store import accounts, hospitals, schema
from store.database import Database
from store.sealing import KeyRing

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_LONGEST = timedelta(days=366)


def migrate(settings: Settings, *, check: bool) -> None:
    url = settings.require("database_migrate_url").database_migrate_url.get_secret_value()
    if check:
        asyncio.run(schema.check(url))
    else:
        asyncio.run(schema.migrate(url))
    _tell(f"The database has schema {schema.head()}, as this release needs.")


@dataclass(frozen=True)
class TokenWish:
    """What a client's token shall be good for. `lasts` reads 30m, 8h or 7d."""

    hospital: str
    roles: Sequence[Role]
    scope: Sequence[str]
    lasts: str
    label: str


def token(wish: TokenWish, data_dir: Path | None) -> None:
    if not wish.roles and not wish.scope:
        raise Misconfigured("A token may do nothing without --role or --scope: give one, such as --role physician.")
    until = datetime.now(UTC) + _duration(wish.lasts)
    secret = asyncio.run(_issue(_reachable_settings(data_dir), wish, until))
    _tell(f"A token of {wish.hospital} for {wish.label}, good until {until.astimezone():%Y-%m-%d %H:%M %Z}:")
    print(secret)  # noqa: T201  (scripts read the last line of standard output)


def reconcile(data_dir: Path | None) -> None:
    found, resumed = asyncio.run(_reconcile(_reachable_settings(data_dir)))
    _tell(f"{found} open processes, {resumed} resumed from their rows.")


async def _issue(settings: Settings, wish: TokenWish, until: datetime) -> str:
    async with _opened(settings) as database, database.transaction(wish.hospital) as tx:
        try:
            await hospitals.get(tx, wish.hospital)
        except NotFound:
            known = ", ".join(known.code for known in await hospitals.all_of_them(tx)) or "none"
            raise Misconfigured(f"There is no hospital {wish.hospital}. There are: {known}.") from None
        return await accounts.issue_token(tx, wish.label, wish.roles, " ".join(wish.scope), until)


async def _reconcile(settings: Settings) -> tuple[int, int]:
    from runtime.reconcile import reconcile as compare  # noqa: PLC0415  (the engine is not needed for a token)
    from runtime.temporal import PROCESS_QUEUE, connect  # noqa: PLC0415

    settings.require("temporal_address")
    keys = KeyRing.parse(settings.keys.get_secret_value())
    client = await connect(
        settings.temporal_address, settings.temporal_namespace, keys, tls=settings.temporal_tls_config
    )
    async with _opened(settings) as database:
        report = await compare(database, client, PROCESS_QUEUE)
    return report.open, len(report.resumed) + len(report.replaced)


def _opened(settings: Settings) -> AbstractAsyncContextManager[Database]:
    settings.require("database_url", "database_system_url", "keys")
    return Database.open(
        settings.database_url.get_secret_value(),
        settings.database_system_url.get_secret_value(),
        KeyRing.parse(settings.keys.get_secret_value()),
        app_size=2,
        system_size=1,
    )


def _reachable_settings(data_dir: Path | None) -> Settings:
    """Ours where a database is named, else those of the `phis up` that runs."""
    settings = load_settings()
    return settings if settings.database_url and not data_dir else settings_from(running(data_dir))


def _duration(text: str) -> timedelta:
    found = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", text)
    if not found or (length := timedelta(**{_UNITS[found[2]]: int(found[1])})) > _LONGEST:
        raise Misconfigured(f"--expires {text}: write a number and m, h or d, a year at most, such as 8h.")
    return length


def _tell(sentence: str) -> None:
    Console(stderr=True).print(sentence, highlight=False, soft_wrap=True)
