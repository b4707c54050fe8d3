"""The way to the process engine: one client factory, the namespace and what processes are listed by."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from time import monotonic

from google.protobuf.duration_pb2 import Duration
from opentelemetry.trace import Tracer
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client, Interceptor, TLSConfig
from temporalio.contrib.opentelemetry import TracingInterceptor
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)
from temporalio.service import RPCError, RPCStatusCode

from adapters.temporal.calls import engine_calls
from domain.errors import Unavailable
from runtime.codec import sealed_converter
from store.sealing import KeyRing
from workflows.process import HOSPITAL, PHASE, PROCESS, SUBJECT

# Technical queues, by what their activities need. Worklists of people are data, not queues.
PROCESS_QUEUE = "phis-process"
FHIR_QUEUE = "phis-fhir"
PAYER_QUEUE = "phis-payer"
NOTIFY_QUEUE = "phis-notify"

# A closed process is closed in its row; its history is archived, the engine keeps it for the desk that asks "why".
_RETENTION = timedelta(days=30)
_POLL = 0.05


async def connect(
    address: str,
    namespace: str,
    keys: KeyRing,
    *,
    tls: TLSConfig | bool = False,
    runtime: Runtime | None = None,
    tracer: Tracer | None = None,
    lazy: bool = False,
    within: timedelta = timedelta(seconds=5),
) -> Client:
    """A client whose payloads are sealed. Raises Unavailable when nobody answers at `address` `within` that time.

    runtime: from `engine_runtime`.  tracer: spans for calls, processes and effects;
    their context travels in headers, which hold trace ids only.
    lazy: connect at the first call; a worker cannot use such a client.
    """
    interceptors: list[Interceptor] = [TracingInterceptor(tracer)] if tracer else []
    try:
        return await Client.connect(
            address,
            namespace=namespace,
            data_converter=sealed_converter(keys),
            interceptors=interceptors,
            tls=tls,
            runtime=runtime,
            lazy=lazy,
            connect_timeout=within,
        )
    except RuntimeError as error:  # how the SDK reports a failed connection
        raise Unavailable("the process engine does not answer", part="engine", address=address) from error


def engine_runtime(metrics: str | None) -> Runtime:
    """The SDK's own part of a process: what it logs goes through our log, past its allow-list. One a process.

    metrics: serve its measures for Prometheus at this host:port.
    """
    logging_ = LoggingConfig(
        filter=TelemetryFilter(core_level="WARN", other_level="ERROR"),
        forwarding=LogForwardingConfig(
            logger=logging.getLogger("runtime.engine"),
            append_target_to_name=False,
            prepend_target_on_message=False,
            overwrite_log_record_time=True,
            append_log_fields_to_message=False,
        ),
    )
    measured = PrometheusConfig(bind_address=metrics, durations_as_seconds=True) if metrics else None
    return Runtime(telemetry=TelemetryConfig(logging=logging_, metrics=measured))


async def register_namespace_and_attributes(client: Client, *, within: timedelta = timedelta(seconds=30)) -> None:
    """Make the client's namespace and the house's search attributes exist, and wait until both can be used.

    Repeating it changes nothing. By API, because an existing development database ignores them on the command line.
    Raises Unavailable when the engine does not take them up `within` that time.
    """
    deadline = monotonic() + within.total_seconds()
    with engine_calls():
        await _register_namespace(client)
        await _until(deadline, lambda: _add_attributes(client))
        await _until(deadline, lambda: _can_list(client))


async def _register_namespace(client: Client) -> None:
    retention = Duration()
    retention.FromTimedelta(_RETENTION)
    request = RegisterNamespaceRequest(
        namespace=client.namespace,
        description="P-HIS processes",
        workflow_execution_retention_period=retention,
    )
    try:
        await client.workflow_service.register_namespace(request)
    except RPCError as error:
        if error.status is not RPCStatusCode.ALREADY_EXISTS:
            raise


async def _add_attributes(client: Client) -> bool:
    """Whether all attributes stand in the namespace; adds those that do not."""
    wanted = [key.name for key in (HOSPITAL, PROCESS, SUBJECT, PHASE)]
    try:
        listed = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace)
        )
        missing = [name for name in wanted if name not in listed.custom_attributes]
        if missing:
            await client.operator_service.add_search_attributes(_added(client.namespace, missing))
    except RPCError as error:
        # A namespace registered a moment ago is not known to every part of the server yet, and another starting
        # process may have added the same attributes.
        if error.status not in {RPCStatusCode.NOT_FOUND, RPCStatusCode.ALREADY_EXISTS}:
            raise
        return False
    return not missing


def _added(namespace: str, names: Iterable[str]) -> AddSearchAttributesRequest:
    keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
    return AddSearchAttributesRequest(namespace=namespace, search_attributes=dict.fromkeys(names, keyword))


async def _can_list(client: Client) -> bool:
    """Whether a listing by every attribute is understood: the server's parts learn of new attributes one by one."""
    query = f"{HOSPITAL.name} = 'x' and {PROCESS.name} = 'x' and {SUBJECT.name} = 'x' and {PHASE.name} = 'x'"
    try:
        await client.count_workflows(query)
    except RPCError as error:
        if error.status not in {RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.NOT_FOUND}:
            raise
        return False
    return True


async def _until(deadline: float, ready: Callable[[], Awaitable[bool]]) -> None:
    while not await ready():
        if monotonic() > deadline:
            raise Unavailable("the process engine does not take up its namespace", part="engine")
        await asyncio.sleep(_POLL)
