"""Commands that speak to the database, of this configuration or of the `phis up` running beside."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from domain.errors import Misconfigured, NotFound
from domain.roles import Role
from runtime import logs
from runtime.settings import Settings, load_settings, settings_from
from runtime.shipping import ship_rules
from runtime.supervisor.place import running
from store import accounts, hospitals, schema
from store.database import Database, Transaction
from store.sealing import KeyRing

if TYPE_CHECKING:
    from runtime.reconcile import Report

_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_LONGEST = timedelta(days=366)


def migrate(settings: Settings, *, check: bool) -> None:
    url = settings.require("database_migrate_url").database_migrate_url.get_secret_value()
    if check:
        asyncio.run(schema.check(url))
    else:
        asyncio.run(_migrate(url))
    tell(f"The database has schema {schema.head()}, as this release needs.")


async def _migrate(url: str) -> None:
    await schema.migrate(url)
    await ship_rules(url, now=datetime.now(UTC))


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
    if not _LABEL.fullmatch(wish.label):
        raise Misconfigured("--label names a program: letters, digits, '-', '_' and '.'; only people have an '@'.")
    until = datetime.now(UTC) + duration(wish.lasts, "--expires")
    secret = asyncio.run(_issue(reachable_settings(data_dir), wish, until))
    tell(f"A token of {wish.hospital} for {wish.label}, good until {until.astimezone():%Y-%m-%d %H:%M %Z}:")
    print(secret)  # noqa: T201  (scripts read the last line of standard output)


def load(hospital: str, files: Sequence[Path], data_dir: Path | None) -> int:
    """Returns the exit code: 1 when anything was refused."""
    kept, failed = asyncio.run(_load(reachable_settings(data_dir), hospital, files))
    tell(f"{kept} kept, {failed} refused.")
    return 1 if failed else 0


def export(hospital: str, folder: Path, types: Sequence[str], since: str | None, data_dir: Path | None) -> None:
    count = asyncio.run(_export(reachable_settings(data_dir), hospital, folder, types, since))
    tell(f"{count} resources written into {folder}.")


def reindex(hospital: str | None, data_dir: Path | None) -> None:
    for code, count in asyncio.run(_reindex(reachable_settings(data_dir), hospital)).items():
        tell(f"{code}: search rows of {count} resources made anew.")


def reconcile(data_dir: Path | None) -> None:
    settings = reachable_settings(data_dir)
    logs.configure("reconcile", style=settings.log_format, level="error")
    report = asyncio.run(_reconcile(settings))
    resumed = len(report.resumed) + len(report.replaced)
    tell(f"{report.open} open processes, {resumed} resumed from their rows.")
    if report.silent:
        tell(f"{len(report.silent)} could not be judged, because no worker answers: start phis worker, then try again.")
        raise SystemExit(1)


async def _issue(settings: Settings, wish: TokenWish, until: datetime) -> str:
    async with opened(settings) as database, database.transaction(wish.hospital) as tx:
        await refuse_unknown(tx, wish.hospital)
        return await accounts.issue_token(tx, wish.label, wish.roles, " ".join(wish.scope), until)


async def _load(settings: Settings, hospital: str, files: Sequence[Path]) -> tuple[int, int]:
    from runtime.load import load as load_files  # noqa: PLC0415  (FHIR's definitions are not needed for a token)

    async with opened(settings) as database:
        async with database.transaction(hospital) as tx:
            await refuse_unknown(tx, hospital)
        report = await load_files(
            database,
            hospital,
            files,
            origin=settings.origin,
            tell=tell,
            reference_checks=settings.reference_checks,
        )
    return report.kept, report.failed


async def refuse_unknown(tx: Transaction, hospital: str) -> None:
    try:
        await hospitals.get(tx, hospital)
    except NotFound:
        known = ", ".join(known.code for known in await hospitals.all_of_them(tx)) or "none"
        raise Misconfigured(f"There is no hospital {hospital}. There are: {known}.") from None


async def _export(settings: Settings, hospital: str, folder: Path, types: Sequence[str], since: str | None) -> int:
    from runtime.export import export as write  # noqa: PLC0415  (FHIR's definitions are not needed for a token)

    async with opened(settings) as database:
        async with database.transaction(hospital) as tx:
            await refuse_unknown(tx, hospital)
        return await write(database, hospital, folder, origin=settings.origin, types=types, since=since, tell=tell)


async def _reindex(settings: Settings, hospital: str | None) -> dict[str, int]:
    from store.fhir.reindexing import reindex as make_anew  # noqa: PLC0415  (FHIR's definitions)

    done: dict[str, int] = {}
    async with opened(settings) as database:
        async with database.transaction(hospital or "") as tx:
            if hospital is not None:
                await refuse_unknown(tx, hospital)
            codes = [hospital] if hospital else [each.code for each in await hospitals.all_of_them(tx)]
        for code in codes:
            done[code], at = 0, 0
            while True:
                async with database.transaction(code) as tx:
                    batch = await make_anew(tx, after=at)
                if batch is None:
                    break
                at, count = batch
                done[code] += count
                if done[code] % 10_000 < count:
                    tell(f"{code}: {done[code]} so far")
    return done


async def _reconcile(settings: Settings) -> Report:
    from runtime.reconcile import reconcile as compare  # noqa: PLC0415  (the engine is not needed for a token)
    from runtime.temporal import PROCESS_QUEUE, connect  # noqa: PLC0415

    settings.require("temporal_address")
    keys = KeyRing.parse(settings.keys.get_secret_value())
    client = await connect(
        settings.temporal_address, settings.temporal_namespace, keys, tls=settings.temporal_tls_config
    )
    async with opened(settings) as database:
        return await compare(database, client, PROCESS_QUEUE)


def opened(settings: Settings) -> AbstractAsyncContextManager[Database]:
    settings.require("database_url", "database_system_url", "keys")
    return Database.open(
        settings.database_url.get_secret_value(),
        settings.database_system_url.get_secret_value(),
        KeyRing.parse(settings.keys.get_secret_value()),
        app_size=2,
        system_size=1,
    )


def reachable_settings(data_dir: Path | None) -> Settings:
    """Ours where a database is named, else those of the `phis up` that runs."""
    settings = load_settings()
    return settings if settings.database_url and not data_dir else settings_from(running(data_dir))


def duration(text: str, option: str) -> timedelta:
    found = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", text)
    if not found or (length := timedelta(**{_UNITS[found[2]]: int(found[1])})) > _LONGEST:
        raise Misconfigured(f"{option} {text}: write a number and m, h or d, a year at most, such as 8h.")
    return length


def tell(sentence: str) -> None:
    Console(stderr=True).print(sentence, highlight=False, markup=False, soft_wrap=True)
