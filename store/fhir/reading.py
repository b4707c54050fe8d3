"""Versions by reference: the newest, many at once, one of the past, and heads without bodies.

hl7.org/fhir/R4/http.html#read, #vread. The newest are found by `key`, which no other index begins with: by type and id
PostgreSQL may take an index of the whole type while a table has no statistics, and reads through thousands for one.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from domain.errors import NotFound
from domain.ids import Reference
from store.database import Transaction
from store.fhir.versions import Head, Version, opened
from store.search.keyed import target_key
from store.search.sql import ScopePredicate


async def read(tx: Transaction, ref: Reference) -> Version:
    """The newest version, `deleted` for one that was deleted. Raises NotFound where there never was one."""
    row = await tx.one(
        """
        select type, id, version, last_updated, owner, deleted, key_id, body from resource
        where hospital = %s and key = %s
        """,
        [tx.hospital, target_key(ref)],
        binary=True,
    )
    if row is None:
        raise NotFound("no such resource", reference=ref)
    return opened(tx, row)


async def read_many(tx: Transaction, refs: Collection[Reference]) -> dict[Reference, Version]:
    """The newest versions of those that exist, deletions included."""
    rows = await tx.all(
        """
        select r.type, r.id, r.version, r.last_updated, r.owner, r.deleted, r.key_id, r.body
        from unnest(%s::uuid[]) as asked (key) join resource r on r.hospital = %s and r.key = asked.key
        """,
        [_keys(refs), tx.hospital],
        binary=True,
    )
    return {version.reference: version for version in (opened(tx, row) for row in rows)}


async def vread(tx: Transaction, ref: Reference, version: int) -> Version:
    """One version of a resource, `deleted` for a deletion. Raises NotFound."""
    row = await tx.one(
        """
        select type, id, version, last_updated, owner, deleted, key_id, body from resource
        where hospital = %(hospital)s and type = %(type)s and id = %(id)s and version = %(version)s
        union all
        select type, id, version, last_updated, owner, deleted, key_id, body from resource_history
        where hospital = %(hospital)s and type = %(type)s and id = %(id)s and version = %(version)s
        """,
        {"hospital": tx.hospital, "type": ref.resource_type, "id": ref.id, "version": version},
    )
    if row is None:
        raise NotFound("no such resource", reference=ref)
    return opened(tx, row)


async def heads(tx: Transaction, refs: Collection[Reference], *, lock: bool = False) -> dict[Reference, Head]:
    """What is there now, deletions included. lock: nobody else changes them before this transaction ends."""
    rows = await tx.all(
        f"""
        select r.type, r.id, r.version, r.last_updated, r.owner, r.deleted, r.number
        from unnest(%s::uuid[]) as asked (key) join resource r on r.hospital = %s and r.key = asked.key
        order by r.type, r.id {"for update of r" if lock else ""}
        """,  # noqa: S608  # one of two fixed words
        [_keys(refs), tx.hospital],
    )
    return {Reference.to(row["type"], row["id"]): _head(row) for row in rows}


async def unseen(tx: Transaction, refs: Collection[Reference], scope: ScopePredicate) -> list[Reference]:
    """Those that are there, and of which the scope does not hold. A deleted one is in nobody's scope but the widest."""
    by_type: dict[str, list[str]] = {}
    for ref in refs:
        by_type.setdefault(ref.resource_type, []).append(ref.id)
    found: list[Reference] = []
    for kind, ids in sorted(by_type.items()):
        allowed = scope(kind, "r")
        if allowed is None:
            continue
        rows = await tx.all(
            "select r.id from resource r where r.hospital = %s and r.type = %s and r.id = any(%s::text[])"  # noqa: S608
            f" and not ({allowed.text})".encode(),
            [tx.hospital, kind, sorted(set(ids)), *allowed.values],
        )
        found += [Reference.to(kind, row["id"]) for row in rows]
    return found


async def locked(tx: Transaction, ref: Reference) -> Head | None:
    """What is there now, a deletion too; nobody else changes it before this transaction ends."""
    row = await tx.one(
        """
        select version, last_updated, owner, deleted, number, marks from resource
        where hospital = %s and key = %s for update
        """,
        [tx.hospital, target_key(ref)],
        binary=True,
    )
    return _head(row) if row is not None else None


def _head(row: dict[str, Any]) -> Head:
    return Head(row["version"], row["last_updated"], row["owner"], row["deleted"], row["number"], row.get("marks"))


def _keys(refs: Collection[Reference]) -> str:
    """An array as PostgreSQL's literal, which is faster than any adapter."""
    return "{" + ",".join({target_key(ref).hex for ref in refs}) + "}"
