"""A workflow replays: whatever it reads must stand in its history, so it reads nothing else."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.architecture.sources import modules, name_of, read, used

ALLOWED_IMPORTS = (
    "domain",
    "workflows",
    "activities.signatures",
    "temporalio",
    # of the standard library: what computes, nothing that reads a clock, a file, the network or chance
    "__future__",
    "abc",
    "asyncio",
    "collections",
    "contextlib",
    "dataclasses",
    "datetime",
    "enum",
    "functools",
    "itertools",
    "types",
    "typing",
)

ALSO_ALLOWED = {"workflows/registry.py": ("pydantic",)}
"""The registry is no workflow: code outside of them reads it."""

FORBIDDEN_NAMES = {
    "datetime.datetime.now": "workflow.now()",
    "datetime.datetime.utcnow": "workflow.now()",
    "datetime.datetime.today": "workflow.now()",
    "datetime.date.today": "workflow.now()",
    "asyncio.sleep": "a wait until an instant (engine room, 3)",
    "asyncio.wait_for": "workflow.wait_condition with a timeout",
    "temporalio.workflow.uuid4": "domain.ids.made_id: a step has a name, not a number of chance (engine room, 2)",
    "temporalio.workflow.random": "a decision, whose answer stands in the history",
    "temporalio.workflow.info.run_id": "the workflow id: run ids change with continue-as-new",
    "open": "an activity",
    "print": "the journal",
    "input": "a human task",
}


def allowed(name: str, also: tuple[str, ...]) -> bool:
    return any(name == each or name.startswith(f"{each}.") for each in (*ALLOWED_IMPORTS, *also))


def broken_rules(source: str, also: tuple[str, ...] = ()) -> list[str]:
    """What a workflow module may not do."""
    tree = ast.parse(source)
    found = []
    for node in ast.walk(tree):
        named: list[str] = []
        if isinstance(node, ast.Import):
            named = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            named = [f"{'.' * node.level}{node.module or ''}"]
        found += [f"imports {name}" for name in named if not allowed(name, also)]
    for line, name in used(tree):
        if name in FORBIDDEN_NAMES:
            found.append(f"line {line}: {name}; use {FORBIDDEN_NAMES[name]}")
    return found


@pytest.mark.parametrize("module", modules("workflows"), ids=name_of)
def test_a_workflow_module_reads_no_clock_no_chance_and_no_file(module: Path) -> None:
    assert broken_rules(read(module), ALSO_ALLOWED.get(name_of(module), ())) == []


def test_there_are_workflow_modules_to_look_at() -> None:
    assert "workflows/admission.py" in [name_of(module) for module in modules("workflows")]


@pytest.mark.parametrize(
    "line",
    [
        "import random",
        "import os",
        "import time",
        "from uuid import uuid4",
        "from . import clock",
        "from store import beds",
        "from activities import admission",
        "import activities",
        "from datetime import datetime\nnow = datetime.now()",
        "import datetime as dt\nnow = dt.datetime.utcnow()",
        "from datetime import date\ntoday = date.today()",
        "import asyncio\nasync def wait():\n    await asyncio.sleep(1)",
        "from temporalio import workflow\nname = workflow.uuid4()",
        "text = open('/etc/hostname').read()",
    ],
)
def test_what_would_break_a_replay_is_found(line: str) -> None:
    assert broken_rules(line)


def test_what_every_workflow_needs_is_allowed() -> None:
    assert not broken_rules(
        "import asyncio\nfrom datetime import timedelta\nfrom temporalio import workflow\n"
        "from activities.signatures.effects import EFFECT\nfrom domain.admission import AdmissionState\n"
        "now = workflow.now()\n"
    )
