"""What of a row is sealed, and its digest: HMAC-SHA-256 under the hospital's key over PostgreSQL's own binary form.

A digest that needs a key cannot be made again by somebody who has the database only: a changed row stays visible as
exactly that row, whatever else is rewritten around it.
"""

from __future__ import annotations

import hmac
from typing import NamedTuple

from store.sealing import KeyRing

LAYOUT = 1
"""The list of columns below. A column that is added later makes a layout of its own; sealed rows keep theirs."""

COLUMNS = {
    1: (
        "hospital, xid, id, recorded_at, action, actor, outcome, entities, patients, detail, address, "
        "roles, purpose, on_behalf_of, request, found, key_id, sealed"
    )
}

DIGEST = 32  # bytes


class Row(NamedTuple):
    """A row as the chain sees it: where it stands, and SHA-256 of all its columns."""

    xid: int
    id: int
    content: bytes


def selected(layout: int = LAYOUT) -> str:
    """The columns of a `Row`, for a select on `audit_event`. Built-in functions only, named with their schema."""
    return f"xid, id, pg_catalog.sha256(pg_catalog.record_send(row({COLUMNS[layout]}))) as content"


def digest(keys: KeyRing, key_id: str, hospital: str, row: Row) -> bytes:
    """Raises SealBroken when the key is not in the ring."""
    return hmac.digest(keys.derive(key_id, "audit-row", hospital), row.content, "sha256")
