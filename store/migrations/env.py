"""How Alembic reaches the database: with the connection that `store.schema` hands over.

DDL runs as `phis_owner`, so that every object belongs to it, whoever signed in. A back-fill sets its role back first
(`reset role`): the owner is under forced row security and would update nothing, without an error.
"""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, text

from store.tables import METADATA

# Two `phis migrate` at once take turns; the second finds nothing left to do.
TURN = 5_077_001


def run(connection: Connection) -> None:
    connection.execute(text("set role phis_owner"))
    connection.execute(text("select pg_advisory_lock(:turn)"), {"turn": TURN})
    connection.commit()
    context.configure(connection=connection, target_metadata=METADATA, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
