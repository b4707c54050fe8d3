"""A program's keys may stand at an address of its own: asked where the installation allows, kept for a while."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from adapters.outgoing import Outgoing
from api.app import create_app
from store import clients
from tests.api.auth.test_token import EC, JWKS, RSA, Program
from tests.desk import Desk


@dataclass
class Publisher:
    """Somebody's server with a list of keys; `asked` counts who came, `says` is how it answers."""

    program: Program
    begun: datetime
    keys: Any = field(default_factory=lambda: {"keys": [RSA.as_dict(private=False)]})
    says: bytes = b"200 OK"
    asked: int = 0
    later: timedelta = timedelta()

    def now(self) -> datetime:
        return self.begun + self.later

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        body = json.dumps(self.keys).encode()
        writer.write(b"HTTP/1.1 " + self.says + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    async def opens(self, key: Any = RSA) -> bool:
        expires = int((self.now() + timedelta(minutes=4)).timestamp())
        answer = await self.program.ask(self.program.assertion(key, exp=expires))
        assert answer.status_code == 200 or answer.json()["error"] == "invalid_client"
        return answer.status_code == 200


@pytest.fixture
async def publisher(desk: Desk) -> AsyncIterator[Publisher]:
    id_ = f"{desk.hospital}.publisher"
    made = Publisher(Program(httpx.AsyncClient(), id_), datetime.now(UTC))
    server = await asyncio.start_server(made.answer, "127.0.0.1", 0)
    origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with desk.state.database.transaction(desk.hospital) as tx:
        await clients.register(
            tx, id_=id_, display="Publisher", keys=None, keys_url=f"{origin}/jwks.json",
            scope="system/Observation.rs", token_seconds=300, now=made.begun,
        )  # fmt: skip
    state = replace(desk.state, outgoing=Outgoing([origin]), now=made.now)
    transport = httpx.ASGITransport(create_app(state))
    async with server, httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        made.program.http = http
        yield made


async def test_published_keys_open_and_are_asked_for_once_in_ten_minutes(publisher: Publisher) -> None:
    assert await publisher.opens()
    publisher.later = timedelta(minutes=9)
    assert await publisher.opens()
    assert publisher.asked == 1
    publisher.later = timedelta(minutes=11)
    assert await publisher.opens()
    assert publisher.asked == 2


async def test_a_new_key_is_looked_for_and_a_taken_one_ends(publisher: Publisher) -> None:
    assert await publisher.opens()
    publisher.keys = {"keys": [EC.as_dict(private=False)]}
    publisher.later = timedelta(seconds=30)
    assert not await publisher.opens(EC), "a name that is not there asks again only a minute later"
    assert publisher.asked == 1
    publisher.later = timedelta(seconds=61)
    assert await publisher.opens(EC)
    assert not await publisher.opens(RSA), "what is not published any more opens nothing"
    assert publisher.asked == 2


@pytest.mark.parametrize(
    ("says", "published"),
    [
        (b"302 Found\r\nLocation: http://127.0.0.1:1/", JWKS),
        (b"500 Internal Server Error", JWKS),
        (b"200 OK", {"keys": [RSA.as_dict(private=True)]}),
        (b"200 OK", {"keys": "none"}),
        (b"200 OK", []),
    ],
    ids=["redirect", "error", "private keys", "no list", "no set"],
)
async def test_keys_that_cannot_be_had_open_nothing(publisher: Publisher, says: bytes, published: Any) -> None:
    publisher.says, publisher.keys = says, published
    assert not await publisher.opens()
    assert publisher.asked == 1


async def test_an_address_that_nobody_allowed_is_not_asked(publisher: Publisher, desk: Desk) -> None:
    state = replace(desk.state, outgoing=Outgoing(["keys.example.org"]), now=publisher.now)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(create_app(state)), base_url="http://127.0.0.1") as http:
        publisher.program.http = http
        assert not await publisher.opens()
    assert publisher.asked == 0
