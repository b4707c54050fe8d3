"""A running house with a browser before it: the real server on its own port, the real worker, Debian's Chromium."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvicorn
from playwright.async_api import Browser, BrowserContext, Page, async_playwright
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from temporalio.client import Client

from api.app import create_app
from api.ui.templating import STATIC
from domain.roles import Role
from runtime.worker import build_worker
from store import accounts, outbox
from tests.conftest import Urls
from tests.desk import Desk

CHROMIUM = Path("/usr/bin/chromium")
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PASSWORD = "correct-horse-7"


@dataclass(frozen=True)
class RunningHouse:
    """base_url: where a browser finds it.  password: of every account, which is named for its role."""

    base_url: str
    hospital: str
    password: str
    desk: Desk


@pytest.fixture
async def running_house(
    desk: Desk, urls: Urls, temporal_client: Client, task_queue: str
) -> AsyncIterator[RunningHouse]:
    hashed = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),)).hash(PASSWORD)
    people = {Role.BED_MANAGER: ("김병상", "Kim Beds"), Role.PHYSICIAN: ("이의사", "Lee Doctor")}
    async with desk.state.database.transaction(desk.hospital) as tx:
        for role, (korean, english) in people.items():
            name = f"{role.value}@{desk.hospital}"
            await accounts.create_account(
                tx, name=name, display_ko=korean, display_en=english, roles=[role], password_hash=hashed
            )
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(create_app(desk.state), lifespan="off", log_level="warning", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)

    async def hear() -> None:
        async for hint in outbox.listen(urls.system):
            desk.state.events.publish(hint.hospital, hint.topic)

    async with build_worker(temporal_client, desk.state.database, task_queue=task_queue):
        beside = [
            asyncio.create_task(server.serve(sockets=[listening])),
            asyncio.create_task(outbox.Relay(urls.system, now=lambda: datetime.now(UTC)).run()),
            asyncio.create_task(hear()),
        ]
        yield RunningHouse(f"http://127.0.0.1:{listening.getsockname()[1]}", desk.hospital, PASSWORD, desk)
        desk.state.events.close()
        server.should_exit = True
        await beside[0]
        for task in beside[1:]:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@pytest.fixture(scope="session")
def chromium() -> Path:
    if not CHROMIUM.exists():
        pytest.skip("Debian's Chromium is not installed; `make test` installs it where it may")
    if not (STATIC / "vendor" / "htmx" / "htmx.min.js").exists():
        pytest.skip("the screens' assets are missing; `make setup` fetches them")
    return CHROMIUM


@pytest.fixture
async def browser(chromium: Path) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield opened
        await opened.close()


OpenPage = Callable[..., Awaitable[Page]]


@pytest.fixture
async def open_page(browser: Browser) -> AsyncIterator[OpenPage]:
    """Opens a page of a fresh browser profile. What the page complains of fails the test that closes it."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    async def opened(*, width: int = 1280, locale: str = "ko-KR", dark: bool = False, script: bool = True) -> Page:
        context = await browser.new_context(
            viewport={"width": width, "height": 844},
            locale=locale,
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
        )
        contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text) if "Security Policy" in said.text else None)
        return page

    yield opened
    for context in contexts:
        await context.close()
    assert complaints == []


@pytest.fixture(scope="session")
def axe() -> str:
    if not AXE.exists():
        pytest.skip("axe-core is missing; `make setup` fetches it")
    return AXE.read_text(encoding="utf-8")
