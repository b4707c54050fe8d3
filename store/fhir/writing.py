"""Writing resources: body, history and search rows in one statement, or in a few for up to 5,000 resources.

hl7.org/fhir/R4/http.html#create, #update, #delete, #transaction. A write names the version that it replaces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from domain.errors import Conflict, Invalid, NotFound, StaleRevision, TooCostly
from domain.ids import Reference
from store.care.relations import relate
from store.database import Transaction
from store.fhir import statements
from store.fhir.marks import changes, marks
from store.fhir.reading import heads
from store.fhir.rows import TABLES, by_table
from store.fhir.text import stamped, written
from store.fhir.versions import Head, Version, sealed
from store.people import credentials
from store.search.extract import Rows, extract
from store.search.keyed import target_key, token_hash

MOST = 5000
"""Writes at once."""


@dataclass(frozen=True)
class Write:
    """What a resource is to be: `resource` with the client's `text`, or, without a resource, deleted.

    expected: the version that it replaces, a deletion's too; 0 for an id that must be new.  text: None for a resource
    that we made.  owner: None leaves the owner.
    known_new: the id was made at random just now.  locked: `expected` is this head's, which the transaction holds
    locked. Of both nothing but an error can come, so nobody waits for the statement.
    """

    reference: Reference
    resource: dict[str, Any] | None
    text: bytes | None
    expected: int
    owner: str | None = None
    known_new: bool = False
    locked: Head | None = None


@dataclass(frozen=True)
class _Ready:
    write: Write
    version: Version
    key_id: str
    body: bytes
    rows: tuple[set[Any], ...]


async def create(
    tx: Transaction,
    resource: dict[str, Any],
    text: bytes | None = None,
    *,
    id: str | None = None,  # noqa: A002  # FHIR's own name for it
    now: datetime,
    owner: str | None = None,
) -> Version:
    """Keep a new resource as version 1, under `id`, its own id, or a random one.

    Raises Invalid without a resource type or with an impossible id, Conflict for an id that exists.
    """
    reference = reference_of(resource, id or resource.get("id") or str(uuid4()))
    return (await write(tx, [Write(reference, resource, text, 0, owner)], now=now))[0]


async def update(
    tx: Transaction,
    resource: dict[str, Any],
    text: bytes | None = None,
    *,
    expected: int,
    now: datetime,
    owner: str | None = None,
) -> Version:
    """Replace version `expected`. Raises NotFound, StaleRevision."""
    reference = reference_of(resource, resource.get("id") or "")
    return (await write(tx, [Write(reference, resource, text, expected, owner)], now=now))[0]


async def delete(tx: Transaction, ref: Reference, *, expected: int, now: datetime) -> Version:
    """Delete; the versions stay, and the deletion is one of them. Raises NotFound, StaleRevision."""
    return (await write(tx, [Write(ref, None, None, expected)], now=now))[0]


async def write(tx: Transaction, writes: Sequence[Write], *, now: datetime) -> list[Version]:
    """Keep all of them, or none: what came about, in order.

    Raises Conflict for a new id that exists and for a resource named twice, NotFound, StaleRevision, TooCostly.
    """
    if len(writes) > MOST:
        raise TooCostly("too many resources in one transaction", limit=str(MOST))
    _refuse_twice(writes)
    ready = [_ready(tx, each, now.astimezone(UTC)) for each in writes]
    kept = [await _one(tx, ready[0])] if len(ready) == 1 else await _several(tx, ready)
    changed = [(each.reference, each.resource, each.expected + 1) for each in writes]
    await relate(tx, changed, now)
    await credentials.keep(tx, changed)
    return kept


def reference_of(resource: dict[str, Any], id_: object) -> Reference:
    """The reference that a resource is kept under. Raises Invalid."""
    kind = resource.get("resourceType")
    if not isinstance(kind, str):
        raise Invalid("a resource names its type", field="/resourceType")
    if not isinstance(id_, str):
        raise Invalid("an id is a string", field="/id")
    return Reference.to(kind, id_)


def _refuse_twice(writes: Sequence[Write]) -> None:
    seen: set[Reference] = set()
    for each in writes:
        if each.reference in seen:
            raise Conflict("a transaction writes a resource only once", reference=each.reference)
        seen.add(each.reference)


def _ready(tx: Transaction, each: Write, at: datetime) -> _Ready:
    version = each.expected + 1
    text, rows = b"", Rows()
    if each.resource is not None:
        given = written(each.resource) if each.text is None else each.text
        text = stamped(given, id=each.reference.id, version=version, last_updated=at)
        rows = extract(each.resource, token_hash(tx.keys, tx.hospital), given)
    body = sealed(tx, each.reference, version, text)
    kept = Version(each.reference, version, at, each.owner, each.resource is None, text)
    return _Ready(each, kept, body.key_id, body.data, by_table(rows))


def _owned(version: Version, owner: str | None) -> Version:
    if owner == version.owner:
        return version
    return Version(version.reference, version.version, version.last_updated, owner, version.deleted, version.text)


async def _several(tx: Transaction, ready: list[_Ready]) -> list[Version]:
    creates = [each for each in ready if each.write.expected == 0]
    changes = [each for each in ready if each.write.expected]
    owners = {**await _create_many(tx, creates), **await _change_many(tx, changes)}
    return [_owned(each.version, owners[each.write.reference]) for each in ready]


async def _one(tx: Transaction, ready: _Ready) -> Version:
    write = ready.write
    # In order, so that the same rows have the same marks.
    rows = [table.parameters(sorted(each)) if each else {} for table, each in zip(TABLES, ready.rows, strict=True)]
    own = marks(tx, write.expected + 1, ready.key_id, rows)
    values: dict[str, Any] = {
        "hospital": tx.hospital,
        "type": write.reference.resource_type,
        "id": write.reference.id,
        "now": ready.version.last_updated,
        "owner": write.owner,
        "key_id": ready.key_id,
        "body": ready.body,
        "marks": own,
    }
    for each in rows:
        values |= each
    if write.expected == 0:
        statement = statements.create_one(tuple(map(bool, rows)), known_new=write.known_new)
        if write.known_new:
            await tx.execute(statement, values)
            return ready.version
        done = await tx.one(statement, values)
        if done is None:
            raise Conflict("a resource of this id exists", reference=write.reference)
        return ready.version
    key = target_key(write.reference)
    values |= {"key": key, "expected": write.expected, "deleted": ready.version.deleted}
    if write.locked is not None:
        needed = changes(write.locked.marks, write.locked.version, own)
        await tx.execute(statements.change_one(needed, locked=True), values)
        return _owned(ready.version, write.owner or write.locked.owner)
    done = await tx.one(statements.change_one(changes(None, write.expected, own), locked=False), values)
    if done is None:
        await _refuse_stale(tx, [ready])
        raise StaleRevision("the resource has changed", reference=write.reference, expected=str(write.expected))
    return _owned(ready.version, done["owner"])


async def _refuse_stale(tx: Transaction, changes: list[_Ready], *, lock: bool = False) -> dict[Reference, int]:
    """The numbers of the resources that are to change. Raises NotFound, StaleRevision."""
    found = await heads(tx, [each.write.reference for each in changes], lock=lock)
    for each in changes:
        write = each.write
        if (head := found.get(write.reference)) is None:
            raise NotFound("no such resource", reference=write.reference)
        if head.version != write.expected:
            raise StaleRevision(
                "the resource has changed",
                reference=write.reference,
                expected=str(write.expected),
                actual=str(head.version),
            )
    return {reference: head.number for reference, head in found.items()}


async def _create_many(tx: Transaction, ready: list[_Ready]) -> dict[Reference, str | None]:
    if not ready:
        return {}
    numbers = [int(row["number"]) for row in await tx.all(statements.NUMBERS, [len(ready)])]
    values = _many(tx, ready, numbers)
    values["types"] = [each.write.reference.resource_type for each in ready]
    values["ids"] = [each.write.reference.id for each in ready]
    made = {row["number"] for row in await tx.all(statements.CREATE_MANY, values)}
    for each, number in zip(ready, numbers, strict=True):
        if number not in made:
            raise Conflict("a resource of this id exists", reference=each.write.reference)
    await _insert_rows(tx, ready, numbers)
    return {each.write.reference: each.write.owner for each in ready}


async def _change_many(tx: Transaction, ready: list[_Ready]) -> dict[Reference, str | None]:
    if not ready:
        return {}
    by_reference = await _refuse_stale(tx, ready, lock=True)
    numbers = [by_reference[each.write.reference] for each in ready]
    values = _many(tx, ready, numbers)
    values["deleted"] = [each.version.deleted for each in ready]
    await tx.execute(statements.KEEP_MANY, values)
    owners = {row["number"]: row["owner"] for row in await tx.all(statements.CHANGE_MANY, values)}
    for table in TABLES:
        await tx.execute(statements.remove_rows(table), {"hospital": tx.hospital, "resources": numbers})
    await _insert_rows(tx, ready, numbers)
    return {each.write.reference: owners[number] for each, number in zip(ready, numbers, strict=True)}


def _many(tx: Transaction, ready: list[_Ready], numbers: list[int]) -> dict[str, Any]:
    return {
        "hospital": tx.hospital,
        "now": ready[0].version.last_updated,
        "key_id": ready[0].key_id,
        "numbers": numbers,
        "owners": [each.write.owner for each in ready],
        "bodies": [each.body for each in ready],
    }


async def _insert_rows(tx: Transaction, ready: list[_Ready], numbers: list[int]) -> None:
    for index, table in enumerate(TABLES):
        rows = [row for each in ready for row in each.rows[index]]
        resources = [number for each, number in zip(ready, numbers, strict=True) for _ in each.rows[index]]
        if rows:
            values = {"hospital": tx.hospital, "resources": resources, **table.parameters(rows)}
            await tx.execute(statements.insert_rows(table), values)
