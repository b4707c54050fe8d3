"""Counting past decisions anew, as its process sees it."""

from abc import ABC, abstractmethod
from datetime import timedelta
from uuid import UUID

from pydantic import BaseModel
from temporalio import activity, workflow
from temporalio.common import RetryPolicy

from domain.process import Step
from domain.rule_impact import Counted

COUNTING = workflow.ActivityConfig(
    # One stretch is a few seconds of counting; a worker that counts for many hospitals gives each its turn.
    start_to_close_timeout=timedelta(minutes=10),
    # Heard of after every slice. A killed worker's report goes on elsewhere after this long.
    heartbeat_timeout=timedelta(seconds=10),
    # For ever: the database comes back, and what cannot be counted at all ends the report, not the activity.
    retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=500), maximum_interval=timedelta(seconds=30)),
)


class CountPast(BaseModel, frozen=True):
    report: UUID


class CloseReport(BaseModel, frozen=True):
    step: Step


class ImpactActivities(ABC):
    """Counting is safe to repeat: the report's row says what was counted, and moves with the counts."""

    @activity.defn
    @abstractmethod
    async def count_past(self, given: CountPast) -> Counted:
        """Count the next stretch. Any state but `running` is the report's last."""

    @activity.defn
    @abstractmethod
    async def close_report(self, effect: CloseReport) -> None:
        """Close the process row. An effect, as `effects.EFFECT`."""
