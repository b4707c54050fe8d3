"""A hospital's own sign-on, a process of its own over HTTP, lets people in, and nobody else in their place."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from adapters.oidc import provider as oidc
from adapters.oidc.provider import Provider
from adapters.outgoing import Outgoing
from api.app import create_app
from domain.errors import Misconfigured
from domain.roles import Role
from runtime.providers import providers_of
from store import accounts, single_sign_on
from tests.api.identity.world import ELSEWHERE, World
from tests.architecture.sources import ROOT
from tests.oidc_provider import CLIENT, SECRET

pytestmark = pytest.mark.sockets


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.oidc_provider"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield process.stdout.readline().strip()
        process.kill()


@dataclass
class SignOn:
    """The provider, a browser that goes there, and the hospital it belongs to."""

    world: World
    issuer: str
    outside: httpx.AsyncClient

    async def tell(self, mode: str = "", **more: Any) -> None:
        person = more.pop("person", "person-1")
        await self.outside.post(f"{self.issuer}/tell", json={"mode": mode, "person": person, "more": more})

    async def there(self, browser: httpx.AsyncClient, query: str = "next=/account") -> str:
        """Leave for the provider; returns the way back that it sends the browser on."""
        left = await browser.get(f"/signin/sso/{self.world.hospital}?{query}")
        assert left.status_code == 303, left.text
        answer = await self.outside.get(left.headers["Location"])
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    async def through(self, browser: httpx.AsyncClient, query: str = "next=/account") -> httpx.Response:
        return await browser.get(await self.there(browser, query))


@pytest.fixture
async def sign_on(world: World, issuer: str) -> AsyncIterator[SignOn]:
    provider = Provider(world.hospital, issuer, CLIENT, SECRET)
    state = replace(world.desk.state, providers={world.hospital: provider}, outgoing=Outgoing([issuer]))
    world.desk.state = state
    world.app = create_app(state)
    name = await world.person()
    async with state.database.transaction(world.hospital) as tx:
        await accounts.name_external(tx, name, "person-1")
    async with httpx.AsyncClient() as outside:
        made = SignOn(world, issuer, outside)
        await made.tell()
        yield made


async def test_a_person_comes_in(sign_on: SignOn) -> None:
    browser = sign_on.world.browser()
    answer = await sign_on.through(browser)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account")
    assert await sign_on.world.is_in(browser)
    assert ("login", "allowed", "session") in await sign_on.world.noted()
    assert f"/signin/sso/{sign_on.world.hospital}" in (await sign_on.world.browser().get("/signin")).text


WRONG = [
    "wrong-nonce",
    "wrong-issuer",
    "wrong-audience",
    "more-audiences",
    "another-party",
    "expired",
    "old",
    "no-exp",
    "nobody",
    "none",
    "confusion",
    "other-key",
    "other-algorithm",
    "mix-up",
    "nameless",
]


async def test_an_answer_that_does_not_hold_opens_nothing(sign_on: SignOn) -> None:
    for mode in WRONG:
        await _refused(sign_on, mode)
    denials = [line for line in await sign_on.world.noted() if line == ("login", "denied", "single-sign-on")]
    assert len(denials) == len(WRONG)


async def _refused(sign_on: SignOn, mode: str) -> None:
    await sign_on.tell(mode)
    browser = sign_on.world.browser()
    answer = await sign_on.through(browser)
    assert answer.status_code == 403, mode
    assert not await sign_on.world.is_in(browser)


async def test_a_provider_that_describes_another_is_not_asked(sign_on: SignOn) -> None:
    await sign_on.tell("describes-another")
    answer = await sign_on.world.browser().get(f"/signin/sso/{sign_on.world.hospital}")
    assert answer.status_code == 403


async def test_a_way_back_works_once_and_in_the_browser_that_left(sign_on: SignOn) -> None:
    browser, thief = sign_on.world.browser(), sign_on.world.browser(ELSEWHERE)
    back = await sign_on.there(browser)
    assert (await thief.get(back)).status_code == 403
    assert (await browser.get(back)).status_code == 303
    assert (await browser.get(back)).status_code == 403  # state and code are used up
    other = await sign_on.there(browser)
    made_up = other.replace("state=", "state=x")
    assert (await browser.get(made_up)).status_code == 403
    sign_on.world.clock.move(minutes=11)
    assert (await browser.get(other)).status_code == 403


async def test_a_code_of_another_journey_does_not_fit(sign_on: SignOn) -> None:
    first, second = sign_on.world.browser(), sign_on.world.browser(ELSEWHERE)
    stolen, mine = await sign_on.there(first), await sign_on.there(second)
    code = httpx.URL(stolen).params["code"]
    mixed = httpx.URL(mine).copy_set_param("code", code)
    assert (await second.get(str(mixed))).status_code == 503  # the provider refuses: the verifier is another one
    assert not await sign_on.world.is_in(second)


async def test_nobody_is_let_in_without_an_open_account(sign_on: SignOn) -> None:
    await sign_on.tell(person="person-2")
    answer = await sign_on.through(sign_on.world.browser())
    assert answer.status_code == 403
    assert "you have no account here" in answer.text
    async with sign_on.world.desk.state.database.transaction(sign_on.world.hospital) as tx:
        await accounts.disable(tx, sign_on.world.name("kim"))
    await sign_on.tell()
    assert (await sign_on.through(sign_on.world.browser())).status_code == 403


async def test_a_powerful_role_shows_a_second_factor_there_or_here(sign_on: SignOn) -> None:
    async with sign_on.world.desk.state.database.transaction(sign_on.world.hospital) as tx:
        await accounts.change_roles(tx, sign_on.world.name("kim"), [Role.AUDITOR])
    assert (await sign_on.through(sign_on.world.browser())).headers["Location"] == "/signin/next"
    await sign_on.tell(amr=["pwd", "otp"])
    browser = sign_on.world.browser()
    assert (await sign_on.through(browser)).headers["Location"] == "/account"
    assert (await browser.get("/account/second-factor")).status_code == 200  # a proof of this moment


async def test_a_hospital_without_one_has_no_such_door(sign_on: SignOn, other_hospital: str) -> None:
    for hospital in (other_hospital, "nowhere"):
        assert (await sign_on.world.browser().get(f"/signin/sso/{hospital}")).status_code == 404


async def _once_and_again(tx: Any, *, state: str, browser: str, now: Any) -> Any:
    """The same way back, used or not, in whichever browser."""
    row = await tx.one("select issuer, nonce, verifier, next from single_sign_on where hospital = %s", [tx.hospital])
    return single_sign_on.Way(**row) if row else None


@pytest.mark.parametrize("name", ["nonce", "others", "mix-up", "browser"])
async def test_switched_off_the_same_test_fails(sign_on: SignOn, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    off: dict[str, tuple[object, str, Any]] = {
        "nonce": (oidc, "compare_digest", lambda *_: True),
        "others": (oidc, "_refuse_others", lambda *_: None),
        "mix-up": (oidc, "refuse_mix_up", lambda *_: None),
        "browser": (single_sign_on, "come_back", _once_and_again),
    }
    mode = {"nonce": "wrong-nonce", "others": "wrong-audience", "mix-up": "mix-up"}.get(name, "")
    monkeypatch.setattr(*off[name])
    again = _refused(sign_on, mode) if mode else test_a_way_back_works_once_and_in_the_browser_that_left(sign_on)
    with pytest.raises(AssertionError):
        await again


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("not json", "PHIS_OIDC"),
        ('[{"hospital": "hanbit", "issuer": "ftp://x", "client_id": "phis"}]', "issuer"),
        ('[{"hospital": "hanbit", "issuer": "https://x", "client_id": "p", "algorithms": ["none"]}]', "public key"),
        ('[{"hospital": "hanbit", "issuer": "https://x", "client_id": "p", "algorithms": ["HS256"]}]', "public key"),
        ('[{"hospital": "hanbit", "issuer": "https://x", "client_id": "p", "secret": "topsecret"}]', "secret"),
    ],
)
def test_a_sign_on_that_is_written_down_wrongly_stops_the_start(written: str, said: str) -> None:
    with pytest.raises(Misconfigured, match=said) as told:
        providers_of(SecretStr(written))
    assert "topsecret" not in str(told.value)


def test_a_sign_on_is_read_with_safe_defaults() -> None:
    read = providers_of(SecretStr('[{"hospital": "hanbit", "issuer": "https://x", "client_id": "p"}]'))
    assert (read["hanbit"].algorithms, read["hanbit"].claim) == (("RS256",), "sub")
    assert providers_of(SecretStr("")) == {}
