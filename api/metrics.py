"""Measures of this server for Prometheus. Labels are route templates, never addresses: those hold ids."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter("phis_http_requests", "Requests answered", ["method", "route", "status"])
DURATION = Histogram(
    "phis_http_request_seconds",
    "Time to answer a request",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
PENDING = Gauge("phis_commands_pending", "Commands without an answer, of all hospitals")
OLDEST_PENDING = Gauge("phis_command_oldest_pending_seconds", "Age of the oldest command without an answer")
UNANNOUNCED = Gauge("phis_outbox_waiting", "Changes that the relay has not announced yet")
STREAMS = Gauge("phis_event_streams", "Open event streams of browsers")
