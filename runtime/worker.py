"""`phis worker`: runs processes and their effects until it is told to stop, then drains."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, timedelta
from typing import NoReturn, TypeVar

import structlog
from temporalio.client import Client
from temporalio.worker import Worker

from activities.admission import StoreAdmissionActivities
from activities.decisions import StoreDecisionActivities
from activities.duty import StoreDutyActivities
from activities.effects import Effects
from activities.notify import StoreNotifyActivities
from activities.rule_impact import StoreImpactActivities
from domain.errors import Misconfigured, Unavailable
from rules.bundle import RuleBook
from rules.engine import RuleEngine
from runtime.interceptors import AtTheEdge
from runtime.ports import LOOPBACK, free_port
from runtime.settings import Settings
from runtime.temporal import PROCESS_QUEUE, connect, engine_runtime, register_namespace_and_attributes
from runtime.tracing import tracing
from runtime.versions import build_id, current_build, deployment, make_current, replay_check, sandbox
from runtime.watching import Watch
from runtime.worker_health import Health
from store import schema
from store.database import Database
from store.sealing import KeyRing
from workflows.registry import PROCESSES

log = structlog.get_logger(__name__)
T = TypeVar("T")

_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(milliseconds=200), timedelta(seconds=5)
# A killed worker's processes return in 2.8 s with this, in 11.5 s with the SDK's default (engine room, 15).
_STICKY = timedelta(seconds=2)
_LOOK_AGAIN = timedelta(seconds=30)


def _real_now() -> datetime:
    return datetime.now(UTC)


def build_worker(
    client: Client,
    database: Database,
    *,
    task_queue: str = PROCESS_QUEUE,
    build: str | None = None,
    drain: timedelta = timedelta(seconds=10),
    effects: int = 8,
) -> Worker:
    """A worker for every process of the house.

    build: from `runtime.versions.build_id`; such a worker gets no work before its build was made current. None leaves
    versions out, as tests do.
    effects: how many run at once; more than the database has connections would only wait for one.
    """
    duty, notify = StoreDutyActivities(database), StoreNotifyActivities(database, _real_now)
    done, engine = Effects(database, _real_now), RuleEngine()
    admission = StoreAdmissionActivities(done)
    decisions = StoreDecisionActivities(database, engine, RuleBook(), _real_now)
    impact = StoreImpactActivities(database, done, engine, _real_now)
    return Worker(
        client,
        task_queue=task_queue,
        workflows=[process.definition for process in PROCESSES.values()],
        activities=[
            admission.open_bed_task,
            admission.escalate_bed_task,
            admission.call_duty,
            admission.assign_bed,
            admission.admit,
            admission.cancel_request,
            decisions.decide,
            duty.reach,
            duty.next_rung,
            notify.send,
            notify.heard,
            notify.acknowledge,
            impact.count_past,
            impact.close_report,
        ],
        workflow_runner=sandbox(),
        interceptors=[AtTheEdge()],
        sticky_queue_schedule_to_start_timeout=_STICKY,
        graceful_shutdown_timeout=drain,
        max_cached_workflows=1_000,
        max_concurrent_workflow_tasks=50,
        max_concurrent_local_activities=effects,
        max_concurrent_activities=effects,
        deployment_config=deployment(build) if build else None,
    )


async def work(settings: Settings, stop: asyncio.Event) -> None:
    """Connect, with patience while PostgreSQL or Temporal are away; run until `stop` is set; drain.

    Raises Misconfigured at once, and whatever ends the worker against our will.
    """
    health = Health()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(health.served(settings.worker_host, settings.worker_port))
        tracer = stack.enter_context(tracing(settings.otel_endpoint, "worker"))
        keys = KeyRing.parse(settings.keys.get_secret_value())
        sdk = f"{LOOPBACK}:{free_port()}" if settings.metrics else None
        runtime = engine_runtime(sdk)

        async def opened() -> Database:
            await schema.check(settings.database_url.get_secret_value())
            opening = Database.open(
                settings.database_url.get_secret_value(),
                settings.database_system_url.get_secret_value(),
                keys,
                app_size=settings.database_pool,
                system_size=settings.database_system_pool,
            )
            database = await stack.enter_async_context(opening)
            await database.know_keys()
            return database

        async def connected() -> Client:
            client = await connect(
                settings.temporal_address,
                settings.temporal_namespace,
                keys,
                tls=settings.temporal_tls_config,
                runtime=runtime,
                tracer=tracer,
            )
            await register_namespace_and_attributes(client)
            return client

        watch = Watch(settings, lambda: datetime.now(UTC))
        await watch.look()
        watch.refuse()
        database = await _patiently(opened, stop)
        health.waiting_for = "engine"
        client = await _patiently(connected, stop) if database else None
        if database is None or client is None:
            return
        health.watch(database, client, sdk)
        build, effects = build_id(), settings.database_pool
        worker = build_worker(client, database, build=build, drain=settings.worker_drain, effects=effects)
        await _run(worker, _together(_become_current(client, build, health), watch.keep_looking(raises=True)), stop)


async def _patiently(attempt: Callable[[], Awaitable[T]], stop: asyncio.Event) -> T | None:
    """The result once it can be had; None when `stop` is set first."""
    pause = _FIRST_PAUSE
    while not stop.is_set():
        try:
            return await attempt()
        except Unavailable as later:
            log.info("waiting", reason=later.params.get("part", later.code))
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause.total_seconds())
        pause = min(2 * pause, _LONGEST_PAUSE)
    return None


async def _run(worker: Worker, beside: Coroutine[None, None, None], stop: asyncio.Event) -> None:
    """Run the worker and what belongs to it until `stop`, then drain. Raises what ended one of them earlier."""
    running = asyncio.create_task(worker.run())
    helping, stopping = asyncio.create_task(beside), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({running, helping, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ended_early = running if running.done() else helping if helping.done() else None
        for task in (helping, stopping):
            task.cancel()
        await worker.shutdown()
        await asyncio.gather(running, helping, stopping, return_exceptions=True)
    if ended_early and not stop.is_set():
        ended_early.result()


async def _together(*parts: Coroutine[None, None, None]) -> None:
    """Until one of them ends, with what ended it."""
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _become_current(client: Client, build: str, health: Health) -> None:
    """Take the work over as soon as this build replays every open process, and again when the engine forgot it.

    A build that cannot continue an open process is given no work at all: the log names one, and the build before it
    goes on where it still runs.
    """
    fit = False
    while True:
        try:
            now = await current_build(client)
            if now is None or (now != build and not fit):
                unfit = await replay_check(client)
                fit = not unfit
                if fit:
                    await make_current(client, build)
                    log.info("build is current", build_id=build)
                else:
                    first = unfit[0]
                    log.error("build refused", build_id=build, count=len(unfit), workflow_id=first.workflow_id)
            else:  # ours already, or a newer one has taken over and gives us no work
                fit = True
            health.waiting_for = "" if fit else "build"
        except Unavailable as later:
            log.info("waiting", reason=later.params.get("part", later.code))
        await asyncio.sleep((_LOOK_AGAIN if fit else _LONGEST_PAUSE).total_seconds())


async def _until_told(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await work(settings, stop)


def main(settings: Settings) -> NoReturn:
    """Run the worker as this process; ends with `os._exit`.

    A process that ran a worker crashed in the interpreter's farewell in 7 of 27 runs (engine room, 15): what matters is
    drained, dropped and flushed here; the line `drained` says that it was.
    Raises Misconfigured before any worker ran.
    """
    settings.require("database_url", "database_system_url", "temporal_address", "keys")
    code = 0
    try:
        asyncio.run(_until_told(settings))
    except Misconfigured:
        raise
    except Exception:
        log.exception("worker ended")
        code = 1
    gc.collect()  # client and worker, held by nobody any more
    if code == 0:
        log.info("drained")
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
