"""What a database administrator does once: roles, the database, its extension. `phis migrate` does all the rest.

phis_owner      owns the tables; nobody signs in with it
phis_migrate    changes the schema, past row security; a member of phis_owner
phis_app        reads and writes within the hospital that its transaction names
phis_system     sees all hospitals, but only what the grants in `store.migrations` name; no record bodies
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from psycopg import AsyncConnection, OperationalError, sql
from psycopg.conninfo import make_conninfo

from domain.errors import Unavailable

OWNER = "phis_owner"
SIGNING_IN = ("phis_migrate", "phis_app", "phis_system")

_TURN = 5_077_002


async def bootstrap(superuser: str, database: str, passwords: Mapping[str, str]) -> None:
    """Create what is missing and set the passwords; may be run again at any time.

    superuser: conninfo or URL of an administrator, of any database.  passwords: by role name; a role without one
    keeps its own.  Roles belong to the whole server, so two installations on one server share them.
    Raises Unavailable when the server does not answer.
    """
    try:
        async with await AsyncConnection.connect(superuser, autocommit=True) as connection:
            # CREATE ROLE has no "if not exists", and several tests or servers may start at once.
            await connection.execute("select pg_advisory_lock(%s)", [_TURN])
            await _roles(connection, passwords)
            await _database(connection, database)
        async with await AsyncConnection.connect(make_conninfo(superuser, dbname=database), autocommit=True) as inside:
            await inside.execute("create extension if not exists btree_gist")
    except OperationalError as down:
        raise Unavailable(f"the database does not answer: {down}", part="database") from down


@dataclass(frozen=True)
class SignedIn:
    """Who an address signs in as, what that role may, and where. `version`: the server's major version."""

    role: str
    reads_past_row_security: bool
    version: int


async def who_signs_in(url: str) -> SignedIn:
    """What `phis doctor` asks of an address. Raises Unavailable."""
    try:
        async with await AsyncConnection.connect(url, connect_timeout=5) as connection:
            cursor = await connection.execute(
                "select rolname, rolsuper or rolbypassrls from pg_roles where rolname = current_user"
            )
            row = await cursor.fetchone()
            version = connection.info.server_version // 10_000
    except OperationalError as down:
        raise Unavailable(" ".join(str(down).split()), part="database") from down
    role, past = row or ("nobody", False)
    return SignedIn(role, past, version)


async def _roles(connection: AsyncConnection, passwords: Mapping[str, str]) -> None:
    found = {row[0] for row in await (await connection.execute("select rolname from pg_roles")).fetchall()}
    for role in (OWNER, *SIGNING_IN):
        if role not in found:
            await connection.execute(sql.SQL("create role {}").format(sql.Identifier(role)))
    for role in SIGNING_IN:
        await connection.execute(sql.SQL("alter role {} login nosuperuser").format(sql.Identifier(role)))
        if role in passwords:
            # The verifier, not the password, goes over the wire and into the server's log.
            verifier = connection.pgconn.encrypt_password(passwords[role].encode(), role.encode(), b"scram-sha-256")
            await connection.execute(
                sql.SQL("alter role {} password {}").format(sql.Identifier(role), sql.Literal(verifier.decode()))
            )
    await connection.execute("alter role phis_migrate bypassrls")
    await connection.execute("grant phis_owner to phis_migrate")


async def _database(connection: AsyncConnection, database: str) -> None:
    name = sql.Identifier(database)
    cursor = await connection.execute("select from pg_database where datname = %s", [database])
    if await cursor.fetchone() is None:
        await connection.execute(sql.SQL("create database {} owner phis_owner encoding 'UTF8'").format(name))
    await connection.execute(sql.SQL("revoke all on database {} from public").format(name))
    for role in SIGNING_IN:
        await connection.execute(sql.SQL("grant connect on database {} to {}").format(name, sql.Identifier(role)))
