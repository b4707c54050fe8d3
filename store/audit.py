"""Who saw or changed what: one append-only row for each access, in the access's own transaction (engine room, 11)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel

from domain.ids import Reference
from store.database import Transaction

Outcome = Literal["allowed", "denied"]

_FHIR = {"create": "C", "read": "R", "update": "U", "delete": "D"}


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

    @property
    def fhir(self) -> str:
        """FHIR R4 AuditEventAction, C R U D or E (hl7.org/fhir/R4/valueset-audit-event-action.html)."""
        return _FHIR.get(self.value, "E")


class AuditLine(BaseModel, frozen=True):
    """One access. `detail` is a code, such as the command's or the page's name; `recorded_at` is real time."""

    id: int
    recorded_at: datetime
    action: AuditAction
    actor: str
    outcome: Outcome
    entities: tuple[Reference, ...]
    patients: tuple[Reference, ...]
    detail: str
    address: str | None


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
) -> None:
    """Note one access; a list or bundle is one, with all its patients. A denial needs a transaction of its own."""
    await tx.execute(
        """
        insert into audit_event
            (hospital, xid, recorded_at, action, actor, outcome, entities, patients, detail, address)
        values (%(hospital)s, pg_current_xact_id()::text::bigint, %(at)s, %(action)s, %(actor)s, %(outcome)s,
                %(entities)s, %(patients)s, %(detail)s, %(address)s)
        """,
        {
            "hospital": tx.hospital,
            "at": at,
            "action": action,
            "actor": actor,
            "outcome": outcome,
            "entities": list(entities),
            "patients": list(patients),
            "detail": detail,
            "address": address,
        },
    )


async def read(tx: Transaction, limit: int = 200) -> list[AuditLine]:
    """The latest accesses, newest first."""
    return await tx.rows(
        AuditLine, "select * from audit_event where hospital = %s order by id desc limit %s", [tx.hospital, limit]
    )
