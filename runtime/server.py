"""`phis server`: HTTP, and beside it relay, listener, re-sender, sealer, exporter and more."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import version
from types import FrameType
from typing import NoReturn

import structlog
import uvicorn
import uvloop
from fastapi import FastAPI
from temporalio.client import Client

from adapters.notify.gateway import Gateway, NoGateway
from adapters.outgoing import Outgoing
from api.app import create_app
from api.commands.dispatch import Dispatcher
from api.commands.processes import Processes
from api.commands.setup.turning import keep_turning
from api.events import EventHub
from api.fhir.exporting import Exporter
from api.fhir.notifying import Notifier
from api.paging import Pager
from api.pressure import Gate
from api.state import AppState
from domain.errors import Unavailable
from runtime.advisories import state_on
from runtime.forgetting import keep_forgetting
from runtime.providers import providers_of
from runtime.reconcile import reconcile
from runtime.resealing import keep_resealing
from runtime.settings import Settings, needed
from runtime.sockets import Protocol
from runtime.temporal import PROCESS_QUEUE, connect
from runtime.tracing import tracing
from runtime.watching import Watch
from store import journal, outbox, schema, worklist
from store.database import Database
from store.sealing import KeyRing
from store.seals.checkpoints import Folder
from store.seals.sealer import Sealer

log = structlog.get_logger(__name__)


@asynccontextmanager
async def application(
    settings: Settings, *, task_queue: str = PROCESS_QUEUE
) -> AsyncIterator[tuple[FastAPI, EventHub]]:
    """The application with everything that runs beside it, stopped in order when the block ends.

    Raises Misconfigured for a missing setting and a database of another release, Unavailable without a database.
    """
    keys = KeyRing.parse(needed(settings.keys, "keys"))
    app_url = needed(settings.database_url, "database_url")
    system_url = needed(settings.database_system_url, "database_system_url")
    events = EventHub()
    await schema.check(app_url)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(
            Database.open(
                app_url,
                system_url,
                keys,
                app_size=settings.database_pool,
                system_size=settings.database_system_pool,
            )
        )
        await database.know_keys()
        watch = Watch(settings, lambda: datetime.now(UTC))
        await watch.look()
        tracer = stack.enter_context(tracing(settings.otel_endpoint, "server"))
        # Lazy: screens, claims and new commands go on while Temporal is away; the re-sender delivers them later.
        client = await connect(
            needed(settings.temporal_address, "temporal_address"),
            settings.temporal_namespace,
            keys,
            tls=settings.temporal_tls_config,
            tracer=tracer,
            lazy=True,
        )
        dispatcher = Dispatcher(database, Processes(client, task_queue))
        state = AppState(
            database=database,
            temporal=client,
            task_queue=task_queue,
            dispatcher=dispatcher,
            events=events,
            public_url=settings.origin,
            secure_cookies=settings.origin.startswith("https://"),
            version=version("phis"),
            session_length=settings.session_length,
            metrics=settings.metrics,
            largest_request=int(settings.largest_request),
            export_lifetime=settings.export_lifetime,
            providers=providers_of(settings.oidc),
            reference_checks=settings.reference_checks,
            gate=Gate(settings.requests_at_once, whole=settings.request_time, body=settings.body_time),
            gateway=gateway_of(settings),
            outgoing=Outgoing(settings.outgoing_hosts.split(",")),
            advisories=state_on,
            manifest=lambda: watch.state,
        )
        app = create_app(state)
        running = [
            asyncio.create_task(work, name=name)
            for name, work in (
                ("relay", outbox.Relay(system_url, now=lambda: datetime.now(UTC)).run()),
                ("listener", _listen(system_url, events)),
                ("forgetting", keep_forgetting(database, now=lambda: datetime.now(UTC))),
                ("watch over files", watch.keep_looking()),
                ("sealing anew", keep_resealing(database)),
                ("re-sender", dispatcher.keep_resending()),
                ("sealer", Sealer(system_url, keys, second_place(settings), now=lambda: datetime.now(UTC)).run()),
                ("set-up", keep_turning(state)),
                ("exporter", Exporter(state).keep_exporting()),
                ("notifier", Notifier(state).keep()),
                ("pager", Pager(state).keep()),
                ("reconcile", _reconcile_once(database, client, task_queue)),
            )
        ]
        for task in running:
            task.add_done_callback(_complain)
        try:
            yield app, events
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)


def gateway_of(settings: Settings) -> Gateway:
    if not settings.notify_url:
        return NoGateway()
    return Gateway(settings.notify_url, settings.notify_token.get_secret_value())


def second_place(settings: Settings) -> Folder | None:
    """Where signed lines of the sealed audit are kept besides the database. Raises Misconfigured."""
    if settings.audit_checkpoints is None:
        log.warning("the audit has no second place: set PHIS_AUDIT_CHECKPOINTS, or cutting it off cannot be seen")
        return None
    return Folder(settings.audit_checkpoints).prepare()


def _complain(task: asyncio.Task[None]) -> None:
    """These run for ever: one that ends otherwise than by being stopped is a defect, and must not end in silence."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("a part of the server stopped", part=task.get_name(), error=type(error).__name__, exc_info=error)


async def _listen(system_url: str, events: EventHub) -> None:
    """Pass what the relay announces to the open streams."""
    async for hint in outbox.listen(system_url):
        if hint.hospital:
            events.publish(hint.hospital, hint.topic)
        else:  # connected again: what was announced meanwhile is lost
            events.publish_everywhere(worklist.TOPIC, journal.TOPIC)


async def _reconcile_once(database: Database, client: Client, task_queue: str) -> None:
    """At start: what was open and is not running goes on from its row."""
    while True:
        try:
            report = await reconcile(database, client, task_queue)
        except Unavailable as later:
            log.info("reconcile waits", reason=later.code)
            await asyncio.sleep(1)
        else:
            if not report.silent:
                return
            await asyncio.sleep(5)  # no worker has answered for some of them yet


class _Server(uvicorn.Server):
    """Ends the streams before it waits for connections: an open stream would keep the server for its whole grace."""

    def __init__(self, config: uvicorn.Config, events: EventHub) -> None:
        super().__init__(config)
        self._events = events

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # uvicorn's signature
        # Not uvicorn's own: it raises the signal again before relay, pools and streams have been closed.
        self._events.close()
        self.force_exit = self.should_exit
        self.should_exit = True


def _settle_memory() -> None:
    """What is there now stays as long as the server: the collector need not look at it again and again.

    A request makes some thousand objects and hardly a circle of them, so it looks for circles less often as well.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT, then drain."""
    async with application(settings) as (app, events):
        _settle_memory()
        config = uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            http=Protocol,
            ws="none",
            timeout_graceful_shutdown=int(settings.server_drain.total_seconds()),
            forwarded_allow_ips=settings.trusted_proxies,
        )
        await _Server(config, events).serve()


def main(settings: Settings) -> NoReturn:
    """Run the server as this process. It ends without the interpreter's farewell, like the worker (engine room, 15)."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, suppress(KeyboardInterrupt):
        runner.run(serve(settings))
    log.info("drained")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
