"""FHIR resources: every version kept, every body sealed (engine room, 10). Nothing in SQL looks inside."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import zstandard

from domain.errors import Conflict, Invalid, NotFound, SealBroken, StaleRevision
from domain.ids import Reference
from store.database import Transaction
from store.sealing import Sealed, open_, place, seal

_PURPOSE = "body"


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
    reference = _reference(resource, id or resource.get("id") or str(uuid4()))
    stored, sealed = _next(tx, reference, resource, version=1, now=now, owner=owner)
    done = await tx.one(
        """
        insert into resource (hospital, type, id, version, last_updated, owner, key_id, body)
        values (%(hospital)s, %(type)s, %(id)s, 1, %(now)s, %(owner)s, %(key_id)s, %(body)s)
        on conflict do nothing returning version
        """,
        _params(tx, reference, now=now, owner=owner, key_id=sealed.key_id, body=sealed.data),
    )
    if done is None:
        raise Conflict("a resource of this id exists", reference=reference)
    return stored


async def read(tx: Transaction, ref: Reference) -> Stored:
    """The newest version. Raises NotFound."""
    row = await tx.one(
        "select * from resource where hospital = %(hospital)s and type = %(type)s and id = %(id)s", _params(tx, ref)
    )
    if row is None:
        raise NotFound("no such resource", reference=ref)
    return _stored(tx, row)


async def history(tx: Transaction, ref: Reference) -> list[Stored]:
    """All versions, newest first. Raises NotFound."""
    rows = await tx.all(
        """
        select hospital, type, id, version, last_updated, owner, key_id, body from resource
        where hospital = %(hospital)s and type = %(type)s and id = %(id)s
        union all
        select hospital, type, id, version, last_updated, owner, key_id, body from resource_history
        where hospital = %(hospital)s and type = %(type)s and id = %(id)s
        order by version desc
        """,
        _params(tx, ref),
    )
    if not rows:
        raise NotFound("no such resource", reference=ref)
    return [_stored(tx, row) for row in rows]


async def update(
    tx: Transaction, resource: dict[str, Any], *, if_match: int, now: datetime, owner: str | None = None
) -> Stored:
    """Keep a new version in place of version `if_match`, which goes to the history. `owner` None leaves the owner.

    Raises NotFound, StaleRevision when the newest version is another.
    """
    reference = _reference(resource, resource.get("id") or "")
    stored, sealed = _next(tx, reference, resource, version=if_match + 1, now=now, owner=owner)
    done = await tx.one(
        """
        with seen as (
            select * from resource
            where hospital = %(hospital)s and type = %(type)s and id = %(id)s and version = %(if_match)s
            for update
        ), kept as (
            insert into resource_history (hospital, type, id, version, last_updated, owner, key_id, body)
            select hospital, type, id, version, last_updated, owner, key_id, body from seen
        )
        update resource
        set version = seen.version + 1, last_updated = %(now)s, owner = coalesce(%(owner)s, seen.owner),
            key_id = %(key_id)s, body = %(body)s
        from seen
        where resource.hospital = seen.hospital and resource.type = seen.type and resource.id = seen.id
        returning resource.owner
        """,
        _params(tx, reference, if_match=if_match, now=now, owner=owner, key_id=sealed.key_id, body=sealed.data),
    )
    if done is None:
        newest = await read(tx, reference)
        raise StaleRevision(
            "the resource has changed", reference=reference, expected=str(if_match), actual=str(newest.version)
        )
    return Stored(reference, stored.version, stored.body, stored.last_updated, done["owner"])


async def find(tx: Transaction, resource_type: str, limit: int = 200) -> list[Stored]:
    """The hospital's resources of a type, by id."""
    rows = await tx.all(
        "select * from resource where hospital = %s and type = %s order by id limit %s",
        [tx.hospital, resource_type, limit],
    )
    return [_stored(tx, row) for row in rows]


def _reference(resource: dict[str, Any], id_: str) -> Reference:
    kind = resource.get("resourceType")
    if not isinstance(kind, str):
        raise Invalid("a resource names its type", field="/resourceType")
    return Reference.to(kind, id_)


def _params(tx: Transaction, ref: Reference, **more: object) -> dict[str, object]:
    return {"hospital": tx.hospital, "type": ref.resource_type, "id": ref.id, **more}


def _next(
    tx: Transaction, ref: Reference, resource: dict[str, Any], *, version: int, now: datetime, owner: str | None
) -> tuple[Stored, Sealed]:
    at = now.astimezone(UTC)
    meta = {**resource.get("meta", {}), "versionId": str(version), "lastUpdated": at.isoformat()}
    body = {**resource, "id": ref.id, "meta": meta}
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    sealed = seal(tx.keys, zstandard.compress(text), _place(tx, ref, version), purpose=_PURPOSE, hospital=tx.hospital)
    return Stored(ref, version, body, at, owner), sealed


def _stored(tx: Transaction, row: dict[str, Any]) -> Stored:
    ref = Reference.to(row["type"], row["id"])
    sealed = Sealed(row["key_id"], row["body"])
    try:
        opened = open_(tx.keys, sealed, _place(tx, ref, row["version"]), purpose=_PURPOSE, hospital=tx.hospital)
    except SealBroken as broken:
        raise SealBroken(str(broken), reference=ref, version=str(row["version"]), **broken.params) from broken
    body = json.loads(zstandard.decompress(opened))
    return Stored(ref, row["version"], body, row["last_updated"], row["owner"])


def _place(tx: Transaction, ref: Reference, version: int) -> bytes:
    return place(tx.hospital, ref.resource_type, ref.id, str(version))
