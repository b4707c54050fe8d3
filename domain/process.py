"""The process row: what a process needs to go on without its history."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, BaseModel

from domain.commands import CommandRef
from domain.ids import StepName


class ProcessSnapshot(BaseModel, frozen=True):
    """A process as an effect leaves it: written in the effect's transaction, read again by `phis reconcile`.

    revision: rises by one with each effect, also kept in the workflow, so that the two can be compared.
    state: the JSON of the process's state model, references and codes only.
    deadline: the next instant at which the process acts if nobody does, hospital time.
    """

    workflow_id: str
    revision: int
    state: dict[str, Any]
    deadline: AwareDatetime | None = None
    closed: bool = False


class Step(BaseModel, frozen=True):
    """What every effect receives beside its own content.

    name: idempotency key with the workflow id (engine room, 2).  at: hospital time at which the workflow asked.
    command: the person's command that led here; None when the process acts by itself.
    """

    name: StepName
    at: AwareDatetime
    process: ProcessSnapshot
    command: CommandRef | None = None
