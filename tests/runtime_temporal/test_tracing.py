"""Traces of a process: spans for its calls and effects, and nothing but trace ids beside the sealed payloads."""

from __future__ import annotations

import sys

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from temporalio.api.common.v1 import Payload

from domain.errors import Misconfigured
from runtime.temporal import connect
from runtime.tracing import tracing
from store.database import Database
from store.sealing import KeyRing
from tests.conftest import NAMESPACE, House
from tests.workflows.desk import Desk


async def test_a_traced_admission_leaves_spans_and_only_trace_ids_in_its_headers(
    house: House, keys: KeyRing, hospital: str, database: Database, task_queue: str
) -> None:
    spans, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    client = await connect(house.temporal, NAMESPACE, keys, tracer=provider.get_tracer("test"))
    desk = Desk(hospital, database, client, task_queue)
    async with desk.working():
        with provider.get_tracer("test").start_as_current_span("a person's request"):
            stay = await desk.admission()
            await desk.assign(stay, await desk.bed())
        await stay.result()
    names = {span.name for span in spans.get_finished_spans()}
    assert {"StartWorkflow:Admission", "RunActivity:assign_bed", "RunActivity:admit"} <= names
    started = (await stay.fetch_history()).events[0].workflow_execution_started_event_attributes
    assert list(started.header.fields) == ["_tracer-data"]
    header: Payload = started.header.fields["_tracer-data"]
    assert header.data.startswith(b'{"traceparent":"00-')
    assert b"Encounter" not in header.data


def test_without_a_collector_there_is_no_tracer() -> None:
    with tracing(None, "worker") as tracer:
        assert tracer is None


def test_a_collector_without_the_exporters_package_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with (
        pytest.raises(Misconfigured, match="opentelemetry-exporter-otlp-proto-http"),
        tracing("http://c:4318", "worker"),
    ):
        pass
