"""The version of the database's schema: where it is, where it should be, and bringing it there."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

import psycopg
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, NullPool, create_engine
from sqlalchemy.exc import OperationalError

from domain.errors import Misconfigured, Unavailable

log = logging.getLogger(__name__)

# Alembic keeps what it is doing in global names. Between processes, `env.py` takes turns by a lock in the database.
_ONE_AT_A_TIME = threading.Lock()
_T = TypeVar("_T")


def head() -> str:
    """The revision that this release needs."""
    revision = ScriptDirectory.from_config(_config()).get_current_head()
    assert revision is not None  # noqa: S101  # a release ships at least one migration
    return revision


async def current(url: str) -> str | None:
    """The database's revision; None before its first migration. Any role may ask. Raises Unavailable."""
    return await asyncio.to_thread(_with, url, _revision)


async def migrate(url: str) -> None:
    """Bring the database to this release, as `phis_migrate`. Does nothing where that is done already.

    Raises Misconfigured for a database of a newer release, Unavailable when it does not answer or stays locked.
    """
    await asyncio.to_thread(_with, url, _upgrade)


async def check(url: str) -> None:
    """Raise Misconfigured unless the database has exactly the schema of this release. Any role may ask."""
    found = await current(url)
    if found is None:
        raise Misconfigured("The database is empty: run phis migrate.")
    _refuse_newer(found)
    if found != head():
        raise Misconfigured(f"The database is of an older release (schema {found}): run phis migrate.")


def _refuse_newer(found: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found is not None and found not in known:
        message = (
            f"The database was migrated by a newer release of P-HIS (schema {found}; this release knows up to "
            f"{head()}): start that release, or restore a backup from before its migration."
        )
        raise Misconfigured(message)


def _config() -> Config:
    config = Config()
    # Found through the package, so that it is there in a wheel, too. A per cent sign would be an interpolation.
    location = str(Path(str(files("store.migrations"))))
    config.set_main_option("script_location", location.replace("%", "%%"))
    return config


def _with(url: str, act: Callable[[Connection], _T]) -> _T:
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool)
    try:
        with engine.connect() as connection:
            return act(connection)
    except OperationalError as down:
        raise Unavailable(f"the database does not answer: {down.orig}", part="database") from down


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection) -> None:
    found = _revision(connection)
    connection.rollback()
    _refuse_newer(found)
    config = _config()
    config.attributes["connection"] = connection
    with _ONE_AT_A_TIME:
        command.upgrade(config, "head")
    log.info("database migrated from %s to %s", found or "nothing", head())
