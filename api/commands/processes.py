"""Speaking to processes: starting one from its row, sending it an Update.

Both may be done any number of times: a workflow id runs once, an Update id is taken once, and what happened already is
found in the store. `api.commands.dispatch` uses it for people, `runtime.reconcile` for repair.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from temporalio.client import Client, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from adapters.temporal.calls import engine_calls
from domain.errors import NotFound, PhisError, Refused, Unavailable
from domain.ids import WorkflowId
from domain.process import ProcessSnapshot
from workflows.registry import PROCESSES

TASK_TIMEOUT = timedelta(seconds=3)
"""How long the engine waits for a worker that has taken a step and says nothing, before it gives the step to another.

Ten seconds by default, which is how long a killed worker's processes then stand still. Local activities that take
longer are announced by heartbeats and not cut short.
"""


class Processes:
    """The engine as commands see it. `client` is connected, `task_queue` the one that runs processes."""

    def __init__(self, client: Client, task_queue: str) -> None:
        self._client = client
        self._task_queue = task_queue

    async def start(self, row: ProcessSnapshot, *, resume: bool = False, patience: timedelta) -> None:
        """Start the workflow of a process row, or join it where it runs.

        resume: the workflow ran before and its history is gone or wrong, so a closed run does not count. Otherwise a
        closed run means that the process has ended between two looks, and nothing is started.
        Raises Unavailable(part="engine").
        """
        process = PROCESSES[WorkflowId.parse(row.workflow_id).process]
        state = process.state.model_validate(row.state)
        try:
            with engine_calls():
                await self._client.start_workflow(
                    process.workflow,
                    state,
                    id=row.workflow_id,
                    task_queue=self._task_queue,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    id_reuse_policy=(
                        WorkflowIDReusePolicy.ALLOW_DUPLICATE if resume else WorkflowIDReusePolicy.REJECT_DUPLICATE
                    ),
                    task_timeout=TASK_TIMEOUT,
                    rpc_timeout=patience,
                )
        except WorkflowAlreadyStartedError:
            return

    async def update(
        self, workflow_id: str, name: str, arg: Mapping[str, Any], *, id_: UUID, patience: timedelta
    ) -> dict[str, Any]:
        """Send Update `name` under the command's id and wait for its answer.

        Raises the process's own refusal as the error of the domain it was; NotFound when no such workflow runs;
        Unavailable(part="engine") when there is no answer yet, which says nothing about what became of it.
        """
        update = PROCESSES[WorkflowId.parse(workflow_id).process].updates[name]
        handle = self._client.get_workflow_handle(workflow_id)
        try:
            with engine_calls():
                answer = await handle.execute_update(
                    name,
                    update.arg.model_validate(arg),
                    id=str(id_),
                    result_type=update.result,
                    rpc_timeout=patience,
                )
        except WorkflowUpdateRPCTimeoutOrCancelledError as error:
            raise Unavailable("no answer yet", part="engine") from error
        except WorkflowUpdateFailedError as error:
            raise _refusal(error) from error
        except RPCError as error:
            raise _strange(error) from error
        result: dict[str, Any] = answer.model_dump(mode="json")
        return result


def _strange(error: RPCError) -> PhisError:
    if error.status is RPCStatusCode.NOT_FOUND:
        return NotFound("no such workflow runs")
    # A defect of ours or of the installation: the command is kept for the re-sender, and the log is told.
    return Unavailable("the process engine refused", part="engine", status=error.status.name)


def _refusal(error: WorkflowUpdateFailedError) -> PhisError:
    cause: BaseException | None = error.cause
    # A refusal by an effect reaches us inside an ActivityError, one by the workflow's validator directly.
    while cause is not None and not isinstance(cause, ApplicationError):
        cause = cause.__cause__
    if cause is None or cause.type is None:
        # The workflow was terminated or has completed while the update was in flight: the store knows what it did.
        return NotFound("the workflow ended before it answered")
    params = cause.details[0] if cause.details and isinstance(cause.details[0], dict) else {}
    return refusal(cause.type, params)


def refusal(code: str, params: Mapping[str, str]) -> PhisError:
    """The domain's error for a public code, as it was raised. An unknown code (an older release's) becomes Refused."""
    pending: list[type[PhisError]] = [PhisError]
    while pending:
        kind = pending.pop()
        if kind.code == code:
            return kind(code, **params)
        pending.extend(kind.__subclasses__())
    return Refused(code, **params)
