"""Bodies made to exhaust a server, sent to one that the kernel holds to its memory and time: it refuses and lives."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from runtime import ports
from store import accounts
from tests.conftest import House, Urls
from tests.desk import Desk
from tests.waiting import until

pytestmark = pytest.mark.sockets

MIB = 2**20
MEMORY = 1536 * MIB
"""Of addresses, of which an idle server reserves half a gibibyte."""


def _filled(start: str, each: str, end: str, size: int) -> bytes:
    return (start + each * ((size - len(start) - len(end)) // len(each.encode())) + end).encode()


def _numbered(start: str, each: Callable[[int], str], end: str, size: int) -> bytes:
    one = len(each(10**6)) + 1
    return (start + ",".join(each(number) for number in range(size // one)) + end).encode()


BODIES: dict[str, Callable[[int], bytes]] = {
    "brackets that open": lambda size: b"[" * size,
    "brackets that open and close": lambda size: b"[" * (size // 2) + b"]" * (size // 2),
    "extensions in extensions": lambda size: _filled(
        '{"resourceType":"Patient","extension":[', '{"extension":[', "", size
    ),
    "empty lists": lambda size: _filled('{"resourceType":"Patient","name":[', "[],", "[]]}", size),
    "empty objects": lambda size: _filled('{"resourceType":"Patient","name":[', "{},", "{}]}", size),
    "decimals": lambda size: _filled('{"resourceType":"Patient","name":[', "1.5,", "1.5]}", size),
    "one long number": lambda size: _filled('{"resourceType":"Patient","multipleBirthInteger":', "9", "}", size),
    "one long string of escapes": lambda size: _filled('{"resourceType":"Patient","gender":"', "\\u0041", '"}', size),
    "one long string of quotes": lambda size: _filled('{"resourceType":"Patient","gender":"', '\\"', '"}', size),
    "one long name": lambda size: _filled('{"resourceType":"Patient","', "a", '":1}', size),
    "many names, the last twice": lambda size: _numbered("{", lambda n: f'"{n}":0', ',"1":0}', size),
    "a type of a long name": lambda size: _filled('{"resourceType":"', "Patient", '"}', size),
    "items without end": lambda size: _numbered(
        '{"resourceType":"Questionnaire","status":"draft","item":[',
        lambda n: f'{{"linkId":"{n}","type":"group"}}',
        "]}",
        size,
    ),
    "wrong names without end": lambda size: _filled(
        '{"resourceType":"Patient","name":[', '{"unheard":"of"},', '{"family":1}]}', size
    ),
    "narrative": lambda size: _filled(
        '{"resourceType":"Patient","text":{"status":"generated","div":"<div>', "<p>", '</div>"}}', size
    ),
    "entries without end": lambda size: _filled(
        '{"resourceType":"Bundle","type":"transaction","entry":[',
        '{"request":{"method":"DELETE","url":"Patient/1"}},',
        "{}]}",
        size,
    ),
    "a Bundle in a Bundle": lambda size: _filled(
        '{"resourceType":"Bundle","type":"transaction","entry":[',
        '{"resource":{"resourceType":"Bundle","entry":[',
        "",
        size,
    ),
    "bytes that are no UTF-8": lambda size: b'{"resourceType":"Patient","gender":"' + b"\xc0\x80" * (size // 2) + b'"}',
    "no JSON at the end": lambda size: _filled('{"resourceType":"Patient","gender":"', "x", '"', size),
    "spaces": lambda size: b" " * size,
    "more than may be sent": lambda _: b" " * (33 * MIB),
}


def _start(command: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdin=subprocess.PIPE, cwd=Path(__file__).parents[2])


@asynccontextmanager
async def _limited(
    desk: Desk, house: House, urls: Urls, now: datetime, *, seconds: int
) -> AsyncIterator[httpx.AsyncClient]:
    port = ports.free_port()
    told = {"app": urls.app, "system": urls.system, "keys": house.keys, "temporal": house.temporal}
    limits = {"port": port, "bytes": MEMORY, "seconds": seconds}
    command = [sys.executable, "-m", "tests.fhir.limited"]
    process = _start(command)
    try:
        assert process.stdin
        with process.stdin as line:
            line.write(json.dumps(told | limits).encode() + b"\n")

        async def answers() -> bool | None:
            assert process.poll() is None
            return await asyncio.to_thread(ports.answers, port) or None

        await until(answers, within=60)
        async with desk.state.database.transaction(desk.hospital) as tx:
            token = await accounts.issue_token(tx, "hostile", [], "system/*.cruds", now + timedelta(hours=1))
        base = f"http://127.0.0.1:{port}/fhir/{desk.hospital}"
        async with httpx.AsyncClient(
            base_url=base, headers={"Authorization": f"Bearer {token}"}, timeout=120
        ) as client:
            yield client
        assert process.poll() is None, "the server ended"
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 30)


async def _refused_and_alive(client: httpx.AsyncClient, size: int) -> None:
    before = (await client.get("/_history?_count=0")).json()["total"]
    for name, made in BODIES.items():
        body = made(size)
        path = "" if b'"Bundle"' in body[:100] else "/Questionnaire" if b"Questionnaire" in body[:100] else "/Patient"
        answer = await client.post(path, content=body, headers={"Content-Type": "application/fhir+json"})
        assert answer.status_code in {400, 413, 422}, (name, answer.status_code, answer.text[:300])
        said = answer.json()
        assert said["resourceType"] == "OperationOutcome", name
        assert said["issue"][0]["diagnostics"], name
        assert len(answer.content) < MIB, name
        assert (await client.get("/_history?_count=0")).json()["total"] == before, name


async def test_a_server_within_limits_refuses_them_and_lives(
    desk: Desk, house: House, urls: Urls, now: datetime
) -> None:
    async with _limited(desk, house, urls, now, seconds=60) as client:
        await _refused_and_alive(client, 2 * MIB)


@pytest.mark.long
async def test_a_server_within_limits_refuses_the_largest_too(
    desk: Desk, house: House, urls: Urls, now: datetime
) -> None:
    async with _limited(desk, house, urls, now, seconds=300) as client:
        await _refused_and_alive(client, 31 * MIB)
