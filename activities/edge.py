"""The edge between an activity and the engine: where it runs, and how its refusals leave."""

from __future__ import annotations

from temporalio import activity

from domain.errors import Invalid
from domain.ids import hospital_of


def workflow_id_here(claimed: str) -> str:
    """The id of the process that runs this activity. Raises Invalid when its input speaks for another process."""
    actual = activity.info().workflow_id
    if actual is None or actual != claimed:
        raise Invalid("an activity works for the process that runs it", field="workflow_id")
    return actual


def hospital_here() -> str:
    """The hospital of the process that runs this activity. Raises Invalid outside of a hospital's process."""
    return hospital_of(activity.info().workflow_id or "")
