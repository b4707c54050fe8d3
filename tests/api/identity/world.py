"""What tests of identity have in common: a clock, browsers, accounts, codes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
import pyotp
from fastapi import FastAPI

from api.identity import codes
from domain.roles import Role
from store import accounts, audit, second_factors, sign_ins
from store.accounts import Account
from tests.api.conftest import PASSWORD
from tests.desk import Desk

HERE, ELSEWHERE = "192.0.2.10", "203.0.113.77"
STRONG = "tidal-orchid-quarrel-93"
ENGLISH = {"Accept": "text/html", "Accept-Language": "en"}


def csrf_of(page: str) -> str:
    """The token of a page's forms. Who has no session yet has an empty one in the page's frame."""
    found = re.search('name="csrf" value="([^"]+)"', page)
    return found[1] if found else ""


@dataclass
class Clock:
    """The server's present: it stands still until the test moves it, so that no pause passes unnoticed."""

    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class World:
    app: FastAPI
    desk: Desk
    clock: Clock
    password_hash: str
    _browsers: list[httpx.AsyncClient] = field(default_factory=list)

    def browser(self, address: str = HERE, app: FastAPI | None = None) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app or self.app, raise_app_exceptions=False, client=(address, 50000))
        made = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", headers=ENGLISH)
        self._browsers.append(made)
        return made

    async def close(self) -> None:
        for browser in self._browsers:
            await browser.aclose()

    @property
    def hospital(self) -> str:
        return self.desk.hospital

    def name(self, local: str) -> str:
        return f"{local}@{self.hospital}"

    async def person(self, *roles: Role, local: str = "kim", password: str | None = PASSWORD) -> str:
        """An account with the tests' password; None: without any."""
        async with self.desk.state.database.transaction(self.hospital) as tx:
            await accounts.create_account(
                tx,
                name=self.name(local),
                display_ko="김보안",
                display_en="Kim Boan",
                roles=roles or (Role.NURSE,),
                password_hash=self.password_hash if password == PASSWORD else "",
            )
        return self.name(local)

    async def with_factor(self, name: str) -> str:
        """Give an account a confirmed second factor and return its secret."""
        secret = codes.new_secret()
        async with self.desk.state.database.transaction(self.hospital) as tx:
            await second_factors.offer(tx, name, secret, self.clock())
            await second_factors.accept(tx, name, 0, self.clock())
        return secret

    def code(self, secret: str) -> str:
        return pyotp.TOTP(secret).at(self.clock())

    async def sign_in(
        self, browser: httpx.AsyncClient, local: str = "kim", password: str = PASSWORD, **more: str
    ) -> httpx.Response:
        form = {"hospital": self.hospital, "account": local, "password": password, "language": "en", **more}
        return await browser.post("/signin", data=form)

    async def signed_in(self, browser: httpx.AsyncClient, local: str = "kim") -> httpx.AsyncClient:
        answer = await self.sign_in(browser, local)
        assert answer.status_code == 303, answer.text
        return browser

    async def is_in(self, browser: httpx.AsyncClient) -> bool:
        return (await browser.get("/account")).status_code == 200

    async def post(
        self, browser: httpx.AsyncClient, address: str, page: str = "/account", **form: str
    ) -> httpx.Response:
        """Send a form of a page, with the token that the page carries."""
        shown = await browser.get(page)
        return await browser.post(address, data={"csrf": csrf_of(shown.text), **form})

    async def account(self, name: str) -> Account:
        async with self.desk.state.database.transaction(self.hospital) as tx:
            return await accounts.account(tx, name)

    async def link(self, name: str) -> str:
        async with self.desk.state.database.transaction(self.hospital) as tx:
            return f"/setup/{await sign_ins.make_link(tx, name, self.clock())}"

    async def noted(self) -> list[tuple[str, str, str]]:
        """Action, outcome and detail of what the audit holds, oldest first."""
        async with self.desk.state.database.transaction(self.hospital) as tx:
            return [(line.action.value, line.outcome, line.detail) for line in reversed(await audit.read(tx))]
