"""A server that is asked too much says so at once, serves the others, and waits for nobody for ever."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from api import guards, pressure
from api.app import create_app
from api.pressure import Gate, Places
from domain.errors import Unavailable
from domain.roles import Role
from store import accounts, worklist
from store import database as database_module
from store.database import Database
from store.sealing import KeyRing
from tests.api.conftest import Bearer
from tests.conftest import Urls
from tests.desk import Desk

SOON = timedelta(milliseconds=50)
LATER = timedelta(seconds=60)
ONE, OTHER = (b"one", 2), (b"other", 2)


class Held:
    """Requests that stop where they ask for a list, until they are let go."""

    def __init__(self, m: pytest.MonkeyPatch) -> None:
        self.inside = 0
        self.go = asyncio.Event()
        self.came = asyncio.Condition()
        m.setattr(worklist, "for_person", self._wait)

    async def _wait(self, *_: Any, **__: Any) -> list[Any]:
        async with self.came:
            self.inside += 1
            self.came.notify_all()
        await self.go.wait()
        return []

    async def are(self, count: int) -> None:
        async with asyncio.timeout(20), self.came:
            await self.came.wait_for(lambda: self.inside >= count)


@asynccontextmanager
async def serving(desk: Desk, gate: Gate) -> AsyncIterator[Callable[[str], httpx.AsyncClient]]:
    """Clients at addresses of their own."""
    app = create_app(replace(desk.state, gate=gate))
    opened: list[httpx.AsyncClient] = []

    def at(address: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 50000))
        opened.append(httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1"))
        return opened[-1]

    yield at
    for client in opened:
        await client.aclose()


async def who_floods_waits_for_himself(desk: Desk, bearer: Bearer, m: pytest.MonkeyPatch) -> None:
    greedy, modest = await bearer(Role.BED_MANAGER), await bearer(Role.NURSE)
    held = Held(m)
    async with serving(desk, Gate(4, patience=SOON, whole=LATER)) as at:
        flood = [asyncio.create_task(at("192.0.2.1").get("/commands/worklist", headers=greedy)) for _ in range(12)]
        try:
            await held.are(2)
            refused, _ = await asyncio.wait(flood, timeout=20, return_when=asyncio.FIRST_COMPLETED)
            assert {task.result().status_code for task in refused} == {503}, "nobody was turned away"
            assert {task.result().headers.get("retry-after") for task in refused} == {"5"}
            assert held.inside == 2, "half of the places are one caller's"
            assert (await at("192.0.2.1").get("/livez")).status_code == 200
            assert (await at("192.0.2.1").get("/signin", headers={"Accept": "text/html"})).status_code == 200
            other = asyncio.create_task(at("192.0.2.2").get("/commands/worklist", headers=modest))
            await held.are(3)
            fhir = await at("192.0.2.1").get(f"/fhir/{desk.hospital}/Patient", headers=greedy)
            assert fhir.status_code == 503
            assert fhir.json()["issue"][0]["code"] == "transient"
            held.go.set()
            assert (await other).status_code == 200
            assert (await at("192.0.2.1").get("/commands/worklist", headers=greedy)).status_code == 200, "free again"
        finally:
            held.go.set()
            await asyncio.gather(*flood)


async def test_who_floods_waits_for_himself(desk: Desk, bearer: Bearer, monkeypatch: pytest.MonkeyPatch) -> None:
    await who_floods_waits_for_himself(desk, bearer, monkeypatch)


async def test_without_places_the_same_check_fails(desk: Desk, bearer: Bearer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Places, "_may", lambda *_: True)
    monkeypatch.setattr(Places, "_give", lambda *_: None)
    monkeypatch.setattr(Places, "leave", lambda *_: None)
    monkeypatch.setattr(asyncio, "wait", _hurried(asyncio.wait))
    with pytest.raises(AssertionError):
        await who_floods_waits_for_himself(desk, bearer, monkeypatch)


def _hurried(wait: Any) -> Any:
    async def hurried(tasks: Any, **more: Any) -> Any:
        return await wait(tasks, **{**more, "timeout": 1})

    return hurried


async def test_a_line_has_an_end_and_nobody_who_left_it_keeps_a_place() -> None:
    places = Places(1, 2)
    await places.take([ONE], 0)
    waiting = [asyncio.create_task(places.take([who], 60)) for who in (ONE, OTHER)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await asyncio.wait_for(places.take([(b"third", 2)], 60), 5)
    places.leave([ONE])
    await waiting[0]
    waiting[1].cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    places.leave([ONE])
    await places.take([OTHER], 0)


async def test_a_place_that_is_given_to_who_just_left_is_not_lost() -> None:
    places = Places(1, 4)
    await places.take([ONE], 0)
    leaving = asyncio.create_task(places.take([OTHER], 60))
    await asyncio.sleep(0)
    places.leave([ONE])
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    await places.take([ONE], 0)


async def test_the_front_of_the_line_is_passed_over_for_who_may(desk: Desk) -> None:
    places = Places(2, 4)
    await places.take([(b"one", 1)], 0)
    await places.take([OTHER], 0)
    same, third = (asyncio.create_task(places.take([who], 60)) for who in ((b"one", 1), (b"third", 1)))
    await asyncio.sleep(0)
    places.leave([OTHER])
    await third
    assert not same.done()
    places.leave([(b"one", 1)])
    await same


async def an_answer_that_never_comes_is_given_up(desk: Desk, bearer: Bearer, m: pytest.MonkeyPatch) -> None:
    headers = await bearer(Role.BED_MANAGER)
    Held(m)
    async with serving(desk, Gate(whole=SOON)) as at, asyncio.timeout(5):
        answer = await at("192.0.2.1").get("/commands/worklist", headers=headers)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


async def test_an_answer_that_never_comes_is_given_up(
    desk: Desk, bearer: Bearer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await an_answer_that_never_comes_is_given_up(desk, bearer, monkeypatch)


async def test_without_a_limit_it_is_waited_for(desk: Desk, bearer: Bearer, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = await bearer(Role.BED_MANAGER)
    Held(monkeypatch)
    with pytest.raises(TimeoutError):
        async with serving(desk, Gate(whole=LATER)) as at, asyncio.timeout(1):
            await at("192.0.2.1").get("/commands/worklist", headers=headers)


async def _drip() -> AsyncIterator[bytes]:
    yield b"{"
    await asyncio.Event().wait()


@pytest.mark.parametrize("path", ["/commands/admissions", "/fhir/{hospital}/Patient"])
async def test_a_body_that_never_ends_is_given_up(desk: Desk, bearer: Bearer, path: str, now: Any) -> None:

    async with desk.state.database.transaction(desk.hospital) as tx:
        token = await accounts.issue_token(tx, "x", [Role.PHYSICIAN], "system/*.cruds", now + timedelta(hours=1))
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Idempotency-Key": "k"}
    async with serving(desk, Gate(body=SOON)) as at, asyncio.timeout(20):
        answer = await at("192.0.2.1").post(path.format(hospital=desk.hospital), headers=headers, content=_drip())
    assert (answer.status_code, answer.headers["connection"]) == (408, "close"), answer.text


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"headers": {"Content-Encoding": "gzip"}, "method": "POST"}, 415),
        ({"headers": {"Content-Encoding": "br, deflate"}, "method": "POST"}, 415),
        ({"headers": {"Content-Type": "multipart/form-data; boundary=x"}, "method": "POST"}, 415),
        ({"headers": {f"x-{number}": "1" for number in range(200)}}, 431),
        ({"headers": {"x-long": "a" * 40_000}}, 431),
        ({"headers": {"cookie": "; ".join(f"c{number}=1" for number in range(10_000))}}, 431),
        ({"url": "/signin?" + "a=b&" * 16_000}, 414),
        ({"url": "/" + "a" * 3_000}, 414),
    ],
    ids=["packed", "packed twice", "files", "headers", "long header", "cookies", "query", "path"],
)
async def test_a_head_has_limits(client: httpx.AsyncClient, more: dict[str, Any], status: int) -> None:
    answer = await client.request(more.get("method", "GET"), more.get("url", "/signin"), headers=more.get("headers"))
    assert answer.status_code == status
    assert json.loads(answer.text)["status"] == status


async def test_without_the_limits_a_long_head_is_read(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guards, "refuse_head", lambda _: None)
    assert (await client.get("/signin", headers={"x-long": "a" * 40_000})).status_code == 200


async def signing_in_needs_no_place_of_others(urls: Urls, keys: KeyRing, desk: Desk, bearer: Bearer) -> None:
    """Every connection is held by searches; the way in has its own."""
    headers, html = await bearer(Role.NURSE), {"Accept": "text/html"}
    form = {"hospital": desk.hospital, "account": "nobody", "password": "wrong", "language": "en"}
    wait = timedelta(milliseconds=300)
    async with (
        Database.open(urls.app, urls.system, keys, app_size=1, wait=wait) as small,
        small.transaction(desk.hospital) as tx,
    ):
        await tx.one("select 1")
        crowded = Desk(replace(desk.state, database=small), desk.hospital, desk.ward, desk.beds)
        async with serving(crowded, Gate()) as at:
            page = await at("192.0.2.1").get("/signin", headers=html)
            sent = await at("192.0.2.1").post("/signin", data=form, headers=html)
            other = await at("192.0.2.1").get("/commands/worklist", headers=headers)
            ready = (await at("192.0.2.1").get("/readyz")).json()
    assert (page.status_code, other.status_code, ready["parts"]["database"]) == (200, 503, "ok")
    assert sent.status_code < 500, sent.text


async def test_signing_in_needs_no_place_of_others(urls: Urls, keys: KeyRing, desk: Desk, bearer: Bearer) -> None:
    await signing_in_needs_no_place_of_others(urls, keys, desk, bearer)


async def test_without_connections_of_its_own_signing_in_would_wait(
    urls: Urls, keys: KeyRing, desk: Desk, bearer: Bearer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pressure, "is_first", lambda _: False)
    with pytest.raises(AssertionError):
        await signing_in_needs_no_place_of_others(urls, keys, desk, bearer)


async def test_a_line_for_connections_has_an_end(
    urls: Urls, keys: KeyRing, hospital: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "_LINE", 1)

    async def another(small: Database) -> None:
        async with small.transaction(hospital) as waiting:
            await waiting.one("select 1")

    async with Database.open(urls.app, urls.system, keys, app_size=1, wait=timedelta(seconds=60)) as small:
        async with small.transaction(hospital) as tx:
            await tx.one("select 1")
            first = asyncio.create_task(another(small))
            await asyncio.sleep(0)
            with pytest.raises(Unavailable):
                await asyncio.wait_for(another(small), 10)
        await first
