"""What was done to rules, by whom and why: a line of the rules' own history, and a row of the audit."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb
from pydantic import AwareDatetime, BaseModel

from store.database import Transaction


class RuleEvent(BaseModel, frozen=True):
    """One change. `action`: `save`, `submit`, `return`, `approve`, `publish`, `retire`, `disable`, `lift`, …"""

    id: int
    at: AwareDatetime
    actor: str
    action: str
    rule: str
    digest: str | None
    draft: UUID | None
    reason: str
    detail: dict[str, Any]


async def note(
    tx: Transaction,
    action: str,
    *,
    rule: str,
    actor: str,
    at: datetime,
    digest: str | None = None,
    draft: UUID | None = None,
    reason: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write a line, in the transaction of the change."""
    await tx.execute(
        """
        insert into rule_event (hospital, at, actor, action, rule, digest, draft, reason, detail)
        values (%(hospital)s, %(at)s, %(actor)s, %(action)s, %(rule)s, %(digest)s, %(draft)s, %(reason)s, %(detail)s)
        """,
        {
            "hospital": tx.hospital,
            "at": at,
            "actor": actor,
            "action": action,
            "rule": rule,
            "digest": digest,
            "draft": draft,
            "reason": reason,
            "detail": Jsonb(dict(detail or {})),
        },
    )


async def of_rule(tx: Transaction, rule: str, limit: int = 200) -> list[RuleEvent]:
    """The changes of a rule, the latest first."""
    return await tx.rows(
        RuleEvent,
        "select * from rule_event where hospital = %s and rule = %s order by id desc limit %s",
        [tx.hospital, rule, limit],
    )
