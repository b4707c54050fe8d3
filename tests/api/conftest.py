"""The application over HTTP without a socket, tokens for clients, and people who are signed in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta

import httpx
import pytest
from fastapi import FastAPI
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from api.app import create_app
from domain.roles import Role
from store import accounts
from tests.desk import Desk

PASSWORD = "correct-horse-7"

Bearer = Callable[..., Awaitable[dict[str, str]]]
"""Headers of a client that holds these roles."""


@pytest.fixture
def app(desk: Desk) -> FastAPI:
    return create_app(desk.state)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as opened:
        yield opened


@pytest.fixture
def bearer(desk: Desk, now: datetime) -> Bearer:
    async def issue(*roles: Role, hospital: str = "", label: str = "") -> dict[str, str]:
        async with desk.state.database.transaction(hospital or desk.hospital) as tx:
            named = label or f"{roles[0].value}@{desk.hospital}"
            token = await accounts.issue_token(tx, named, roles, "", now + timedelta(hours=1))
        return {"Authorization": f"Bearer {token}"}

    return issue


@pytest.fixture(scope="session")
def password_hash() -> str:
    # Weak on purpose: what is tested is the way in, not the hash.
    return PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),)).hash(PASSWORD)


@pytest.fixture
async def accounts_made(desk: Desk, password_hash: str) -> str:
    """An account for each of a few roles, named like the demo's. Returns their password."""
    titles = {
        Role.BED_MANAGER: "김병상",
        Role.PHYSICIAN: "이의사",
        Role.HOUSEKEEPING: "박환경",
        Role.WARD_MANAGER: "최병동",
        Role.MEDICAL_RECORDS: "정기록",
    }
    async with desk.state.database.transaction(desk.hospital) as tx:
        for role, title in titles.items():
            await accounts.create_account(
                tx,
                name=f"{role.value}@{desk.hospital}",
                display_ko=title,
                display_en=f"Demo {role.value}",
                roles=[role],
                password_hash=password_hash,
            )
    return PASSWORD


SignIn = Callable[..., Awaitable[str]]


@pytest.fixture
def sign_in(client: httpx.AsyncClient, desk: Desk, accounts_made: str) -> SignIn:
    """Signs a role in and returns the token that its forms carry."""

    async def as_role(role: Role, language: str = "ko") -> str:
        form = {"hospital": desk.hospital, "account": role.value, "password": accounts_made, "language": language}
        answer = await client.post("/signin", data=form)
        assert answer.status_code == httpx.codes.SEE_OTHER, answer.text
        page = await client.get("/worklist")
        return csrf_of(page.text)

    return as_role


def csrf_of(page: str) -> str:
    """The hidden field that every form of a page carries."""
    return page.partition('name="csrf" value="')[2].partition('"')[0]
