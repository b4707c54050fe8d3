"""Search rows made anew from the bodies: after a release that reads more from them, and for a new key of tokens.

Batch by batch, each a transaction of the caller's; searches go on meanwhile and see the rows that are there.
"""

from __future__ import annotations

from store.database import Transaction
from store.fhir import statements
from store.fhir.rows import TABLES, by_table
from store.fhir.versions import opened
from store.search.extract import extract
from store.search.keyed import token_hash


async def reindex(tx: Transaction, *, after: int = 0, limit: int = 500) -> int | None:
    """Make the rows of the next resources anew, and return the number to go on after; None when all are done."""
    found = await tx.all(
        """
        select type, id, version, last_updated, owner, deleted, key_id, body, number from resource
        where hospital = %s and number > %s order by number limit %s for update
        """,
        [tx.hospital, after, limit],
    )
    if not found:
        return None
    hash_ = token_hash(tx.keys, tx.hospital)
    made = [(int(row["number"]), by_table(extract(opened(tx, row).body, hash_))) for row in found]
    for index, table in enumerate(TABLES):
        numbers = [number for number, _ in made]
        await tx.execute(statements.remove_rows(table), {"hospital": tx.hospital, "resources": numbers})
        rows = [row for _, tables in made for row in tables[index]]
        resources = [number for number, tables in made for _ in tables[index]]
        if rows:
            values = {"hospital": tx.hospital, "resources": resources, **table.parameters(rows)}
            await tx.execute(statements.insert_rows(table), values)
    return made[-1][0]
