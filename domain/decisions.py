"""A rule asked and its answer."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, BaseModel, Field

from domain.ids import Reference, StepName


class DecisionPoint(StrEnum):
    """A place in a process where a hospital may have its own opinion."""

    BED_ASSIGNMENT_DUE = "bed-assignment-due"


class DecisionRequest(BaseModel, frozen=True):
    """Facts are everything that the decision point supplies, read or not by today's rule (engine room, 13)."""

    workflow_id: str
    step: StepName
    point: DecisionPoint
    subject: Reference
    facts: dict[str, Any]
    at: AwareDatetime


class Decision(BaseModel, frozen=True):
    """What the rule said.

    outcome: a key of the rule's outcome table, or the fallback's; values: that outcome's row.
    indeterminate: the rule could not be evaluated and the decision point's fallback stands; `missing` names the facts
    it lacked, `reason` why in a code (`missing-fact`, `error`, `budget`).
    """

    point: DecisionPoint
    outcome: str
    values: dict[str, Any]
    rule: str
    version: str
    digest: str
    indeterminate: bool = False
    reason: str = ""
    missing: tuple[str, ...] = Field(default=())
