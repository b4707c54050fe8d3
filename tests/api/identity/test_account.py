"""The first sign-in, a second factor from its picture to its recovery codes, and one's own sessions."""

from __future__ import annotations

import re

import httpx

from domain.roles import Role
from store import accounts
from tests.api.conftest import PASSWORD
from tests.api.identity.world import ELSEWHERE, STRONG, World, csrf_of


def secret_of(page: str) -> str:
    """The secret that people may type instead of reading the picture."""
    found = re.search(r'class="secret"><code>([A-Z2-7 ]+)</code>', page)
    assert found, page
    return found[1].replace(" ", "")


async def test_a_password_that_was_not_chosen_is_replaced_before_anything_opens(world: World) -> None:
    name = await world.person()
    async with world.desk.state.database.transaction(world.hospital) as tx:
        await accounts.must_change_password(tx, name)
    browser = world.browser()
    assert (await world.sign_in(browser)).headers["Location"] == "/signin/next"
    assert not await world.is_in(browser)
    for refused in (PASSWORD, "short", "quarrel-of-Boan-and-orchid"):
        answer = await world.post(browser, "/signin/password", "/signin/next", password=refused)
        assert answer.status_code == 422, refused
    answer = await world.post(browser, "/signin/password", "/signin/next", password=STRONG)
    assert answer.status_code == 303
    assert await world.is_in(browser)
    assert (await world.sign_in(world.browser())).status_code == 422
    assert ("execute", "allowed", "password/changed") in await world.noted()


async def test_a_second_factor_is_set_up_and_asked_for_from_then_on(world: World) -> None:
    await world.person(Role.ADMINISTRATOR)
    browser = world.browser()
    await world.sign_in(browser)
    page = (await browser.get("/signin/next")).text
    secret = secret_of(page)
    assert 'src="data:image/svg+xml' in page
    assert secret_of((await browser.get("/signin/next")).text) == secret  # shown again, it is the same
    assert (await world.post(browser, "/signin/second-factor", "/signin/next", code="000000")).status_code == 422
    answer = await world.post(browser, "/signin/second-factor", "/signin/next", code=world.code(secret))
    shown = re.findall(r"<code>([a-z2-7]{4}(?:-[a-z2-7]{4}){3})</code>", answer.text)
    assert (answer.status_code, len(shown)) == (200, 10)
    assert await world.is_in(browser)
    assert ("execute", "allowed", "second-factor/confirmed") in await world.noted()
    second = world.browser(ELSEWHERE)
    await world.sign_in(second)
    assert (await world.post(second, "/signin/code", "/signin/next", code=shown[3])).status_code == 303
    assert "9 recovery codes are left" in (await second.get("/account")).text


async def test_a_second_factor_is_changed_with_a_fresh_proof_only(world: World) -> None:
    name = await world.person()
    secret = await world.with_factor(name)
    browser, other = world.browser(), world.browser(ELSEWHERE)
    for one in (browser, other):
        await world.sign_in(one)
        world.clock.move(seconds=30)
        await world.post(one, "/signin/code", "/signin/next", code=world.code(secret))
    world.clock.move(minutes=11)
    refused = await world.post(browser, "/account/second-factor/remove")
    assert refused.status_code == 401
    await world.post(browser, "/step-up", proof=world.code(secret))
    assert (await world.post(browser, "/account/second-factor/remove")).status_code == 303
    assert not await world.is_in(other)
    assert (await world.sign_in(world.browser())).headers["Location"] == "/"


async def test_one_s_sessions_are_shown_and_ended(world: World) -> None:
    await world.person()
    mine, left_open = await world.signed_in(world.browser()), await world.signed_in(world.browser(ELSEWHERE))
    page = (await mine.get("/account")).text
    ends = re.findall(r'action="(/account/sessions/[0-9a-f]{16}/end)"', page)
    assert len(ends) == 2
    assert ELSEWHERE in page
    assert (await world.post(mine, "/account/sessions/0000000000000000/end")).status_code == 404
    await world.person(local="lee")
    lee = await world.signed_in(world.browser(), "lee")
    assert (await world.post(lee, ends[0])).status_code == 404  # somebody else's
    assert (await world.post(mine, "/account/sessions/end")).status_code == 303
    assert [await world.is_in(one) for one in (mine, left_open, lee)] == [True, False, True]
    own = re.findall(r'action="(/account/sessions/[0-9a-f]{16}/end)"', (await mine.get("/account")).text)
    assert (await world.post(mine, own[0])).headers["Location"].startswith("/signin")
    assert not await world.is_in(mine)


async def test_a_form_of_a_sign_in_under_way_needs_its_token(world: World) -> None:
    secret = await world.with_factor(await world.person())
    browser = world.browser()
    await world.sign_in(browser)
    for csrf in ("", "another"):
        answer = await browser.post("/signin/code", data={"csrf": csrf, "code": world.code(secret)})
        assert answer.status_code == 403
    shown: httpx.Response = await browser.get("/signin/next")
    right = {"csrf": csrf_of(shown.text), "code": world.code(secret)}
    elsewhere = {"Origin": "https://elsewhere.example"}
    assert (await browser.post("/signin/code", data=right, headers=elsewhere)).status_code == 403
    assert (await browser.post("/signin/code", data=right)).status_code == 303


async def test_who_signs_in_is_told_of_the_time_before_and_of_what_failed_since(world: World) -> None:
    await world.person()
    first = await world.signed_in(world.browser())
    assert "No earlier sign-in is known." in (await first.get("/account")).text
    world.clock.move(minutes=30)
    for _ in range(2):
        assert (await world.sign_in(world.browser(ELSEWHERE), password="not the right words")).status_code == 422
    page = (await (await world.signed_in(world.browser())).get("/account")).text
    assert "Signed in before" in page
    assert "Since then 2 attempts with your account have failed." in page
    assert "have failed" not in (await (await world.signed_in(world.browser())).get("/account")).text


async def test_a_link_that_opens_nothing_says_what_to_do(world: World) -> None:
    name = await world.person(local="newcomer", password=None)
    link = await world.link(name)
    assert (await world.browser().post(link, data={"password": STRONG})).status_code == 303
    used, never = [await world.browser().get(each) for each in (link, f"/setup/{world.hospital}.{'x' * 43}")]
    assert used.status_code == never.status_code == 404
    assert "ask your administrator for a new link" in used.text
    assert (await world.browser().post(link, data={"password": STRONG})).status_code == 404


async def test_a_session_that_ended_says_so_where_one_signs_in(world: World) -> None:
    await world.person()
    browser = await world.signed_in(world.browser())
    world.clock.move(hours=13)
    gone = await browser.get("/account", headers={"Accept": "text/html"})
    assert gone.headers["Location"] == "/signin?next=%2Faccount"
    assert "You are signed out" in (await browser.get(gone.headers["Location"])).text
    assert "You are signed out" not in (await world.browser().get(gone.headers["Location"])).text
