"""Who comes in: tokens, sessions, forged forms, other hospitals, routes without a policy."""

from __future__ import annotations

from datetime import datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI

from api.app import PublicFiles, create_app
from api.deps import refuse_routes_without_policy
from domain.errors import Misconfigured
from domain.roles import Role
from store import accounts, audit
from tests.api.conftest import Bearer, SignIn
from tests.desk import Desk, a_key

GET_PATHS = ["/commands/worklist", "/commands/stays/1/journal", "/commands/some-key"]


@pytest.mark.parametrize("path", GET_PATHS)
@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer x", "Bearer nobody." + "a" * 43, "Basic YTpi"])
async def test_without_a_known_token_a_client_hears_401(
    client: httpx.AsyncClient, path: str, authorization: str
) -> None:
    answer = await client.get(path, headers={"Authorization": authorization})
    assert (answer.status_code, answer.json()["code"]) == (401, "not-signed-in")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_an_expired_token_opens_nothing(client: httpx.AsyncClient, desk: Desk, now: datetime) -> None:
    async with desk.state.database.transaction(desk.hospital) as tx:
        token = await accounts.issue_token(tx, "late", [Role.NURSE], "", now - timedelta(seconds=1))
    answer = await client.get("/commands/worklist", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


async def test_a_browser_is_led_to_sign_in_and_back(client: httpx.AsyncClient) -> None:
    answer = await client.get("/worklist?show=mine", headers={"Accept": "text/html"})
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/signin?next=%2Fworklist%3Fshow%3Dmine"
    part = await client.get("/worklist", headers={"HX-Request": "true"})
    assert part.headers["HX-Redirect"].startswith("/signin?next=")


async def test_a_refused_role_is_told_which_it_takes_and_the_attempt_is_noted(
    client: httpx.AsyncClient, bearer: Bearer, desk: Desk
) -> None:
    headers = await bearer(Role.HOUSEKEEPING) | {"Idempotency-Key": a_key(), "Accept-Language": "en"}
    body = {"patient": {"reference": "Patient/1"}, "ward": desk.ward}
    answer = await client.post("/commands/admissions", json=body, headers=headers)
    assert answer.status_code == 403
    assert answer.json()["params"]["roles"] == "admission-clerk,physician,receptionist"
    async with desk.state.database.transaction(desk.hospital) as tx:
        noted = (await audit.read(tx, 1))[0]
    assert (noted.outcome, noted.detail, noted.actor) == (
        "denied",
        "request-admission",
        f"housekeeping@{desk.hospital}",
    )


async def test_another_hospitals_stay_does_not_exist(
    client: httpx.AsyncClient, bearer: Bearer, desk: Desk, other_hospital: str
) -> None:
    asked = await desk.request(a_key())
    path = f"/commands/stays/{asked.answer['encounter'].partition('/')[2]}/journal"
    assert (await client.get(path, headers=await bearer(Role.NURSE))).status_code == 200
    answer = await client.get(path, headers=await bearer(Role.NURSE, hospital=other_hospital))
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


@pytest.mark.parametrize("account", ["bed-manager", "nobody"])
async def test_a_wrong_password_and_a_wrong_account_sound_the_same(
    client: httpx.AsyncClient, desk: Desk, accounts_made: str, account: str
) -> None:
    form = {"hospital": desk.hospital, "account": account, "password": "wrong", "language": "en"}
    answer = await client.post("/signin", data=form, headers={"Accept-Language": "en"})
    assert answer.status_code == 422
    assert "Account or password is not right." in answer.text
    assert "set-cookie" not in answer.headers


async def test_signing_in_out_and_a_failure_are_noted(
    client: httpx.AsyncClient, desk: Desk, accounts_made: str, sign_in: SignIn
) -> None:
    wrong = {"hospital": desk.hospital, "account": "bed-manager", "password": "wrong"}
    await client.post("/signin", data=wrong)
    csrf = await sign_in(Role.BED_MANAGER)
    assert (await client.post("/signout", data={"csrf": csrf})).headers["Location"] == "/signin"
    assert (await client.get("/worklist", headers={"Accept": "text/html"})).status_code == 303
    async with desk.state.database.transaction(desk.hospital) as tx:
        noted = [(line.action.value, line.outcome) for line in reversed(await audit.read(tx))]
    assert noted == [("login", "denied"), ("login", "allowed"), ("logout", "allowed")]


@pytest.mark.parametrize("address", ["https://elsewhere.example", "//elsewhere.example", "/\\elsewhere.example", "x"])
async def test_signing_in_leads_nowhere_else(
    client: httpx.AsyncClient, desk: Desk, accounts_made: str, address: str
) -> None:
    form = {"hospital": desk.hospital, "account": "bed-manager", "password": accounts_made, "next": address}
    assert (await client.post("/signin", data=form)).headers["Location"] == "/"


async def test_the_cookie_is_for_this_server_and_no_script(
    client: httpx.AsyncClient, desk: Desk, accounts_made: str
) -> None:
    form = {"hospital": desk.hospital, "account": "bed-manager", "password": accounts_made}
    answer = await client.post("/signin", data=form)
    cookie = next(value for value in answer.headers.get_list("set-cookie") if value.startswith("phis="))
    assert cookie.startswith(f"phis={desk.hospital}.")
    assert {"HttpOnly", "Path=/", "SameSite=lax"} <= {part.strip() for part in cookie.split(";")}


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a_form_from_another_site_is_refused(
    client: httpx.AsyncClient, sign_in: SignIn, headers: dict[str, str]
) -> None:
    csrf = await sign_in(Role.BED_MANAGER)
    assert (await client.post("/signout", data={"csrf": csrf}, headers=headers)).status_code == 403
    assert (await client.post("/language", data={"language": "en"}, headers=headers)).status_code == 403
    assert (await client.get("/worklist")).status_code == 200


@pytest.mark.parametrize("csrf", [None, "", "another"])
async def test_a_form_without_the_sessions_token_is_refused(
    client: httpx.AsyncClient, sign_in: SignIn, desk: Desk, csrf: str | None
) -> None:
    await sign_in(Role.BED_MANAGER)
    answer = await client.post("/signout", data={} if csrf is None else {"csrf": csrf})
    assert answer.status_code == 403
    async with desk.state.database.transaction(desk.hospital) as tx:
        assert (await audit.read(tx, 1))[0].outcome == "denied"


async def test_a_cookie_alone_sends_no_command(client: httpx.AsyncClient, sign_in: SignIn, desk: Desk) -> None:
    await sign_in(Role.PHYSICIAN)
    body = {"patient": {"reference": "Patient/1"}, "ward": desk.ward}
    answer = await client.post("/commands/admissions", json=body, headers={"Idempotency-Key": a_key()})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_the_server_does_not_start_with_a_route_that_has_no_policy(desk: Desk) -> None:
    app = create_app(desk.state)

    @app.get("/forgotten")
    async def forgotten() -> str:
        return "anybody"

    with pytest.raises(Misconfigured, match="/forgotten"):
        refuse_routes_without_policy(app.routes, PublicFiles)


def test_a_bare_application_declares_no_policy_either() -> None:
    with pytest.raises(Misconfigured, match="declares no policy"):
        refuse_routes_without_policy(FastAPI().routes, PublicFiles)
