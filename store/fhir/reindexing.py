"""Search rows and relations of care made anew from the bodies: after a release that reads more from them.

Batch by batch, each a transaction of the caller's; searches go on meanwhile and see the rows that are there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from store.care.relations import relate
from store.database import Transaction
from store.fhir import statements
from store.fhir.rows import TABLES, by_table
from store.fhir.versions import opened
from store.search.extract import extract
from store.search.keyed import token_hash
from store.search.words import FORMERLY


async def reindex(tx: Transaction, *, after: int = 0, limit: int = 500) -> tuple[int, int] | None:
    """Make the rows of the next resources anew: the number to go on after, and how many; None when all are done."""
    found = await tx.all(
        """
        select type, id, version, last_updated, owner, deleted, key_id, body, number from resource
        where hospital = %s and number > %s order by number limit %s for update
        """,
        [tx.hospital, after, limit],
    )
    if not found:
        return None
    await _make_anew(tx, found)
    return int(found[-1]["number"]), len(found)


async def hide_words(tx: Transaction, *, limit: int = 200) -> int:
    """Make the rows anew of some resources whose words of health an earlier release has kept readable.

    How many; 0 when there are none, or others are at them. Raises RuntimeError where readable words would be left.
    """
    found = await tx.all(
        """
        select type, id, version, last_updated, owner, deleted, key_id, body, number from resource
        where hospital = %(hospital)s and number in (
            select resource from search_string
            where hospital = %(hospital)s and parameter = any(%(readable)s::int8[]) limit %(limit)s
        ) for update skip locked
        """,
        {"hospital": tx.hospital, "readable": _READABLE, "limit": limit},
    )
    if not found:
        return 0
    await _make_anew(tx, found)
    left = await tx.one(
        """
        select count(*) as n from search_string
        where hospital = %s and resource = any(%s::int8[]) and parameter = any(%s::int8[])
        """,
        [tx.hospital, [row["number"] for row in found], _READABLE],
    )
    if left is None or left["n"] != 0:
        raise RuntimeError("words of health stay readable in search rows that were made anew")
    return len(found)


_READABLE = list(FORMERLY.values())


async def _make_anew(tx: Transaction, found: Sequence[dict[str, Any]]) -> None:
    versions = [opened(tx, row) for row in found]
    made = [
        # Under the key of the body: which rows stand under which key is told by `resource.key_id`.
        (
            int(row["number"]),
            by_table(extract(version.body, token_hash(tx.keys, tx.hospital, row["key_id"]), version.text)),
        )
        for row, version in zip(found, versions, strict=True)
    ]
    for index, table in enumerate(TABLES):
        numbers = [number for number, _ in made]
        await tx.execute(statements.remove_rows(table), {"hospital": tx.hospital, "resources": numbers})
        rows = [row for _, tables in made for row in tables[index]]
        resources = [number for number, tables in made for _ in tables[index]]
        if rows:
            values = {"hospital": tx.hospital, "resources": resources, **table.parameters(rows)}
            await tx.execute(statements.insert_rows(table), values)
    # Their rows may have changed without a new version, so what the marks said of them is over.
    unmark = "update resource set marks = null where hospital = %s and number = any(%s::int8[]) and marks is not null"
    await tx.execute(unmark, [tx.hospital, [number for number, _ in made]])
    for version in versions:
        # As a write makes them: a stay without an end ended when it was last written.
        body = None if version.deleted else version.body
        await relate(tx, [(version.reference, body, version.version + 1)], version.last_updated)
