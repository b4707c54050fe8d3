"""What a person asked for, and the ledger's states of it."""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel


class CommandState(StrEnum):
    """received → sent → answered | refused (engine room, 4)."""

    RECEIVED = "received"
    SENT = "sent"
    ANSWERED = "answered"
    REFUSED = "refused"


class CommandRef(BaseModel, frozen=True):
    """Who asked, as it travels to a workflow: `id` is the ledger's, `actor` the account's name."""

    id: UUID
    actor: str
    received_at: AwareDatetime


def canonical_json(value: Any) -> bytes:
    """One spelling for equal JSON values: sorted keys, no white space, UTF-8. NaN and infinities are refused."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def body_digest(command: str, body: Any) -> bytes:
    """SHA-256 that tells whether a repeated idempotency key came with the same command and body."""
    return hashlib.sha256(command.encode() + b"\n" + canonical_json(body)).digest()
