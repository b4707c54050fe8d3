"""Traces: a tracer where the installation names a collector, none elsewhere."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Tracer

from domain.errors import Misconfigured


@contextmanager
def tracing(endpoint: str | None, part: str) -> Iterator[Tracer | None]:
    """The tracer of one process of the house (`part`: server, worker), None without a collector. Sends at the end.

    Spans name workflow ids, steps and codes, never a person. Raises Misconfigured without the exporter's package: it is
    not among our own, most installations send no traces.
    """
    if endpoint is None:
        yield None
        return
    try:
        exporting = importlib.import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    except ImportError:
        raise Misconfigured(
            "PHIS_OTEL_ENDPOINT is set, but the package opentelemetry-exporter-otlp-proto-http is not installed."
        ) from None
    provider = TracerProvider(resource=Resource({SERVICE_NAME: f"phis-{part}"}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporting.OTLPSpanExporter(endpoint=endpoint)))
    try:
        yield provider.get_tracer("phis")
    finally:
        provider.shutdown()
