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
STREAMS = Gauge("phis_event_streams", "Open event streams of browsers")
