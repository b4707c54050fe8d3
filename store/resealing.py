"""Sealing anew what older keys have sealed, and its search rows with it: in the background, while everything goes on.

Small transactions, each place from its beginning to its end: a crash loses the open one and nothing else, and several
servers take turns. The rows of a place are walked in the order of its primary key, where the last one stopped.
"""

# ruff: noqa: S608  # statements are made of names of ours; every value is a parameter

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.types.json import Jsonb

from store import decisions, export_files, exports, messages, second_factors
from store.care import glass
from store.database import Database, Transaction
from store.fhir import statements, versions
from store.fhir.rows import TABLES, by_table
from store.fhir.versions import COLUMNS, Version, opened, sealed
from store.people import contacts
from store.sealing import Sealed, SealedColumn, open_, seal
from store.search.extract import Rows, extract
from store.search.keyed import token_hash

PLACES: tuple[SealedColumn, ...] = (
    versions.SEALED,
    decisions.SEALED,
    second_factors.SEALED,
    *glass.SEALED,
    exports.SEALED,
    export_files.SEALED,
    messages.SEALED,
    contacts.SEALED,
)
"""Everything that is sealed under data keys but the newest versions of resources. The audit's texts never change."""

RESOURCES = "resource.body"
_AT_ONCE = 100


async def step(database: Database, hospital: str, *, limit: int = _AT_ONCE) -> bool:
    """One batch of one place; False when there is nothing to do, or others are at it."""
    for name in (RESOURCES, *(each.name for each in PLACES)):
        async with database.transaction(hospital) as tx:
            turn = await _turn(tx, name)
            if turn is None:
                continue
            if name == RESOURCES:
                seen, last = await _resources(tx, turn["after"], limit)
            else:
                seen, last = {}, await _rows(tx, next(each for each in PLACES if each.name == name), turn, limit)
            await _go_on(tx, name, last)
        if seen:
            await _look_again(database, hospital, seen)
        return True
    return False


async def counted(tx: Transaction) -> dict[str, dict[str, int]]:
    """How many rows each key has sealed: key → place → rows."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for name, table, key in (
        (RESOURCES, "resource", "key_id"),
        *((each.name, each.table, each.key) for each in PLACES),
    ):
        rows = await tx.all(
            f"""
            select {key} as key, count(*) as n from {table} where hospital = %s and {key} is not null group by {key}
            """.encode(),
            [tx.hospital],
        )
        for row in rows:
            found[row["key"]][name] = row["n"]
    return dict(found)


async def fixed(tx: Transaction) -> dict[str, int]:
    """How many rows of the audit each key of the ring has sealed or signed: those stay as they are."""
    rows = await tx.all(
        """
        select key_id as key, count(*) as n from (
            select key_id from audit_event where hospital = %(hospital)s and key_id is not null
            union all
            select key_id from audit_seal where hospital = %(hospital)s
        ) listed group by key_id
        """,
        {"hospital": tx.hospital},
    )
    return {row["key"]: row["n"] for row in rows}


async def begin_again(tx: Transaction) -> None:
    """Walk every place from its beginning, whatever was found there before."""
    await tx.execute("update resealing set finished = false, after = null where hospital = %s", [tx.hospital])


async def _turn(tx: Transaction, name: str) -> dict[str, Any] | None:
    goal = tx.keys.sealing(tx.hospital)
    await tx.execute(
        """
        insert into resealing (hospital, place, goal, done, finished) values (%s, %s, %s, 0, false)
        on conflict do nothing
        """,
        [tx.hospital, name, goal],
    )
    row = await tx.one(
        "select * from resealing where hospital = %s and place = %s for update skip locked", [tx.hospital, name]
    )
    if row is None or (row["finished"] and row["goal"] == goal):
        return None
    if row["goal"] != goal:
        row |= {"goal": goal, "after": None, "done": 0, "finished": False}
        await tx.execute(
            """
            update resealing set goal = %s, after = null, done = 0, finished = false where hospital = %s and place = %s
            """,
            [goal, tx.hospital, name],
        )
    return row


async def _go_on(tx: Transaction, name: str, last: tuple[Sequence[Any], int] | None) -> None:
    after, done = last or (None, 0)
    await tx.execute(
        """
        update resealing set after = coalesce(%s, after), done = done + %s, finished = %s
        where hospital = %s and place = %s
        """,
        [Jsonb(list(after)) if after is not None else None, done, last is None, tx.hospital, name],
    )


async def _rows(
    tx: Transaction, column: SealedColumn, turn: Mapping[str, Any], limit: int
) -> tuple[Sequence[Any], int] | None:
    """Seal the next rows of a place anew: the last one's place in the order and how many were changed, or None."""
    names = list(column.order)
    listed = ", ".join(names)
    marks = ", ".join(f"%s::{kind}" for kind in column.order.values())
    after = turn["after"]
    found = await tx.all(
        f"""
        select {listed}, {column.key} as key, {column.data} as data from {column.table}
        where hospital = %s {f"and ({listed}) > ({marks})" if after else ""}
        order by {listed} limit %s for update
        """.encode(),
        [tx.hospital, *(after or ()), limit],
    )
    if not found:
        return None
    goal, done = tx.keys.sealing(tx.hospital), 0
    for row in found:
        if row["key"] is None or row["key"] == goal:
            continue
        where = column.place(tx.hospital, row)
        before = Sealed(row["key"], bytes(row["data"]))
        plain = open_(tx.keys, before, where, purpose=column.purpose, hospital=tx.hospital)
        anew = seal(tx.keys, plain, where, purpose=column.purpose, hospital=tx.hospital)
        same = " and ".join(f"{name} = %s" for name in names)
        await tx.execute(
            f"update {column.table} set {column.key} = %s, {column.data} = %b where hospital = %s and {same}".encode(),
            [anew.key_id, anew.data, tx.hospital, *(row[name] for name in names)],
        )
        done += 1
    return [_plain(found[-1][name]) for name in names], done


def _plain(value: Any) -> Any:
    return value if isinstance(value, int) else str(value)


async def _resources(
    tx: Transaction, after: Sequence[Any] | None, limit: int
) -> tuple[dict[int, int], tuple[Sequence[Any], int] | None]:
    """Seal the next resources anew, with their search rows. Those changed, with their versions, and where it ended."""
    found = await tx.all(
        f"""
        select {COLUMNS}, number from resource
        where hospital = %s and number > %s order by number limit %s for update
        """.encode(),
        [tx.hospital, after[0] if after else 0, limit],
    )
    if not found:
        return {}, None
    goal = tx.keys.sealing(tx.hospital)
    stale = [row for row in found if row["key_id"] != goal]
    for row in stale:
        version = opened(tx, row)
        body = sealed(tx, version.reference, version.version, version.text)
        await tx.execute(
            "update resource set key_id = %s, body = %b, marks = null where hospital = %s and number = %s",
            [body.key_id, body.data, tx.hospital, row["number"]],
        )
        await _index_anew(tx, row["number"], version, row["key_id"])
    return {row["number"]: row["version"] for row in stale}, ([found[-1]["number"]], len(stale))


async def _index_anew(tx: Transaction, number: int, version: Version, before: str | None) -> None:
    """Replace the search rows that hold hashes of another key, and leave all others alone."""
    right = _search_rows(tx, version, None)
    wrong = _search_rows(tx, version, before) if before else None
    for index, table in enumerate(TABLES):
        rows = right[index]
        values = {"hospital": tx.hospital, "resources": [number] * len(rows), **table.parameters(rows)}
        if wrong is None or wrong[index] - rows:
            await tx.execute(statements.remove_others(table), values | {"resource": number})
        if wrong is None or rows - wrong[index]:
            await tx.execute(statements.insert_rows(table, again=True), values)


def _search_rows(tx: Transaction, version: Version, key_id: str | None) -> tuple[set[Any], ...]:
    if version.deleted:
        return by_table(Rows())
    return by_table(extract(version.body, token_hash(tx.keys, tx.hospital, key_id)))


async def _look_again(database: Database, hospital: str, seen: dict[int, int]) -> None:
    """A write that waited for ours had read the search rows before: what it left of them is cleared away."""
    while seen:
        async with database.transaction(hospital) as tx:
            rows = await tx.all(
                f"select {COLUMNS}, number from resource where hospital = %s and number = any(%s) for update".encode(),
                [hospital, list(seen)],
            )
            changed = [row for row in rows if row["version"] != seen[row["number"]]]
            for row in changed:
                await _index_anew(tx, row["number"], opened(tx, row), None)
        seen = {row["number"]: row["version"] for row in changed}
