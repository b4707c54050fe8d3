"""Does it live, is it ready, what does it measure, how is it spoken to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, timedelta
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.service import RPCError

from api import metrics
from api.deps import public
from api.state import AppState, State
from domain.errors import NotFound, PhisError
from store import ledger, outbox

router = APIRouter(tags=["health"], dependencies=[public])

_PATIENCE = timedelta(seconds=2)
_LONGEST_POLL = timedelta(seconds=65)
_NOT_READY: dict[str, Any] = {"description": "A part does not answer", "content": {"application/json": {}}}


@router.get("/livez")
async def live(state: State) -> dict[str, str]:
    """This process answers."""
    return {"status": "ok", "version": state.version}


@router.get("/readyz", responses={503: _NOT_READY})
async def ready(state: State) -> JSONResponse:
    """200 once the database, the process engine and a worker answer; else 503. Each part is named."""
    checks = {"database": _database, "engine": _engine, "worker": _worker}
    found = await asyncio.gather(*(_says(check, state) for check in checks.values()))
    parts = dict(zip(checks, found, strict=True))
    well = all(said == "ok" for said in found)
    body: dict[str, Any] = {"status": "ok" if well else "unavailable", "parts": parts, "version": state.version}
    return JSONResponse(body, HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE)


@router.get("/metrics", response_class=PlainTextResponse)
async def measure(state: State) -> Response:
    """For Prometheus. Nothing about a patient is in it."""
    if not state.metrics:
        raise NotFound("measures are switched off")
    with suppress(PhisError):  # without the database there are still the measures of this process
        async with state.database.system() as tx:
            pending, unannounced = await ledger.pending(tx), await outbox.waiting(tx)
        age = (state.now() - pending.oldest).total_seconds() if pending.oldest else 0.0
        metrics.PENDING.set(pending.count)
        metrics.OLDEST_PENDING.set(age)
        metrics.UNANNOUNCED.set(unannounced)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@router.get("/openapi.json", include_in_schema=False)
async def describe(request: Request) -> dict[str, Any]:
    """The commands as OpenAPI. There is no page over it: the usual ones load scripts from elsewhere."""
    app: FastAPI = request.app
    return app.openapi()


async def _says(check: Callable[[AppState], Awaitable[str]], state: AppState) -> str:
    try:
        async with asyncio.timeout(_PATIENCE.total_seconds()):
            return await check(state)
    except (PhisError, RPCError, TimeoutError, RuntimeError):
        return "does not answer"


async def _database(state: AppState) -> str:
    await state.database.ping()
    return "ok"


async def _engine(state: AppState) -> str:
    if state.temporal is None:
        return "not connected"
    return "ok" if await state.temporal.service_client.check_health(timeout=_PATIENCE) else "does not serve"


async def _worker(state: AppState) -> str:
    if state.temporal is None:
        return "not known"
    described = await state.temporal.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=state.temporal.namespace,
            task_queue=TaskQueue(name=state.task_queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        ),
        timeout=_PATIENCE,
    )
    # A poll lasts a minute at most, and pollers are remembered for five: an older one belongs to a worker that hangs.
    oldest = state.now() - _LONGEST_POLL
    polls = any(poller.last_access_time.ToDatetime(tzinfo=UTC) > oldest for poller in described.pollers)
    return "ok" if polls else "no worker polls"
