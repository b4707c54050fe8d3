"""All benchmarks, one after the other: `make bench`. With `--short` without the large store, which takes minutes."""

from __future__ import annotations

import argparse
import asyncio

from bench import admission, fhir, flat, hospitals, rule_activities, rules, start, validation
from bench.report import show

parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
parser.add_argument("--short", action="store_true", help="leave the large store out")
asked = parser.parse_args()

show("start", asyncio.run(start.measure()))
show("admission", asyncio.run(admission.measure()))
show("validation", validation.measure())
show("rules", asyncio.run(rules.measure()))
show("rule-activities", asyncio.run(rule_activities.measure()))
show("fhir", asyncio.run(fhir.measure()))
if not asked.short:
    show("hospitals", asyncio.run(hospitals.measure()))
    show("flat", asyncio.run(flat.measure()))
