"""A clinician decided otherwise than a rule: who, what instead, and why in a code and in words."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel

from domain.errors import AlreadyDone
from store.database import Transaction
from store.sealing import Sealed, open_, place, seal

_PURPOSE = "decision-override"


class OverrideCode(StrEnum):
    """Why. Kept as codes, so that reports can count them."""

    CLINICAL_JUDGEMENT = "clinical-judgement"  # the patient's condition asks for something else
    PATIENT_WISH = "patient-wish"
    DATA_WRONG = "data-wrong"  # the facts were not so
    RULE_WRONG = "rule-wrong"  # the rule is mistaken about such cases
    NOT_AVAILABLE = "not-available"  # what it asks for cannot be had now
    EMERGENCY = "emergency"


class DecisionOverride(BaseModel, frozen=True):
    workflow_id: str
    step: str
    point: str
    digest: str
    outcome: str
    code: OverrideCode
    actor: str
    at: AwareDatetime


class OverrideRate(BaseModel, frozen=True):
    """Of one version: how often it decided, and how often a person decided otherwise."""

    rule: str
    version: str
    digest: str
    decisions: int
    overrides: int

    @property
    def rate(self) -> float:
        return self.overrides / self.decisions if self.decisions else 0.0


async def keep(tx: Transaction, override: DecisionOverride, words: str) -> None:
    """Keep an override, sealed words included: they speak of a patient. Raises AlreadyDone when there is one."""
    sealed = seal(
        tx.keys,
        words.encode(),
        place(tx.hospital, override.workflow_id, override.step),
        purpose=_PURPOSE,
        hospital=tx.hospital,
    )
    made = await tx.one(
        """
        insert into decision_override (hospital, workflow_id, step, point, digest, outcome, code, actor, at, key_id,
                                       words)
        values (%(hospital)s, %(workflow_id)s, %(step)s, %(point)s, %(digest)s, %(outcome)s, %(code)s, %(actor)s,
                %(at)s, %(key_id)s, %(words)s)
        on conflict do nothing returning step
        """,
        {"hospital": tx.hospital, "key_id": sealed.key_id, "words": sealed.data, **override.model_dump()},
    )
    if made is None:
        first = await of(tx, override.workflow_id, override.step)
        told = {"by": first[0].actor, "at": first[0].at.isoformat()} if first else {}
        raise AlreadyDone("this decision was overridden before", **told)


async def of(tx: Transaction, workflow_id: str, step: str) -> tuple[DecisionOverride, str] | None:
    """The override of a decision with its words, if there is one. Raises SealBroken."""
    row = await tx.one(
        "select * from decision_override where hospital = %s and workflow_id = %s and step = %s",
        [tx.hospital, workflow_id, step],
    )
    if row is None:
        return None
    words = open_(
        tx.keys,
        Sealed(row["key_id"], row["words"]),
        place(tx.hospital, workflow_id, step),
        purpose=_PURPOSE,
        hospital=tx.hospital,
    )
    return DecisionOverride.model_validate(row), words.decode()


async def rates(tx: Transaction, point: str, *, since: datetime, until: datetime) -> list[OverrideRate]:
    """Of each version that decided at a point in a period, the most overridden first."""
    return await tx.rows(
        OverrideRate,
        """
        select d.rule, d.version, d.digest, count(*) as decisions, count(o.step) as overrides
        from decision_log d
        left join decision_override o
          on o.hospital = d.hospital and o.workflow_id = d.workflow_id and o.step = d.step
        where d.hospital = %(hospital)s and d.point = %(point)s
          and d.decided_at >= %(since)s and d.decided_at < %(until)s
        group by d.rule, d.version, d.digest
        order by count(o.step)::float8 / count(*) desc, d.rule, d.version
        """,
        {"hospital": tx.hospital, "point": point, "since": since, "until": until},
    )


async def codes(tx: Transaction, point: str, *, since: datetime, until: datetime) -> dict[str, int]:
    """How often each reason was given."""
    rows = await tx.all(
        """
        select code, count(*) as count from decision_override
        where hospital = %s and point = %s and at >= %s and at < %s group by code order by count(*) desc, code
        """,
        [tx.hospital, point, since, until],
    )
    return {row["code"]: row["count"] for row in rows}
