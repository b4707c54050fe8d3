"""Administrators keep the accounts of their hospital, auditors look, and nobody helps themselves."""

from __future__ import annotations

import re
from urllib.parse import quote

import httpx
import pytest

from api.commands import accounts as commands
from domain.roles import Role
from store import accounts, audit, second_factors
from tests.api.conftest import Bearer
from tests.api.matrix.world import Pass, passes
from tests.desk import Desk, a_key

NURSE = {"name": "kim", "display_ko": "김간호", "display_en": "Kim Nurse", "roles": ["nurse"]}
READER = {"Accept": "text/html", "Accept-Language": "en"}
WHY = {"reason": "leaves at the end of the month"}


@pytest.fixture
def post(client: httpx.AsyncClient, bearer: Bearer):  # type: ignore[no-untyped-def]
    async def send(path: str, body: object = None, role: Role = Role.ADMINISTRATOR) -> httpx.Response:
        headers = await bearer(role) | {"Idempotency-Key": a_key()}
        return await client.post(f"/commands/accounts{path}", headers=headers, json=body)

    return send


async def details(desk: Desk) -> dict[str, str | None]:
    async with desk.state.database.transaction(desk.hospital) as tx:
        return {line.detail: line.actor for line in await audit.read(tx) if line.outcome == "allowed"}


async def test_an_account_is_made_and_its_person_chooses_the_password(
    client: httpx.AsyncClient, desk: Desk, post
) -> None:  # type: ignore[no-untyped-def]
    made = await post("", NURSE)
    name = f"kim@{desk.hospital}"
    assert (made.status_code, made.json()) == (201, {"account": name})
    link = (await post(f"/{name}/link")).json()["link"]
    client.cookies.clear()
    path = link.removeprefix(desk.state.public_url)
    assert (await client.get(path)).status_code == 200
    chosen = await client.post(path, data={"password": "a long horse of mine 77"})
    assert chosen.status_code == 303
    assert (await client.get("/account")).status_code == 200
    assert f"account/created:{name}" in await details(desk)
    assert f"account/link:{name}" in await details(desk)


async def test_a_link_ends_the_one_before_and_is_kept_nowhere(client: httpx.AsyncClient, desk: Desk, post) -> None:  # type: ignore[no-untyped-def]
    await post("", NURSE)
    first, second = [
        (await post(f"/kim@{desk.hospital}/link")).json()["link"].removeprefix(desk.state.public_url) for _ in range(2)
    ]
    assert (await client.get(first)).status_code == 404
    assert (await client.get(second)).status_code == 200


async def test_what_is_changed_ends_what_was_signed_in(client: httpx.AsyncClient, desk: Desk, post) -> None:  # type: ignore[no-untyped-def]
    await post("", NURSE)
    name = f"kim@{desk.hospital}"
    for path, body in (
        ("roles", {"roles": ["charge-nurse", "nurse"], **WHY}),
        ("sessions/end", WHY),
        ("reset", WHY),
        ("close", WHY),
    ):
        async with desk.state.database.transaction(desk.hospital) as tx:
            secret = await accounts.start_session(tx, name, desk.state.now(), proved=True)
        headers = {"Cookie": f"phis={secret}"}
        assert (await client.get("/account", headers=headers)).status_code == 200
        assert (await post(f"/{name}/{path}", body)).status_code == 200
        assert (await client.get("/account", headers=headers)).status_code == 401
    async with desk.state.database.transaction(desk.hospital) as tx:
        kim = await accounts.account(tx, name)
    assert (kim.disabled, kim.roles) == (True, {Role.NURSE, Role.CHARGE_NURSE})
    assert (await post(f"/{name}/open", WHY)).status_code == 200
    done = await details(desk)
    assert {f"account/{what}:{name}" for what in ("roles", "signed-out", "reset", "closed", "opened")} <= done.keys()


async def test_a_lost_telephone_is_forgotten_when_asked(desk: Desk, post) -> None:  # type: ignore[no-untyped-def]
    await post("", NURSE)
    name = f"kim@{desk.hospital}"
    async with desk.state.database.transaction(desk.hospital) as tx:
        await second_factors.offer(tx, name, "JBSWY3DPEHPK3PXP", desk.state.now())
        await second_factors.accept(tx, name, 1, desk.state.now())
    assert (await post(f"/{name}/reset", {"second_factor": True, **WHY})).status_code == 200
    async with desk.state.database.transaction(desk.hospital) as tx:
        assert await second_factors.of(tx, name) is None


@pytest.mark.parametrize("path", ["roles", "close", "reset", "sessions/end", "link"])
async def test_nobody_manages_their_own_account(desk: Desk, post, path: str) -> None:  # type: ignore[no-untyped-def]
    body = {"roles": ["auditor"], **WHY} if path == "roles" else None if path == "link" else WHY
    answer = await post(f"/administrator@{desk.hospital}/{path}", body)
    assert (answer.status_code, answer.json()["code"]) == (403, "own-account")


async def test_teeth_without_the_check_somebody_raises_themselves(
    desk: Desk, post, monkeypatch: pytest.MonkeyPatch, password_hash: str
) -> None:  # type: ignore[no-untyped-def]
    async with desk.state.database.transaction(desk.hospital) as tx:
        await accounts.create_account(
            tx, name=f"administrator@{desk.hospital}", display_ko="관리자", display_en="Admin",
            roles=[Role.ADMINISTRATOR], password_hash=password_hash,
        )  # fmt: skip
    monkeypatch.setattr(commands, "_refuse_own", lambda *_: None)
    answer = await post(f"/administrator@{desk.hospital}/roles", {"roles": ["auditor"], **WHY})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "Kim"}, "/name"),
        ({"name": "kim@elsewhere"}, "/name"),
        ({"roles": []}, "/roles"),
        ({"roles": ["surgeon"]}, "/roles"),
        ({"display_ko": " "}, "/display_ko"),
        ({"password": "x"}, "/password"),
    ],
)
async def test_what_is_wrong_with_a_new_account_is_named(post, change: dict[str, object], field: str) -> None:  # type: ignore[no-untyped-def]
    answer = await post("", NURSE | change)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].startswith(field)


async def test_a_name_is_given_once(post) -> None:  # type: ignore[no-untyped-def]
    assert (await post("", NURSE | {"external": "e1"})).status_code == 201
    again = await post("", NURSE)
    assert (again.status_code, again.json()["errors"][0]["field"]) == (422, "/name")
    other = await post("", NURSE | {"name": "lee", "external": "e1"})
    assert (other.status_code, other.json()["errors"][0]["field"]) == (422, "/external")


async def test_no_hash_leaves_the_house(client: httpx.AsyncClient, bearer: Bearer, accounts_made: str) -> None:
    answer = await client.get("/commands/accounts", headers=await bearer(Role.AUDITOR))
    assert len(answer.json()["accounts"]) == 5
    assert "argon2" not in answer.text


async def _administrator(desk: Desk, password_hash: str) -> Pass:
    async with desk.state.database.transaction(desk.hospital) as tx:
        await accounts.create_account(
            tx, name=f"administrator@{desk.hospital}", display_ko="관리자", display_en="Admin",
            roles=[Role.ADMINISTRATOR], password_hash=password_hash,
        )  # fmt: skip
    return (await passes(desk, Role.ADMINISTRATOR, 1))[0]


async def test_on_screen_an_administrator_makes_an_account_and_sees_its_link_once(
    client: httpx.AsyncClient, desk: Desk, password_hash: str
) -> None:
    own = await _administrator(desk, password_hash)
    headers = {"Cookie": f"phis={own.cookie}", "X-CSRF-Token": own.csrf} | READER
    body = {
        "key": a_key(),
        "name": "kim",
        "display_ko": "김간호",
        "display_en": "Kim Nurse",
        "role": ["nurse", "coder"],
    }
    made = await client.post("/admin/accounts/new", headers=headers, data=body)
    link = re.search(r"<code>[^<]*(/setup/[^<]+)</code>", made.text)
    assert made.status_code == 200
    assert link
    account = f"/admin/accounts/{quote(f'kim@{desk.hospital}', safe='@')}"
    shown = (await client.get(account, headers=headers)).text
    assert "Kim Nurse" in shown
    assert "/setup/" not in shown
    assert re.search(r'value="coder" checked', shown)
    wrong = await client.post(f"{account}/close", headers=headers, data={"key": a_key(), "reason": "x"})
    assert wrong.status_code == 422
    assert "Say why, in 3 to 500 signs." in wrong.text
    right = await client.post(f"{account}/close", headers=headers, data={"key": a_key(), "reason": "left us"})
    assert right.headers["location"].endswith("said=account-close")
    own_page = (await client.get(f"/admin/accounts/administrator@{desk.hospital}", headers=headers)).text
    assert "This is your own account." in own_page
    assert "<details" not in own_page
