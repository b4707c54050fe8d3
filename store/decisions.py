"""The decision log: what a rule was asked, with all its facts, and what it said (engine room, 13)."""

from __future__ import annotations

import json
from typing import Any

from psycopg.types.json import Jsonb

from domain.canonical import canonical_json
from domain.decisions import Decision, DecisionPoint, DecisionRequest
from domain.errors import NotFound
from store.database import Transaction
from store.sealing import Sealed, SealedColumn, open_, place, seal

_PURPOSE = "decision"

SEALED = SealedColumn(
    table="decision_log",
    order={"workflow_id": "text", "step": "text"},
    key="key_id",
    data="facts",
    purpose=_PURPOSE,
    place=lambda hospital, row: place(hospital, row["workflow_id"], row["step"]),
)


async def existing(tx: Transaction, workflow_id: str, step: str) -> Decision | None:
    """The decision that this step took already: it stands, whatever the rule says today."""
    row = await tx.one(
        "select * from decision_log where hospital = %s and workflow_id = %s and step = %s",
        [tx.hospital, workflow_id, step],
    )
    return None if row is None else Decision.model_validate(row)


async def record(tx: Transaction, request: DecisionRequest, decision: Decision) -> Decision:
    """Log a decision and return the one that stands: another run of the step may have been first."""
    facts = seal(
        tx.keys,
        canonical_json(request.facts),
        place(tx.hospital, request.workflow_id, request.step),
        purpose=_PURPOSE,
        hospital=tx.hospital,
    )
    made = await tx.one(
        """
        insert into decision_log (hospital, workflow_id, step, point, subject, decided_at, outcome, values, rule,
                                  version, digest, indeterminate, reason, missing, key_id, facts)
        values (%(hospital)s, %(workflow_id)s, %(step)s, %(point)s, %(subject)s, %(at)s, %(outcome)s, %(values)s,
                %(rule)s, %(version)s, %(digest)s, %(indeterminate)s, %(reason)s, %(missing)s, %(key_id)s, %(facts)s)
        on conflict do nothing returning step
        """,
        {
            "hospital": tx.hospital,
            "workflow_id": request.workflow_id,
            "step": request.step,
            "point": decision.point,
            "subject": request.subject,
            "at": request.at,
            "outcome": decision.outcome,
            "values": Jsonb(decision.values),
            "rule": decision.rule,
            "version": decision.version,
            "digest": decision.digest,
            "indeterminate": decision.indeterminate,
            "reason": decision.reason,
            "missing": list(decision.missing),
            "key_id": facts.key_id,
            "facts": facts.data,
        },
    )
    if made is not None:
        return decision
    return await existing(tx, request.workflow_id, request.step) or decision


async def request_of(tx: Transaction, workflow_id: str, step: str) -> DecisionRequest:
    """What was asked, facts included. Raises NotFound, SealBroken."""
    row = await tx.one(
        "select * from decision_log where hospital = %s and workflow_id = %s and step = %s",
        [tx.hospital, workflow_id, step],
    )
    if row is None:
        raise NotFound("no such decision", workflow_id=workflow_id, step=step)
    opened = open_(
        tx.keys,
        Sealed(row["key_id"], row["facts"]),
        place(tx.hospital, workflow_id, step),
        purpose=_PURPOSE,
        hospital=tx.hospital,
    )
    facts: dict[str, Any] = json.loads(opened)
    return DecisionRequest(
        workflow_id=workflow_id,
        step=row["step"],
        point=DecisionPoint(row["point"]),
        subject=row["subject"],
        facts=facts,
        at=row["decided_at"],
    )
