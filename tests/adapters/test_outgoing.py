"""Calls to other systems go where the installation allows, and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from adapters.outgoing import Outgoing
from domain.errors import Forbidden, Unavailable

ALLOWED = ["sso.example.org", "keys.example.org:8443", "http://127.0.0.1:9000"]


@pytest.mark.parametrize(
    "url",
    [
        "https://sso.example.org/keys",
        "https://SSO.example.org/keys",
        "https://keys.example.org:8443/keys",
        "http://127.0.0.1:9000/keys",
    ],
)
def test_a_named_host_may_be_asked(url: str) -> None:
    Outgoing(ALLOWED).refuse_elsewhere(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://sso.example.org/keys",
        "https://sso.example.org:8443/keys",
        "https://keys.example.org/keys",
        "https://elsewhere.example/sso.example.org",
        "https://sso.example.org.elsewhere.example/",
        "https://sso.example.org@elsewhere.example/",
        "https://user:word@sso.example.org/keys",
        "https://elsewhere.example\\@sso.example.org/",
        "http://127.0.0.1:9001/",
        "https://127.0.0.1:9000/",
        "file:///etc/passwd",
        "gopher://sso.example.org/",
        "https://[::1/",
        "",
    ],
)
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(Forbidden):
        Outgoing(ALLOWED).refuse_elsewhere(url)


@asynccontextmanager
async def answering(head: bytes, body: bytes = b"") -> AsyncIterator[tuple[Outgoing, str]]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 " + head + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield Outgoing([f"http://127.0.0.1:{port}"]), f"http://127.0.0.1:{port}/keys"


async def test_an_answer_is_read() -> None:
    async with answering(b"200 OK", b'{"keys": []}') as (outgoing, url):
        assert await outgoing.get_json(url) == {"keys": []}


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"302 Found\r\nLocation: http://127.0.0.1:1/", b""),
        (b"404 Not Found", b"{}"),
        (b"200 OK", b"no json"),
        (b"200 OK", b"[" * 100_000),
        (b"200 OK", b'"' + b"x" * 300_000 + b'"'),
    ],
    ids=["redirect", "refused", "no json", "deep", "large"],
)
async def test_an_answer_that_is_none_is_an_outage(head: bytes, body: bytes) -> None:
    async with answering(head, body) as (outgoing, url):
        with pytest.raises(Unavailable):
            await outgoing.get_json(url)


async def test_a_name_that_leads_to_a_clouds_own_services_is_not_asked() -> None:
    with pytest.raises(Forbidden):
        await Outgoing(["169.254.169.254"]).get_json("https://169.254.169.254/latest/meta-data")


async def test_a_name_that_changes_its_mind_is_called_where_it_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: harmless while it is looked at, a cloud's own services when it is called."""
    async with answering(b"200 OK", b'{"keys": []}') as (_, url):
        port = url.rsplit(":", 1)[1].partition("/")[0]
        loop = asyncio.get_running_loop()
        real, asked = loop.getaddrinfo, []

        async def rebinding(host: str, *args: Any, **more: Any) -> Any:
            asked.append(host)
            first = host == "sso.example.org" and asked.count(host) == 1
            return await real("127.0.0.1" if first or host == "127.0.0.1" else "169.254.169.254", *args, **more)

        monkeypatch.setattr(loop, "getaddrinfo", rebinding)
        outgoing = Outgoing([f"http://sso.example.org:{port}"])
        assert await outgoing.get_json(f"http://sso.example.org:{port}/keys") == {"keys": []}
        assert asked.count("sso.example.org") == 1
