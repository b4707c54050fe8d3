"""Search rows and relations of care made anew from the bodies: after a release that reads more from them.

Batch by batch, each a transaction of the caller's; searches go on meanwhile and see the rows that are there.
"""

from __future__ import annotations

from store.care.relations import relate
from store.database import Transaction
from store.fhir import statements
from store.fhir.rows import TABLES, by_table
from store.fhir.versions import opened
from store.search.extract import extract
from store.search.keyed import token_hash


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
    return made[-1][0], len(made)
