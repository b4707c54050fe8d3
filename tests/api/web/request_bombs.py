"""Bombs in what stands around a body: heads, addresses, forms."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from api.guards import Guards, Limits, refuse_head
from api.pressure import Gate
from domain.errors import Unavailable
from tests.api.web.bomb import KIB, Bomb


def _scope(headers: list[tuple[bytes, bytes]], **more: Any) -> dict[str, Any]:
    return {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers} | more


def heads() -> Iterator[Bomb]:
    made: dict[str, dict[str, Any]] = {
        "headers": _scope([(b"x-%d" % number, b"1") for number in range(20_000)]),
        "a long header": _scope([(b"x", b"a" * 500_000)]),
        "a long name": _scope([(b"x" * 500_000, b"a")]),
        "cookies": _scope([(b"cookie", b"; ".join(b"c%d=1" % number for number in range(50_000)))]),
        "a long cookie": _scope([(b"cookie", b"phis=" + b"a" * 500_000)]),
        "many cookie headers": _scope([(b"cookie", b"a=1")] * 5_000),
        "languages": _scope([(b"accept-language", b"ko;q=0.1," * 50_000)]),
        "accepted": _scope([(b"accept", b"text/html;q=0.1," * 50_000)]),
        "ranges": _scope([(b"range", b"bytes=" + b"0-1," * 50_000)]),
        "forwarded": _scope([(b"x-forwarded-for", b"10.0.0.1," * 50_000)]),
        "a long query": _scope([], query_string=b"a" * 500_000),
        "a long path": _scope([], path="/" + "a" * 500_000),
        "a deep path": _scope([], path="/a" * 100_000),
    }
    for name, scope in made.items():
        yield Bomb("head", name, partial(refuse_head, scope))


def forms() -> Iterator[Bomb]:
    edge = b"--x\r\nContent-Disposition: form-data; name="
    multipart = {
        "parts": (edge + b'"a"\r\n\r\n1\r\n') * 5_000 + b"--x--",
        "files": (edge + b'"a"; filename="a"\r\n\r\n1\r\n') * 5_000 + b"--x--",
        "headers of a part": b"--x\r\n" + b"X-A: 1\r\n" * 50_000 + b"\r\n1\r\n--x--",
        "a long header of a part": b"--x\r\nX-A: " + b"a" * 500_000 + b"\r\n\r\n1\r\n--x--",
        "no end": edge + b'"a"\r\n\r\n' + b"a" * 500_000,
        "edges without end": b"--x\r\n" * 100_000,
        "hyphens": b"-" * 500_000,
    }
    urlencoded = {
        "fields": b"&".join(b"f%d=1" % number for number in range(50_000)),
        "ampersands": b"&" * 500_000,
        "per cents": b"a=" + b"%" * 500_000,
        "a long name": b"a" * 500_000 + b"=1",
        "escapes": b"a=" + b"%00" * 150_000,
    }

    def go(content_type: bytes, body: bytes) -> None:
        status = asyncio.run(_status_of_form(content_type, body))
        if status != HTTPStatus.OK:
            raise HTTPException(status)

    for name, body in multipart.items():
        yield Bomb("form", f"multipart: {name}", partial(go, b"multipart/form-data; boundary=x", body))
    for name, body in urlencoded.items():
        for size in (16 * KIB, 60 * KIB, len(body)):
            cut = partial(go, b"application/x-www-form-urlencoded", body[:size])
            yield Bomb("form", f"fields: {name}, {size // KIB} KiB", cut)


class _Faceless(Limits):
    """Says the bare status, as there is no house around it that knows a language."""

    async def refused(self, scope: Scope, receive: Receive, error: Unavailable | HTTPException) -> Response:
        return Response(status_code=getattr(error, "status_code", 503))


async def _status_of_form(content_type: bytes, body: bytes) -> int:
    """A form as it comes through what surrounds every request, to a route that reads it."""
    parts = [body[at : at + 64 * KIB] for at in range(0, len(body), 64 * KIB)]
    statuses: list[int] = []

    async def receive() -> Message:
        part = parts.pop(0) if parts else b""
        return {"type": "http.request", "body": part, "more_body": bool(parts)}

    async def send(message: Message) -> None:
        statuses.append(message.get("status", 0))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async with Request(scope, receive).form() as form:
            await Response(str(len(form)))(scope, receive, send)

    house = Guards(_Faceless(app, gate=Gate()), secure=True, largest=2 * KIB * KIB)
    await house(_scope([(b"content-type", content_type)], app=None), receive, send)
    return statuses[0]
