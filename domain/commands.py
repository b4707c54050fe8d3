"""What a person asked for, and the ledger's states of it."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from domain.canonical import canonical_json


class CommandState(StrEnum):
    """received → sent → answered | refused (engine room, 4)."""

    RECEIVED = "received"
    SENT = "sent"
    ANSWERED = "answered"
    REFUSED = "refused"


class CommandRef(BaseModel, frozen=True):
    """Who asked, as it travels to a workflow: `id` is the ledger's, `actor` the account's name.

    also: the account of a colleague on whose behalf the actor acts.
    """

    id: UUID
    actor: str
    received_at: AwareDatetime
    also: str | None = None


def body_digest(command: str, body: Any) -> bytes:
    """SHA-256 that tells whether a repeated idempotency key came with the same command and body."""
    return hashlib.sha256(command.encode() + b"\n" + canonical_json(body)).digest()
