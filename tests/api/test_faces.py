"""What people and programs hear when something is refused or fails, and what surrounds every answer."""

from __future__ import annotations

import re

import httpx
import pytest
from fastapi import FastAPI, Request
from structlog.testing import capture_logs

from api.deps import public
from api.refusals import Shown, refusal_of
from api.ui.words import Language, words
from domain.errors import AlreadyClaimed, NotOwner, SealBroken, Unavailable
from domain.roles import Role
from tests.api.conftest import Bearer, SignIn
from tests.desk import Desk, a_key


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not-found"),
        ("DELETE", "/commands/worklist", 405, "method-not-allowed"),
        ("POST", "/livez", 405, "method-not-allowed"),
    ],
)
async def test_what_no_route_takes_is_a_problem_for_clients(
    client: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, answer.json()["code"], answer.json()["status"]) == (status, code, status)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_what_no_route_takes_is_a_page_for_people(client: httpx.AsyncClient) -> None:
    answer = await client.get("/nowhere", headers={"Accept": "text/html", "Accept-Language": "en"})
    assert answer.status_code == 404
    assert "<h1>There is no such thing here</h1>" in answer.text


async def test_a_problem_speaks_the_readers_language(client: httpx.AsyncClient) -> None:
    korean = await client.get("/commands/worklist")
    english = await client.get("/commands/worklist", headers={"Accept-Language": "fr, en;q=0.5"})
    assert korean.json()["title"] == "로그인이 필요합니다"
    assert english.json()["title"] == "Nobody is signed in"


@pytest.mark.parametrize("key", ["", "with space", "한글", "x" * 81])
async def test_a_command_needs_a_key_of_visible_letters(
    client: httpx.AsyncClient, bearer: Bearer, desk: Desk, key: str
) -> None:
    headers = [(name.encode(), value.encode()) for name, value in (await bearer(Role.PHYSICIAN)).items()]
    body = {"patient": {"reference": "Patient/1"}, "ward": desk.ward}
    sent = [*headers, (b"Idempotency-Key", key.encode())]
    answer = await client.post("/commands/admissions", json=body, headers=sent)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "Idempotency-Key")


async def test_the_same_key_with_another_body_is_refused(client: httpx.AsyncClient, bearer: Bearer, desk: Desk) -> None:
    headers = await bearer(Role.PHYSICIAN) | {"Idempotency-Key": a_key()}
    new = {"name": "홍시험", "birth_date": "1961-04-05", "gender": "female"}
    body = {"patient": {"register": new}, "ward": desk.ward}
    first = await client.post("/commands/admissions", json=body, headers=headers)
    again = await client.post("/commands/admissions", json=body, headers=headers)
    other = await client.post("/commands/admissions", json=body | {"priority": "stat"}, headers=headers)
    assert (first.status_code, again.json()) == (201, first.json())
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


async def test_a_body_that_is_no_json_is_refused(client: httpx.AsyncClient, bearer: Bearer) -> None:
    headers = await bearer(Role.PHYSICIAN) | {"Idempotency-Key": a_key(), "Content-Type": "application/json"}
    answer = await client.post("/commands/admissions", content=b'{"patient": ', headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


async def test_a_body_that_is_too_large_is_refused(client: httpx.AsyncClient, bearer: Bearer, desk: Desk) -> None:
    headers = await bearer(Role.PHYSICIAN) | {"Idempotency-Key": a_key(), "Content-Type": "application/json"}
    answer = await client.post("/commands/admissions", content=b" " * (desk.state.largest_request + 1), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


async def test_an_unexpected_failure_tells_a_number_and_nothing_else(app: FastAPI, client: httpx.AsyncClient) -> None:
    @app.get("/broken", dependencies=[public])
    async def broken(request: Request) -> None:
        raise ValueError("홍길동 800101-1234567")

    with capture_logs() as logs:
        answer = await client.get("/broken", headers={"Accept-Language": "en"})
    assert (answer.status_code, answer.json()["code"]) == (500, "error")
    number = re.fullmatch("Number: ([0-9a-f]{12})", answer.json()["detail"])
    assert number is not None
    assert [(line["log_id"], line["error"]) for line in logs] == [(number[1], "ValueError")]
    assert "홍길동" not in answer.text + str(logs)


@pytest.mark.parametrize("path", ["/signin", "/nowhere", "/livez", "/commands/worklist", "/static/tokens.css"])
async def test_every_answer_is_guarded(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path, headers={"Accept": "text/html"})).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"


async def test_scripts_carry_the_answers_own_nonce(client: httpx.AsyncClient) -> None:
    first, second = await client.get("/signin"), await client.get("/signin")
    nonces = {re.findall("nonce-([^']+)", one.headers["Content-Security-Policy"])[0] for one in (first, second)}
    assert len(nonces) == 2
    assert set(re.findall('<script nonce="([^"]+)"', first.text)) <= nonces
    assert re.findall("<script(?! nonce)|style=| on[a-z]+=", first.text) == []


@pytest.mark.parametrize("language", Language)
def test_a_refusal_names_who_when_and_what_to_do_instead(language: Language) -> None:
    error = AlreadyClaimed("", by="nurse@hanbit", at="2026-11-24T05:00:00+00:00")
    said = refusal_of(error, Shown(words(language), names={"nurse@hanbit": "김간호"}))
    assert "김간호" in said.title
    assert "14:00" in said.detail  # Asia/Seoul
    assert "김간호" in said.advice


@pytest.mark.parametrize("language", Language)
def test_a_refusal_without_a_name_speaks_of_somebody_or_leaves_the_sentence_out(language: Language) -> None:
    said = refusal_of(NotOwner(), Shown(words(language)))
    assert "{" not in said.title + said.detail + said.advice


def test_what_comes_back_by_itself_and_what_is_ours_to_mend_are_told_apart() -> None:
    shown = Shown(words(Language.EN))
    assert refusal_of(Unavailable(part="database"), shown).status == 503
    assert refusal_of(SealBroken(), shown).status == 500


async def test_a_refused_part_stands_in_the_notice_of_the_page(client: httpx.AsyncClient, sign_in: SignIn) -> None:
    csrf = await sign_in(Role.BED_MANAGER)
    answer = await client.post(
        "/worklist/unknown/claim", data={"csrf": csrf, "revision": "1"}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 404
    assert answer.text.startswith('<div class="notice"') or 'class="notice"' in answer.text
    assert "<html" not in answer.text
