"""A rule asked and its answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field

from domain.ids import Reference, StepName


class DecisionPoint(StrEnum):
    """A place in a process where a hospital may have its own opinion. Declared in full in `rules/points/`."""

    # visits
    VISIT_KIND = "visit-kind"
    COPAY_RATE = "copay-rate"
    PREPAY_NEEDED = "prepay-needed"
    CLAIM_CALENDAR = "claim-calendar"
    QUEUE_ORDER = "queue-order"
    # beds
    BED_ASSIGNMENT_DUE = "bed-assignment-due"
    BED_MATCH = "bed-match"
    WARD_PRIORITY = "ward-priority"
    RESERVATION_TTL = "reservation-ttl"
    CLEAN_TARGET = "clean-target"
    ID_CHECK_NEEDED = "id-check-needed"
    DEPOSIT_NEEDED = "deposit-needed"
    ADMISSION_DOCUMENTS = "admission-documents"
    # orders
    CRITICAL_VALUE = "critical-value"
    EARLY_WARNING = "early-warning"
    AUTO_VERIFY = "auto-verify"
    DUPLICATE_WINDOW = "duplicate-window"
    REFLEX_TEST = "reflex-test"
    REJECTION_ACTION = "rejection-action"
    TURNAROUND_TARGET = "turnaround-target"
    WHO_MAY_CANCEL = "who-may-cancel"
    SAFETY_OVERRIDE_ALLOWED = "safety-override-allowed"
    DOSE_WINDOW = "dose-window"
    HIGH_ALERT = "high-alert"
    RESULT_ACKNOWLEDGE_DUE = "result-acknowledge-due"
    # discharge
    DISCHARGE_READINESS = "discharge-readiness"
    PROVISIONAL_DISCHARGE_ALLOWED = "provisional-discharge-allowed"
    FOLLOW_UP = "follow-up"
    SUMMARY_DUE = "summary-due"
    READMISSION_RISK = "readmission-risk"
    # claims
    CLAIM_SCRUB = "claim-scrub"
    CODING_NEEDED = "coding-needed"
    REVIEW_SAMPLING = "review-sampling"
    APPEAL_WORTH_IT = "appeal-worth-it"
    SPLIT_CLAIM = "split-claim"
    LATE_CHARGE_WAIT = "late-charge-wait"
    # timers
    STEP_DUE = "step-due"


class DecisionRequest(BaseModel, frozen=True):
    """Facts are everything that the decision point supplies, read or not by today's rule (engine room, 13).

    department: id of the place within the hospital whose own rules may apply, '' for none.
    """

    workflow_id: str
    step: StepName
    point: DecisionPoint
    subject: Reference
    facts: dict[str, Any]
    at: AwareDatetime
    department: str = ""


@dataclass(frozen=True, slots=True)
class PastDecision:
    """A decision of the log as far as another version can be compared with it. rows: the values of its outcomes."""

    workflow_id: str
    step: str
    at: datetime
    department: str
    facts: dict[str, Any]
    outcome: str
    indeterminate: bool
    rows: list[dict[str, Any]]
    trace: UUID | None


class Decision(BaseModel, frozen=True):
    """What the rule said.

    outcome: a key of the rule's outcome table, or the fallback's; values: that outcome's row.
    indeterminate: the rule could not be evaluated and the decision point's fallback stands; `missing` names the facts
    it lacked, `wrong` those that were not what they claim to be, `reason` why in a code (`missing-fact`, `error`,
    `budget`, `no-rule`).
    outcomes, rows: keys and their values where a point answers with several; number: where it answers with one.
    trace: names this decision, to ask why.  dictionary, derivation: what the facts meant then.
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
    wrong: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    rows: tuple[dict[str, Any], ...] = ()
    number: float | None = None
    trace: UUID | None = None
    dictionary: str = ""
    derivation: str = ""
