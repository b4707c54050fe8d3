"""All benchmarks, one after the other: `make bench`."""

from __future__ import annotations

import asyncio

from bench import admission, fhir, start, validation
from bench.report import show

show("start", asyncio.run(start.measure()))
show("admission", asyncio.run(admission.measure()))
show("validation", validation.measure())
show("fhir", asyncio.run(fhir.measure()))
