"""What validation costs on the hot path, after warm-up: `python -m bench.validation`."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import psutil

from adapters.fhir.validation import check, warm_up
from adapters.fhir.validation.structure import examine
from bench.report import Figure, percentile, show
from domain import fhir
from tests.adapters.fhir.validation.documents import CONDITION, OBSERVATION, PATIENT, TIMING

_ROUNDS = 2000
_TYPES = ("Patient", "Observation", "Condition", "MedicationRequest")


def measure() -> list[Figure]:
    process = psutil.Process()
    before = process.memory_info().rss
    began = time.perf_counter()
    warm_up(*_TYPES)
    warm = time.perf_counter() - began
    check(CONDITION)  # it contains a resource, and so needs a schema of its own
    figures = [
        _per_call("an Observation", lambda: check(OBSERVATION), 60),
        _per_call("a Patient with narrative", lambda: check(PATIENT), 60),
        _per_call("a Condition that contains a Practitioner", lambda: check(CONDITION), 60),
        _per_call("a MedicationRequest", lambda: check(TIMING), 60),
        _per_call("a close look at an Observation", lambda: examine(OBSERVATION)),
        _per_call("a refusal of an Observation", lambda: check({**OBSERVATION, "status": "done"})),
    ]
    began = time.perf_counter()
    warm_up(*fhir.resource_types())
    all_types = time.perf_counter() - began
    return [
        *figures,
        Figure("compiling four types", warm * 1000, "ms"),
        Figure("compiling the other 142", all_types * 1000, "ms"),
        Figure("memory of the 64 that are kept", (process.memory_info().rss - before) / 2**20, "MB"),
    ]


def _per_call(name: str, call: Callable[[], Any], goal: float | None = None) -> Figure:
    spent: dict[str, list[float]] = defaultdict(list)
    for _ in range(_ROUNDS):
        began = time.perf_counter_ns()
        call()
        spent[name].append((time.perf_counter_ns() - began) / 1000)
    return Figure(f"{name}, median", percentile(spent[name], 0.5), "µs", goal)


if __name__ == "__main__":
    show("validation", measure())
