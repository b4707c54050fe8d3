"""FHIR resources as our own code writes them: dictionaries. Every version is kept, every body sealed (engine room, 10).

The same store as `store.fhir`, without the client's text: processes, commands and the worklist keep their records here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.errors import NotFound
from domain.ids import Reference
from store import outbox
from store.database import Transaction
from store.fhir import reading, writing
from store.fhir.versions import Version, opened


@dataclass(frozen=True)
class Stored:
    """A version of a resource. `owner` is the id of the process whose state elements it carries."""

    reference: Reference
    version: int
    body: dict[str, Any]
    last_updated: datetime
    owner: str | None = None


async def create(
    tx: Transaction,
    resource: dict[str, Any],
    *,
    id: str | None = None,  # noqa: A002  # FHIR's own name for it
    now: datetime,
    owner: str | None = None,
) -> Stored:
    """Keep a new resource as version 1, under `id`, its own id, or a random one. `now`: hospital time.

    Raises Invalid without a resource type or with an impossible id, Conflict for an id that exists.
    """
    return await _announced(tx, await writing.create(tx, resource, id=id, now=now, owner=owner))


async def read(tx: Transaction, ref: Reference) -> Stored:
    """The newest version. Raises NotFound, for a deleted one too."""
    found = await reading.read(tx, ref)
    if found.deleted:
        raise NotFound("the resource was deleted", reference=ref)
    return _stored(found)


async def history(tx: Transaction, ref: Reference) -> list[Stored]:
    """All versions, newest first, without deletions. Raises NotFound."""
    rows = await tx.all(
        """
        select type, id, version, last_updated, owner, deleted, key_id, body from resource
        where hospital = %(hospital)s and type = %(type)s and id = %(id)s
        union all
        select type, id, version, last_updated, owner, deleted, key_id, body from resource_history
        where hospital = %(hospital)s and type = %(type)s and id = %(id)s
        order by version desc
        """,
        {"hospital": tx.hospital, "type": ref.resource_type, "id": ref.id},
    )
    if not rows:
        raise NotFound("no such resource", reference=ref)
    return [_stored(opened(tx, row)) for row in rows if not row["deleted"]]


async def update(
    tx: Transaction, resource: dict[str, Any], *, if_match: int, now: datetime, owner: str | None = None
) -> Stored:
    """Keep a new version in place of version `if_match`, which goes to the history. `owner` None leaves the owner.

    Raises NotFound, StaleRevision when the newest version is another.
    """
    return await _announced(tx, await writing.update(tx, resource, expected=if_match, now=now, owner=owner))


async def find(tx: Transaction, resource_type: str, limit: int = 200) -> list[Stored]:
    """The hospital's resources of a type, by id."""
    rows = await tx.all(
        """
        select type, id, version, last_updated, owner, deleted, key_id, body from resource
        where hospital = %s and type = %s and not deleted order by id limit %s
        """,
        [tx.hospital, resource_type, limit],
    )
    return [_stored(opened(tx, row)) for row in rows]


async def _announced(tx: Transaction, version: Version) -> Stored:
    await outbox.put(tx, outbox.RECORDS, version.name)
    return _stored(version)


def _stored(version: Version) -> Stored:
    return Stored(version.reference, version.version, version.body, version.last_updated, version.owner)
