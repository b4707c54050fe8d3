"""Decisions as workflows see them."""

from abc import ABC, abstractmethod

from temporalio import activity

from domain.decisions import Decision, DecisionRequest


class DecisionActivities(ABC):
    """Resolve a rule, evaluate it, log it; idempotent on (hospital, workflow id, step). Runs as `effects.EFFECT`."""

    @activity.defn
    @abstractmethod
    async def decide(self, request: DecisionRequest) -> Decision:
        """Never fails for want of a fact: the decision point's fallback is returned, marked indeterminate."""
