"""Who saw or changed what: one append-only row for each access, in the access's own transaction (engine room, 11)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel

from domain.ids import Reference
from store.database import Transaction
from store.sealing import Sealed, open_, place, seal

Outcome = Literal["allowed", "denied"]

_FHIR = {"create": "C", "read": "R", "update": "U", "delete": "D", "export": "R"}
_PURPOSE = "audit-text"


class AuditAction(StrEnum):
    """What was done, or tried."""

    CREATE = "create"
    READ = "read"
    UPDATE = "update"
    DELETE = "delete"
    QUERY = "query"
    LOGIN = "login"
    LOGOUT = "logout"
    EXECUTE = "execute"
    BREAK_GLASS = "break-glass"  # a person opened a record that was closed to them, with a reason
    EXPORT = "export"  # records left the house: a download, with a reason

    @property
    def fhir(self) -> str:
        """FHIR R4 AuditEventAction, C R U D or E (hl7.org/fhir/R4/valueset-audit-event-action.html)."""
        return _FHIR.get(self.value, "E")


class AuditLine(BaseModel, frozen=True):
    """One access. `detail` is a code, such as the command's or the page's name; `recorded_at` is real time."""

    xid: int
    id: int
    recorded_at: datetime
    action: AuditAction
    actor: str
    outcome: Outcome
    entities: tuple[Reference, ...]
    patients: tuple[Reference, ...]
    detail: str
    address: str | None
    roles: tuple[str, ...] | None = None
    purpose: str | None = None
    on_behalf_of: str | None = None
    request: str | None = None
    found: int | None = None
    key_id: str | None = None
    sealed: bytes | None = None


@dataclass(frozen=True)
class Said:
    """What people typed: it may hold names, so it is kept encrypted. query: a search as it was asked."""

    query: str | None = None
    reason: str | None = None


COLUMNS = ", ".join(AuditLine.model_fields)


async def record(
    tx: Transaction,
    *,
    action: AuditAction,
    actor: str,
    outcome: Outcome = "allowed",
    entities: Sequence[Reference] = (),
    patients: Sequence[Reference] = (),
    detail: str = "",
    address: str | None = None,
    at: datetime,
    roles: Sequence[str] | None = None,
    purpose: str | None = None,
    on_behalf_of: str | None = None,
    request: str | None = None,
    found: int | None = None,
    query: str | None = None,
    reason: str | None = None,
) -> None:
    """Note one access; a list or bundle is one, with all its patients. A denial needs a transaction of its own.

    roles: the actor's, as they were then.  purpose: code of v3-PurposeOfUse, such as TREAT or BTG.  found: how many
    records a search showed.  query, reason: text of people, kept encrypted.
    """
    said = _sealed(tx, Said(query, reason), actor, at) if query or reason else None
    await tx.execute(
        """
        insert into audit_event
            (hospital, xid, recorded_at, action, actor, outcome, entities, patients, detail, address,
             roles, purpose, on_behalf_of, request, found, key_id, sealed)
        values (%(hospital)s, pg_current_xact_id()::text::bigint, %(at)s, %(action)s, %(actor)s, %(outcome)s,
                %(entities)s, %(patients)s, %(detail)s, %(address)s,
                %(roles)s, %(purpose)s, %(on_behalf_of)s, %(request)s, %(found)s, %(key_id)s, %(sealed)s)
        """,
        {
            "hospital": tx.hospital,
            "at": at,
            "action": action.value,
            "actor": actor,
            "outcome": outcome,
            "entities": _listed(entities),
            "patients": _listed(patients),
            "detail": detail,
            "address": address,
            "roles": list(roles) if roles is not None else None,
            "purpose": purpose,
            "on_behalf_of": on_behalf_of,
            "request": request,
            "found": found,
            "key_id": said.key_id if said else None,
            "sealed": said.data if said else None,
        },
    )


def _listed(references: Sequence[Reference]) -> str:
    """An array as PostgreSQL's literal: no sign of a reference needs quotes there, and this is faster."""
    return "{" + ",".join(references) + "}"


async def read(tx: Transaction, limit: int = 200) -> list[AuditLine]:
    """The latest accesses, newest first."""
    return await tx.rows(
        AuditLine,
        f"select {COLUMNS} from audit_event where hospital = %s order by xid desc, id desc limit %s".encode(),  # noqa: S608
        [tx.hospital, limit],
    )


def said_of(tx: Transaction, line: AuditLine) -> Said:
    """The texts of a line, opened. Raises SealBroken for bytes of another line."""
    if line.sealed is None or line.key_id is None:
        return Said()
    where = _place(tx, line.actor, line.recorded_at)
    text = open_(tx.keys, Sealed(line.key_id, line.sealed), where, purpose=_PURPOSE, hospital=tx.hospital)
    return Said(**json.loads(text))


def _sealed(tx: Transaction, said: Said, actor: str, at: datetime) -> Sealed:
    text = json.dumps({"query": said.query, "reason": said.reason}, ensure_ascii=False).encode()
    where = _place(tx, actor, at)
    return seal(tx.keys, text, where, purpose=_PURPOSE, hospital=tx.hospital, fixed=True)  # rows that nobody changes


def _place(tx: Transaction, actor: str, at: datetime) -> bytes:
    # The row's number is not known before it is written; who and when bind the text closely enough.
    return place(tx.hospital, "audit", actor, str(round(at.timestamp() * 1_000_000)))
