"""Which build of the workflows runs: every process moves on to the newest build that replays what is open.

Workflows are auto-upgrade (engine room, 14), so a new build must be able to continue every open process. It becomes
current only after it has replayed their histories; until then it is given no work, and says why.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files
from time import monotonic

from temporalio.api.workflowservice.v1 import (
    DescribeWorkerDeploymentRequest,
    SetWorkerDeploymentCurrentVersionRequest,
)
from temporalio.client import Client, WorkflowHistory
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Replayer, WorkerDeploymentConfig
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from adapters.temporal.calls import engine_calls
from domain.errors import Unavailable
from workflows.registry import PROCESSES

DEPLOYMENT = "phis"
# What can change the order of a workflow's commands: the workflows and everything they import of ours.
_SOURCES = ("workflows", "activities/signatures", "domain")
_POLL = 0.1


@dataclass(frozen=True)
class Unfit:
    """An open process that this build cannot continue, by id and the kind of error: histories are not for logs."""

    workflow_id: str
    error: str


def build_id() -> str:
    """The hash of the workflows' sources: equal sources are the same build, wherever they are installed."""
    digest = hashlib.sha256()
    for folder in _SOURCES:
        package, *below = folder.split("/")
        found = files(package).joinpath(*below)
        for source in sorted(
            (file for file in found.iterdir() if file.name.endswith(".py")), key=lambda file: file.name
        ):
            digest.update(f"{folder}/{source.name}\n".encode() + source.read_bytes())
    return digest.hexdigest()[:16]


def deployment(build: str) -> WorkerDeploymentConfig:
    """How a worker tells the engine which build it is."""
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(deployment_name=DEPLOYMENT, build_id=build),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.AUTO_UPGRADE,
    )


def sandbox() -> SandboxedWorkflowRunner:
    """The sandbox of workflow modules. What holds no state of a workflow is passed through, not loaded again a run."""
    passed = ("domain", "activities.signatures", "workflows.refusals", "pydantic", "annotated_types")
    return SandboxedWorkflowRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*passed))


async def current_build(client: Client) -> str | None:
    """The build that gets the work; None before the first one was made current."""
    request = DescribeWorkerDeploymentRequest(namespace=client.namespace, deployment_name=DEPLOYMENT)
    with engine_calls():
        try:
            described = await client.workflow_service.describe_worker_deployment(request)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise
    routing = described.worker_deployment_info.routing_config
    return routing.current_deployment_version.build_id or None


async def replay_check(client: Client, *, query: str = "ExecutionStatus = 'Running'") -> list[Unfit]:
    """Replay the open processes with the sources of this build. An empty list: it can continue every one of them."""
    replayer = Replayer(
        workflows=[process.definition for process in PROCESSES.values()],
        workflow_runner=sandbox(),
        namespace=client.namespace,
        data_converter=client.data_converter,
    )
    with engine_calls():
        async with replayer.workflow_replay_iterator(_histories(client, query)) as results:
            return [
                Unfit(result.history.workflow_id, type(result.replay_failure).__name__)
                async for result in results
                if result.replay_failure is not None
            ]


async def _histories(client: Client, query: str) -> AsyncIterator[WorkflowHistory]:
    async for execution in client.list_workflows(query):
        try:
            yield await client.get_workflow_handle(execution.id, run_id=execution.run_id).fetch_history()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:  # it ended between the list and the look
                raise


async def make_current(client: Client, build: str, *, within: timedelta = timedelta(seconds=30)) -> None:
    """Give the work to `build`. Its worker must be polling: the engine learns of a build from its first poll.

    Raises Unavailable when the engine does not hear of the build `within` that time.
    """
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace, deployment_name=DEPLOYMENT, build_id=build, ignore_missing_task_queues=True
    )
    unknown = {RPCStatusCode.NOT_FOUND, RPCStatusCode.FAILED_PRECONDITION, RPCStatusCode.INVALID_ARGUMENT}
    deadline = monotonic() + within.total_seconds()
    while True:
        with engine_calls():
            try:
                await client.workflow_service.set_worker_deployment_current_version(request)
            except RPCError as error:
                if error.status not in unknown:
                    raise
            else:
                return
        if monotonic() > deadline:
            raise Unavailable("the process engine has not heard of this build", part="engine", build=build)
        await asyncio.sleep(_POLL)
