"""Controls of identity: what each promises, as a check on a hospital. `controls.py` says how to switch them off."""

from __future__ import annotations

import asyncio
import html
from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from fastapi import Form

from api.app import create_app
from api.caller import Caller
from api.deps import allow
from api.identity import codes
from api.passwords import Passwords
from domain.errors import Unavailable
from domain.roles import Role
from rules.access import Action
from runtime.forgetting import forget
from store import accounts, attempts
from tests.api.conftest import PASSWORD
from tests.api.identity.world import ELSEWHERE, STRONG, World, csrf_of

Fresh = Annotated[Caller, allow(Action.USE_SCREENS, step_up=True)]


async def guessing_stops(world: World) -> None:
    await world.person()
    browser = world.browser()
    answers = [await world.sign_in(browser, password=f"guess {n}") for n in range(6)]
    assert [answer.status_code for answer in answers] == [422, 422, 422, 422, 422, 429]
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert "Too many attempts have failed from here" in answers[-1].text
    right = await world.sign_in(browser)
    assert right.status_code == 429
    world.clock.move(seconds=3)
    assert (await world.sign_in(browser)).status_code == 303
    assert ("login", "denied", "sign-in/locked-out") in await world.noted()


async def a_restart_forgives_nothing(world: World) -> None:
    await world.person()
    for n in range(5):
        await world.sign_in(world.browser(), password=f"guess {n}")
    restarted = create_app(replace(world.desk.state, passwords=Passwords()))
    assert (await world.sign_in(world.browser(app=restarted))).status_code == 429


async def a_hundred_at_once_are_counted(world: World) -> None:
    await world.person()
    browser = world.browser()
    answers = await asyncio.gather(*(world.sign_in(browser, password=f"guess {n}") for n in range(12)))
    assert sorted(answer.status_code for answer in answers) == [422] * 5 + [429] * 7


async def strangers_do_not_lock_the_owner_out(world: World) -> None:
    await world.person()
    mine = await world.signed_in(world.browser())
    await world.post(mine, "/signout")
    stranger = world.browser()  # at the very same address: the hospital's own network
    for n in range(7):
        await world.sign_in(stranger, password=f"guess {n}")
    assert (await world.sign_in(stranger)).status_code == 429
    assert (await world.sign_in(mine)).status_code == 303


async def an_attack_from_everywhere_leaves_one_free_attempt(world: World) -> None:
    await world.person()
    for n in range(55):
        place = attempts.Place(f"password:{world.name('kim')}", f"address:10.0.{n}.1", f"10.0.{n}.1")
        async with world.desk.state.database.transaction(world.hospital) as tx:
            await attempts.begin(tx, place, world.clock(), known=None)
            await attempts.failed(tx, place, world.clock(), known=None)
    attacker = world.browser("10.9.9.9")
    answers = [await world.sign_in(attacker, password=f"guess {n}") for n in range(2)]
    assert [answer.status_code for answer in answers] == [422, 429]
    assert (await world.sign_in(world.browser(ELSEWHERE))).status_code == 303


async def a_password_alone_is_not_enough_for_a_second_factor(world: World) -> None:
    secret = await world.with_factor(await world.person())
    browser = world.browser()
    answer = await world.sign_in(browser, next="/admissions/new")
    assert answer.headers.get("Location") == "/signin/next"
    assert "phis" not in browser.cookies
    assert not await world.is_in(browser)
    answer = await world.post(browser, "/signin/code", "/signin/next", code=world.code(secret))
    assert answer.headers.get("Location") == "/admissions/new"
    assert await world.is_in(browser)


async def a_code_is_good_once(world: World) -> None:
    secret = await world.with_factor(await world.person())
    code = world.code(secret)
    first, second = world.browser(), world.browser(ELSEWHERE)
    for browser in (first, second):
        await world.sign_in(browser)
    assert (await world.post(first, "/signin/code", "/signin/next", code=code)).status_code == 303
    assert (await world.post(second, "/signin/code", "/signin/next", code=code)).status_code == 422
    assert not await world.is_in(second)


async def a_recovery_code_is_good_once(world: World) -> None:
    name = await world.person()
    await world.with_factor(name)
    async with world.desk.state.database.transaction(world.hospital) as tx:
        made = await codes.renew_recovery_codes(tx, name)
    assert len(set(made)) == 10
    for browser, status in ((world.browser(), 303), (world.browser(ELSEWHERE), 422)):
        await world.sign_in(browser)
        answer = await world.post(browser, "/signin/code", "/signin/next", code=made[0].upper())
        assert answer.status_code == status


async def codes_are_not_guessed(world: World) -> None:
    await world.with_factor(await world.person())
    browser = world.browser()
    await world.sign_in(browser)
    answers = [await world.post(browser, "/signin/code", "/signin/next", code="00000") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [422] * 5 + [429]


async def a_powerful_role_sets_a_second_factor_up_first(world: World) -> None:
    await world.person(Role.ADMINISTRATOR)
    browser = world.browser()
    answer = await world.sign_in(browser)
    assert answer.headers.get("Location") == "/signin/next"
    assert not await world.is_in(browser)
    assert "Set up a second factor" in (await browser.get("/signin/next")).text


async def a_chosen_password_is_not_a_common_one(world: World) -> None:
    await world.person(Role.NURSE, local="newcomer", password=None)
    link = await world.link(world.name("newcomer"))
    for weak in (
        "short",
        "passwordpassword",
        "qwertyuiopasdfgh",
        "1234567890123456",
        "김보안은우리병원최고야정말",
        PASSWORD[:14],
    ):
        answer = await world.browser().post(link, data={"password": weak})
        assert answer.status_code == 422, weak
    assert (await world.account(world.name("newcomer"))).password_hash == ""
    assert (await world.browser().post(link, data={"password": STRONG})).status_code == 303


async def a_set_up_link_works_once(world: World) -> None:
    name = await world.person(local="newcomer", password=None)
    link = await world.link(name)
    browser = world.browser()
    for _ in range(2):
        assert (await browser.get(link)).status_code == 200
    assert (await browser.post(link, data={"password": STRONG})).status_code == 303
    assert await world.is_in(browser)
    assert (await world.browser().post(link, data={"password": STRONG + "2"})).status_code == 404
    assert (await world.browser().get(link)).status_code == 404


async def a_set_up_link_ends_after_a_day(world: World) -> None:
    name = await world.person(local="newcomer", password=None)
    link = await world.link(name)
    world.clock.move(hours=24, seconds=1)
    assert (await world.browser().get(link)).status_code == 404
    assert (await world.browser().post(link, data={"password": STRONG})).status_code == 404


async def no_password_opens_an_account_without_one(world: World) -> None:
    await world.person(local="newcomer", password=None)
    for password in ("x", PASSWORD, "None"):
        assert (await world.sign_in(world.browser(), "newcomer", password)).status_code == 422


async def a_session_begins_with_a_new_secret_and_ends_the_old(world: World) -> None:
    await world.person()
    browser = await world.signed_in(world.browser())
    before = browser.cookies["phis"]
    await world.signed_in(browser)
    assert browser.cookies["phis"] != before
    other = world.browser()
    other.cookies.set("phis", before)
    assert not await world.is_in(other)


async def a_closed_account_ends_its_sessions(world: World) -> None:
    name = await world.person()
    browser = await world.signed_in(world.browser())
    async with world.desk.state.database.transaction(world.hospital) as tx:
        await accounts.disable(tx, name)
        await accounts.disable(tx, name, disabled=False)  # opened again: the session stays ended
    assert not await world.is_in(browser)


async def other_roles_end_the_sessions(world: World) -> None:
    name = await world.person()
    browser = await world.signed_in(world.browser())
    async with world.desk.state.database.transaction(world.hospital) as tx:
        await accounts.change_roles(tx, name, [Role.HOUSEKEEPING])
    assert not await world.is_in(browser)


async def a_new_password_ends_other_sessions(world: World) -> None:
    await world.person()
    mine, forgotten = await world.signed_in(world.browser()), await world.signed_in(world.browser(ELSEWHERE))
    answer = await world.post(mine, "/account/password", present=PASSWORD, password=STRONG)
    assert answer.headers.get("Location") == "/account?said=password"
    assert await world.is_in(mine)
    assert not await world.is_in(forgotten)
    assert (await world.sign_in(world.browser(), password=PASSWORD)).status_code == 422
    assert (await world.sign_in(world.browser(), password=STRONG)).status_code == 303


async def the_present_password_is_asked_for(world: World) -> None:
    await world.person()
    mine = await world.signed_in(world.browser())
    answer = await world.post(mine, "/account/password", present="not this one", password=STRONG)
    assert answer.status_code == 422
    assert (await world.sign_in(world.browser(), password=STRONG)).status_code == 422


async def a_session_ends_by_itself(world: World) -> None:
    await world.person()
    idle, busy = await world.signed_in(world.browser()), await world.signed_in(world.browser(ELSEWHERE))
    for _ in range(13):
        world.clock.move(minutes=55)
        present = await world.is_in(busy)
    assert not await world.is_in(idle)
    world.clock.move(minutes=6)
    assert present
    world.clock.move(minutes=10)
    assert not await world.is_in(busy)


async def far_reaching_things_ask_for_a_fresh_proof(world: World) -> None:
    secret = await world.with_factor(await world.person())
    done = _add_dangerous_route(world)
    browser = world.browser()
    await world.sign_in(browser)
    await world.post(browser, "/signin/code", "/signin/next", code=world.code(secret))
    world.clock.move(minutes=11)
    csrf = csrf_of((await browser.get("/account")).text)
    program = await browser.post("/commands/dangerous", data={"csrf": csrf}, headers={"Accept": "application/json"})
    assert program.status_code == 401
    assert program.json()["code"] == "step-up-required"
    page = await browser.post("/dangerous", data={"csrf": csrf, "reason": "heart & <soul>", "reason2": "둘"})
    assert page.status_code == 401
    assert "Prove once more" in page.text
    assert done == []
    again = _hidden(page.text, "again")
    wrong = await browser.post("/step-up", data={"csrf": csrf, "proof": "000000", "again": again})
    assert wrong.status_code == 422
    shown = await browser.post(
        "/step-up", data={"csrf": csrf, "proof": world.code(secret), "again": _hidden(wrong.text, "again")}
    )
    assert shown.status_code == 200
    assert 'action="/dangerous"' in shown.text
    fields = {name: _hidden(shown.text, name) for name in ("csrf", "reason", "reason2")}
    assert (await browser.post("/dangerous", data=fields)).status_code == 200
    assert done == ["heart & <soul>"]
    world.clock.move(minutes=11)
    assert (await browser.post("/dangerous", data=fields)).status_code == 401
    assert ("execute", "allowed", "step-up") in await world.noted()


async def a_page_asks_for_a_proof_and_opens_afterwards(world: World) -> None:
    await world.person()
    browser = await world.signed_in(world.browser())
    page = await browser.get("/account/second-factor")
    assert page.headers.get("Location") == "/step-up?next=%2Faccount%2Fsecond-factor"
    answer = await world.post(browser, "/step-up", proof=PASSWORD, next="/account/second-factor")
    assert answer.headers.get("Location") == "/account/second-factor"
    assert (await browser.get("/account/second-factor")).status_code == 200


async def unknown_accounts_cost_the_same(world: World) -> None:
    name = await world.person()
    await world.person(local="closed")
    async with world.desk.state.database.transaction(world.hospital) as tx:
        await accounts.disable(tx, world.name("closed"))
    hasher, checked = world.desk.state.passwords._hasher, []
    real = hasher.verify

    def counted(password: str, hashed: str) -> bool:
        checked.append(hashed)
        return real(password, hashed)

    hasher.verify = counted  # type: ignore[method-assign]
    counts = []
    for account in ("kim", "nobody", "closed"):
        before = len(checked)
        assert (await world.sign_in(world.browser(), account, "wrong")).status_code == 422
        counts.append(len(checked) - before)
    assert counts == [1, 1, 1], name


async def a_flood_of_sign_ins_is_turned_away(world: World) -> None:
    passwords = world.desk.state.passwords
    answers = await asyncio.gather(*(passwords.verify("x", None) for _ in range(60)), return_exceptions=True)
    assert sum(isinstance(answer, Unavailable) for answer in answers) == 18
    assert await passwords.verify("x", None) is False


async def what_ended_is_forgotten(world: World) -> None:
    await world.person()
    await world.signed_in(world.browser())
    await world.sign_in(world.browser(), password="wrong")
    await world.link(world.name("kim"))
    assert await forget(world.desk.state.database, world.clock()) == 0
    async with world.desk.state.database.transaction(world.hospital) as tx:
        await accounts.issue_token(tx, "client", [], "", world.clock())
    later = world.clock() + timedelta(hours=25)
    # session, token, link; failures of the place, the account and the address
    assert await forget(world.desk.state.database, later) == 6


def _add_dangerous_route(world: World) -> list[str]:
    done: list[str] = []

    async def dangerous(
        caller: Fresh, reason: Annotated[str, Form()] = "", reason2: Annotated[str, Form()] = ""
    ) -> str:
        done.append(reason or f"{caller.actor}{reason2}")
        return "done"

    for address in ("/dangerous", "/commands/dangerous"):
        world.app.add_api_route(address, dangerous, methods=["POST"])
    return done


def _hidden(page: str, name: str) -> str:
    return html.unescape(page.partition(f'name="{name}" value="')[2].partition('"')[0])
