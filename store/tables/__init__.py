"""The one declaration of the tables, as SQLModel classes: Alembic compares the database with `METADATA`."""

from __future__ import annotations

from sqlmodel import SQLModel

from store.tables import (
    accounts,
    audit,
    beds,
    care,
    commands,
    exports,
    hospitals,
    identity,
    journal,
    keys,
    patients,
    people,
    processes,
    records,
    rules,
    search,
    setup,
    subscriptions,
    worklist,
)

METADATA = SQLModel.metadata
MODULES = (
    accounts,
    audit,
    beds,
    care,
    commands,
    exports,
    hospitals,
    identity,
    journal,
    keys,
    patients,
    people,
    processes,
    records,
    rules,
    search,
    setup,
    subscriptions,
    worklist,
)
