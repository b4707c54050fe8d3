"""Every answer of every address tells browsers what they may do with it: pages, JSON, FHIR, files, errors, streams."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

import httpx
import pytest

from api import guards
from api.app import create_app, routes
from api.fhir import server as fhir_server
from domain.roles import Role
from tests.api.conftest import Bearer
from tests.desk import Desk

ASKERS = ({"Accept": "text/html"}, {"Accept": "application/json"}, {"HX-Request": "true"})
FHIR = (
    "metadata",
    "Patient",
    "Patient/none",
    "$export",
    "_history",
    ".well-known/smart-configuration",
    "Nothing/at/all/",
)
BESIDE = (
    "/nothing",
    "/static/",
    "/static/nothing.css",
    "/static/phis.css",
    "/fhir/",
    "/fhir/none/Patient",
    "//",
    "/%00",
)
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "UNHEARD")


@pytest.fixture
async def secure(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    """The application as behind TLS."""
    desk.state.events.close()  # streams end at once
    state = replace(desk.state, secure_cookies=True, public_url="https://phis.example.org")
    transport = httpx.ASGITransport(create_app(state), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="https://phis.example.org") as opened:
        yield opened


def wanting(answer: httpx.Response) -> list[str]:
    """What the answer does not tell a browser, or allows it."""
    said = answer.headers
    policy = said.get("content-security-policy", "")
    wants = {
        "nosniff": said.get("x-content-type-options") == "nosniff",
        "framed": "frame-ancestors 'none'" in policy,
        "nothing from elsewhere": "default-src 'none'" in policy,
        "inline": "unsafe-" not in policy and not re.search(r"script-src(?! 'nonce-[\w-]{22}')", policy),
        "TLS": said.get("strict-transport-security", "").startswith("max-age=63072000"),
        "address": said.get("referrer-policy") == "same-origin",
        "kept": "cache-control" in said,
        "once": all(len(said.get_list(name)) == 1 for name in ("content-security-policy", "x-content-type-options")),
    }
    return [name for name, fine in wants.items() if not fine]


def _addresses() -> list[tuple[str, str]]:
    own = [(method, re.sub(r"\{\w+\}", "x1", path)) for method, path in routes()]
    beside = [(method, path) for path in BESIDE for method in METHODS]
    return [*own, *beside]


async def every_answer_is_guarded(client: httpx.AsyncClient, desk: Desk, bearer: Bearer) -> None:
    signed_in = await bearer(*Role)
    fhir = [(method, f"/fhir/{desk.hospital}/{path}") for path in FHIR for method in METHODS]
    seen = set()
    for method, path in [*_addresses(), *fhir]:
        for headers in (*({**asker} for asker in ASKERS), {**ASKERS[1], **signed_in}):
            answer = await client.request(method, path, headers=headers)
            assert wanting(answer) == [], (method, path, headers.get("Accept"), answer.status_code)
            seen.add(answer.status_code)
    assert {200, 303, 401, 404, 405, 422} <= seen
    assert 500 not in seen


async def test_every_answer_is_guarded(secure: httpx.AsyncClient, desk: Desk, bearer: Bearer) -> None:
    await every_answer_is_guarded(secure, desk, bearer)


async def test_a_defect_is_guarded_too(secure: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr("api.ui.pages.render", broken)
    monkeypatch.setattr("api.fhir.server.address_of", broken)
    for path, headers in (("/livez?", ASKERS[1]), ("/signin", ASKERS[1]), ("/fhir/x/Patient", ASKERS[1])):
        answer = await secure.get(path, headers=headers)
        assert wanting(answer) == [], path
        assert "on purpose" not in answer.text
    assert (await secure.get("/signin", headers=ASKERS[1])).status_code == 500


async def test_a_nonce_is_good_for_one_answer(secure: httpx.AsyncClient) -> None:
    policies = {(await secure.get("/signin")).headers["content-security-policy"] for _ in range(20)}
    assert len(policies) == 20


def _without(header: str) -> Callable[[pytest.MonkeyPatch], None]:
    def off(m: pytest.MonkeyPatch) -> None:
        m.setattr(guards, "_FIXED", {name: each for name, each in guards._FIXED.items() if name.lower() != header})
        m.setattr(fhir_server, "_ALWAYS", [each for each in fhir_server._ALWAYS if each[0] != header.encode()])

    return off


OFF: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "nosniff": _without("x-content-type-options"),
    "address": _without("referrer-policy"),
    "framed": lambda m: m.setattr(guards, "content_security_policy", lambda _: "default-src 'none'"),
    "inline": lambda m: m.setattr(
        guards,
        "content_security_policy",
        lambda _: "default-src 'none'; frame-ancestors 'none'; script-src 'unsafe-inline'",
    ),
}


@pytest.mark.parametrize("name", OFF)
async def test_switched_off_the_same_check_fails(
    desk: Desk, bearer: Bearer, monkeypatch: pytest.MonkeyPatch, secure: httpx.AsyncClient, name: str
) -> None:
    OFF[name](monkeypatch)
    with pytest.raises(AssertionError, match=name):
        await every_answer_is_guarded(secure, desk, bearer)


async def test_without_tls_browsers_are_not_told_to_insist_on_it(client: httpx.AsyncClient) -> None:
    assert wanting(await client.get("/signin")) == ["TLS"]
