"""A connection that is slow to say what it wants, or says too much before it, is closed with a reason."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from runtime import sockets
from runtime.sockets import Protocol
from tests.waiting import until

pytestmark = pytest.mark.sockets


async def well(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@asynccontextmanager
async def server(protocol: type[HttpToolsProtocol]) -> AsyncIterator[int]:
    config = uvicorn.Config(well, port=0, http=protocol, ws="none", lifespan="off", log_config=None, access_log=False)
    running = uvicorn.Server(config)
    task = asyncio.create_task(running._serve())

    async def started() -> bool | None:
        return running.started or None

    await until(started)
    yield running.servers[0].sockets[0].getsockname()[1]
    running.should_exit = True
    await task


async def said(port: int, *parts: bytes) -> bytes:
    """What comes back until the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await writer.drain()
    try:
        async with asyncio.timeout(5):
            return await reader.read()
    except ConnectionError:
        return b"closed"
    finally:
        writer.close()


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Protocol, "head_seconds", 0.1)


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("start", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "])
async def test_a_head_that_does_not_come_is_not_waited_for(start: bytes) -> None:
    async with server(Protocol) as port:
        assert (await said(port, start)).startswith(b"HTTP/1.1 408 ")


async def test_uvicorns_own_would_wait() -> None:
    async with server(HttpToolsProtocol) as port:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await said(port, b"GET / HT")


@pytest.mark.usefixtures("hurried")
async def test_the_second_request_of_a_connection_is_not_waited_for_either() -> None:
    async with server(Protocol) as port:
        answer = await said(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HTTP/1.1\r\nHo")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in answer


@pytest.mark.usefixtures("hurried")
async def test_who_has_said_what_he_wants_may_take_his_time_with_the_body() -> None:
    async with server(Protocol) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\na")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await reader.read(1)
        writer.write(b"b")
        assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
        writer.close()


async def test_a_head_without_end_is_cut_off() -> None:
    line = b"X-A: " + b"a" * 1000 + b"\r\n"
    async with server(Protocol) as port:
        answer = await said(port, b"GET / HTTP/1.1\r\nHost: x\r\n", *[line * 40] * (sockets.LARGEST_HEAD // 40_000 + 4))
    assert answer.startswith(b"HTTP/1.1 431 ") or answer == b"closed"


@pytest.mark.parametrize("nonsense", [b"\x16\x03\x01\x02\x00", b"GET / HTTP/9.9\r\n\r\n", b"A B C D\r\n\r\n"])
async def test_what_is_no_http_is_refused_with_headers_that_bind_browsers(nonsense: bytes) -> None:
    async with server(Protocol) as port:
        answer = await said(port, nonsense)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"x-content-type-options: nosniff" in answer
    assert b"content-security-policy: default-src 'none'" in answer
