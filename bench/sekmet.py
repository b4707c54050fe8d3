"""sekmet-fhir, the fastest FHIR server in Python that we know, in an environment of its own that is thrown away.

It is measured in the same run because machines differ more than servers do. It keeps records in SQLite, without audit.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from bench.wire import Peer
from runtime import ports
from tests.waiting import until

RELEASE = "sekmet-fhir==0.1.1"


class CannotRun(Exception):
    """Why it is left out of the table."""


@asynccontextmanager
async def installed() -> AsyncIterator[Path]:
    """A folder with the release in it. Raises CannotRun."""
    folder = Path(tempfile.mkdtemp(prefix="phis-bench-"))
    try:
        await asyncio.to_thread(_install, folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def running(folder: Path, *, log: bool) -> AsyncIterator[Peer]:
    """The server with new data, strict as it is shipped. Raises CannotRun.

    log: it notes every request, as it is shipped; that is the nearest it has to our audit.
    """
    port = ports.free_port()
    base = f"http://127.0.0.1:{port}/fhir"
    # JSON is YAML. Its simulated laboratory would add requests of its own.
    given = {"base_url": base, "host": "127.0.0.1", "port": port, "data_dir": str(folder / f"data-{port}")}
    settings = given | {"log_inbound": log, "simulator": {"enabled": False}}
    (folder / "settings.yaml").write_text(json.dumps(settings))
    server = _serve(folder)
    try:
        await _answers(server, base)
        yield Peer("sekmet-fhir", base, {}, {"server": server.pid})
    finally:
        server.terminate()
        await asyncio.to_thread(server.wait, 30)


def _install(folder: Path) -> None:
    uv = [sys.executable, "-m", "uv", "--quiet"]
    environment = folder / "env"
    for command in (
        [*uv, "venv", "--python", sys.executable, str(environment)],
        [*uv, "pip", "install", "--python", str(environment / "bin/python"), RELEASE],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        if done.returncode:
            raise CannotRun("it could not be installed")


def _serve(folder: Path) -> subprocess.Popen[bytes]:
    command = [str(folder / "env/bin/sekmet"), "serve"]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=_environment(folder))


async def _answers(server: subprocess.Popen[bytes], base: str) -> None:
    async def look() -> bool | None:
        if server.poll() is not None:
            raise CannotRun(f"it ended at its start with {server.returncode}")
        try:
            async with httpx.AsyncClient() as client:
                return (await client.get(f"{base}/metadata", timeout=5)).is_success or None
        except httpx.TransportError:
            return None

    try:
        await until(look, within=40)
    except (AssertionError, TimeoutError):
        raise CannotRun("it did not answer") from None


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SEKMET_", "PYTHON"))}
    return kept | {"SEKMET_CONFIG": str(folder / "settings.yaml")}
