"""Programs that may ask for tokens with a key of their own, and assertions that were used up. Times are real."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb
from pydantic import BaseModel

from domain.errors import Conflict, Invalid, NotFound
from store.database import SystemTransaction, Transaction
from store.sessions import end_tokens

_ID = re.compile(r"([a-z][a-z0-9]{1,30})\.[a-z0-9][a-z0-9_-]{0,60}")


class Client(BaseModel, frozen=True):
    """A registered program, named `hanbit.loader`. It has either `keys`, a JWK set, or publishes them at `keys_url`."""

    id: str
    display: str
    keys: dict[str, Any] | None
    keys_url: str | None
    scope: str
    token_seconds: int
    disabled: bool


def hospital_of_client(client_id: str) -> str:
    """The hospital that a client belongs to. Raises Invalid for another shape."""
    match = _ID.fullmatch(client_id)
    if match is None:
        raise Invalid("a client's id is the hospital's code, a dot, and small letters, digits, '-' or '_'")
    return match[1]


async def register(
    tx: Transaction,
    *,
    id_: str,
    display: str,
    keys: Mapping[str, Any] | None,
    keys_url: str | None,
    scope: str,
    token_seconds: int,
    now: datetime,
) -> Client:
    """Raises Invalid for an id of another shape or hospital, Conflict for one that is taken."""
    if hospital_of_client(id_) != tx.hospital:
        raise Invalid("a client's id begins with the code of its hospital")
    made = await tx.rows(
        Client,
        """
        insert into client (hospital, id, display, keys, keys_url, scope, token_seconds, disabled, made_at)
        values (%(hospital)s, %(id)s, %(display)s, %(keys)s, %(url)s, %(scope)s, %(seconds)s, false, %(now)s)
        on conflict do nothing returning *
        """,
        {
            "hospital": tx.hospital,
            "id": id_,
            "display": display,
            "keys": Jsonb(dict(keys)) if keys is not None else None,
            "url": keys_url,
            "scope": scope,
            "seconds": token_seconds,
            "now": now,
        },
    )
    if not made:
        raise Conflict("a client of this id exists", client=id_)
    return made[0]


async def client(tx: Transaction, id_: str) -> Client:
    """Raises NotFound."""
    found = await tx.rows(Client, "select * from client where hospital = %s and id = %s", [tx.hospital, id_])
    if not found:
        raise NotFound("no such client", client=id_)
    return found[0]


async def clients(tx: Transaction) -> list[Client]:
    return await tx.rows(Client, "select * from client where hospital = %s order by id", [tx.hospital])


async def rotate(tx: Transaction, id_: str, *, keys: Mapping[str, Any] | None, keys_url: str | None) -> None:
    """Replace a client's keys; tokens that the earlier ones got end. Raises NotFound."""
    row = await tx.one(
        "update client set keys = %s, keys_url = %s where hospital = %s and id = %s returning id",
        [Jsonb(dict(keys)) if keys is not None else None, keys_url, tx.hospital, id_],
    )
    await _changed(tx, id_, row)


async def disable(tx: Transaction, id_: str, *, disabled: bool = True) -> None:
    """Close a client, or open it again; its tokens end. Raises NotFound."""
    row = await tx.one(
        "update client set disabled = %s where hospital = %s and id = %s returning id", [disabled, tx.hospital, id_]
    )
    await _changed(tx, id_, row)


async def use_assertion(tx: Transaction, id_: str, jti: str, expires: datetime) -> bool:
    """Keep an assertion's number until it has expired. False when it was used before, on whichever server."""
    row = await tx.one(
        """
        insert into client_assertion (hospital, client, jti_hash, expires_at) values (%s, %s, %s, %s)
        on conflict do nothing returning client
        """,
        [tx.hospital, id_, hashlib.sha256(jti.encode()).digest(), expires],
    )
    return row is not None


async def forget_assertions(tx: SystemTransaction, now: datetime) -> int:
    """Delete assertions of all hospitals that have expired, and say how many."""
    gone = await tx.one(
        "with gone as (delete from client_assertion where expires_at <= %s returning 1) select count(*) as n from gone",
        [now],
    )
    return int(gone["n"]) if gone else 0


async def _changed(tx: Transaction, id_: str, row: object) -> None:
    if row is None:
        raise NotFound("no such client", client=id_)
    await end_tokens(tx, id_)
