"""The scenarios of sekmet-fhir, written by nobody here, against our server: how another system sees a hospital."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from sekmet.subscriptions.backport import BUILTIN_TOPICS

from tests.fhir.conftest import Served
from tests.waiting import until

pytestmark = pytest.mark.sockets

SCENARIOS = 14
ORDERED = "58410-2"
"""The blood count that one scenario orders and waits for: the only one that a laboratory has to answer by itself."""

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def sekmet(served: Served, receiver_port: int, tmp_path: Path) -> Run:
    """Its command line, with our server as the peer `phis`."""
    settings = {
        "host": "127.0.0.1",
        "port": receiver_port,
        "base_url": f"http://127.0.0.1:{receiver_port}/fhir",
        "public_url": f"http://127.0.0.1:{receiver_port}",
        "simulator": {"enabled": False},
        "peers": {
            "phis": {
                "base_url": served.base,
                "auth": {"type": "bearer", "token": served.token},
                "roles": ["lab-filler"],
            }
        },
    }
    (tmp_path / "settings.yaml").write_text(json.dumps(settings))  # JSON is YAML
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SEKMET_")}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(Path(sys.executable).with_name("sekmet")), *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


async def _laboratory(http: httpx.AsyncClient, sekmet: Run) -> None:
    """A laboratory on our server: it sees the order, accepts it, takes blood and reports."""

    async def ordered() -> str | None:
        found = (await http.get("/ServiceRequest", params={"code": ORDERED, "status": "active"})).json()
        return found["entry"][0]["resource"]["id"] if found.get("entry") else None

    order = await until(ordered, within=90)
    for step in ("orders.accept", "orders.collect_specimen", "orders.lab_result"):
        given = ("--target", "phis", "--arg", f"service_request={order}")
        done = await asyncio.to_thread(sekmet, "workflow", "run", step, *given)
        assert done.returncode == 0, done.stdout + done.stderr


async def test_every_scenario_passes(http: httpx.AsyncClient, sekmet: Run, tmp_path: Path) -> None:
    # Its subscription topic is not one of ours: a hospital keeps topics of others as Basic resources.
    for topic in BUILTIN_TOPICS:
        assert (await http.put(f"/Basic/{topic['id']}", json=topic)).status_code == 201
    scenarios = asyncio.to_thread(sekmet, "scenario", "run", "all", "--peer", "phis", "--report-dir", "reports")
    done, _ = await asyncio.gather(scenarios, _laboratory(http, sekmet))
    (report,) = (tmp_path / "reports").glob("*/results.json")
    results: dict[str, dict[str, Any]] = {Path(each["file"]).stem: each for each in json.loads(report.read_text())}
    said = {
        name: [(step["name"], step["status"], step["message"]) for step in each["steps"] if step["status"] != "passed"]
        for name, each in results.items()
        if each["status"] != "passed"
    }
    assert said == {}
    assert len(results) == SCENARIOS
    assert done.returncode == 0, done.stdout
