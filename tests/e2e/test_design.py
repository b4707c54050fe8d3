"""The design language in a browser: accessible in every state, languages, themes and widths; worked by keyboard."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from domain.roles import Role
from tests.e2e.conftest import OpenPage, RunningHouse
from tests.e2e.people import accessible, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.sockets]


async def fits(page: Page) -> None:
    """Nothing scrolls sideways."""
    assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, page.url


@pytest.mark.parametrize(("language", "width"), [("ko", 1440), ("en", 768), ("ko", 390)])
async def test_every_component_is_accessible(
    running_house: RunningHouse, open_page: OpenPage, axe: str, language: str, width: int
) -> None:
    page = await open_page(width=width, dark=width < 500, locale="ko-KR" if language == "ko" else "en-GB")
    await sign_in(page, running_house, Role.PHYSICIAN, language)
    for address in ("/design", "/design?theme=dark", "/design?theme=light"):
        await page.goto(f"{running_house.base_url}{address}")
        await accessible(page, axe)
        await fits(page)


async def test_letters_lead_to_pages_unless_somebody_types_or_switched_them_off(
    running_house: RunningHouse, open_page: OpenPage
) -> None:
    page = await open_page()
    await sign_in(page, running_house, Role.PHYSICIAN, "ko")
    await page.keyboard.press("g")
    await page.keyboard.press("n")
    await page.wait_for_url(re.compile("/admissions/new"))
    await page.focus("#name")
    await page.keyboard.type("gw")
    await expect(page.locator("#name")).to_have_value("gw")
    await page.locator("#help-open").click()
    await expect(page.locator("#help")).to_be_visible()
    await page.uncheck("#keys-on")
    await page.keyboard.press("Escape")
    await page.keyboard.press("g")
    await page.keyboard.press("w")
    await page.reload()
    assert page.url.endswith("/admissions/new")
