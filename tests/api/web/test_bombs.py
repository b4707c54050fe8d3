"""No input costs more than a tenth of a second or 64 MiB: the kernel's own counts, in a process for each bomb."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from tests.api.web.bombs import bombs
from tests.architecture.sources import ROOT

MILLISECONDS = 100
KIB = 64 * 1024

KNOWN = {"join": 600, "questions, 64 KiB": 600, "tests": 600}
"""Milliseconds that may be taken though they are more: FHIRPath stops by its own count of steps, a little later;
a form of 1,500 questions and a rule with 18,000 tests are read to their end: neither is refused for its size."""

REFUSALS = {"Invalid", "TooCostly", "HTTPException"}
TEETH = ["plus", "headers", "questions, 256 KiB", "fields: a long name, 488 KiB"]
"""One for each kind of protection."""


def set_off(*names: str) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "tests.api.web.bombing", *names]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def dear(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What costs more than it may, or ends otherwise than by being taken or refused."""
    return [
        row
        for row in rows
        if row["cpu"] > KNOWN.get(row["name"], MILLISECONDS)
        or row["grew"] > KIB
        or row["came"] not in REFUSALS | {"taken"}
    ]


def test_there_are_more_than_three_hundred_bombs_of_every_family() -> None:
    made = bombs()
    assert len({(each.family, each.name) for each in made}) == len(made) > 300
    assert {each.family for each in made} == {"JSON", "query", "FHIRPath", "pattern", "rule", "head", "form"}


def test_no_bomb_costs_more_than_it_may() -> None:
    rows = set_off()
    assert len(rows) == len(bombs())
    assert dear(rows) == []
    assert sum(row["came"] in REFUSALS for row in rows) > 250


def test_unprotected_they_would_go_off_or_be_taken() -> None:
    rows = set_off(*TEETH)
    assert {row["name"] for row in rows} == set(TEETH)
    for row in rows:
        assert dear([row]) or row["came"] == "taken", row
