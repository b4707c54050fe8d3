"""A desk at work in a browser: a patient is found, registered once, corrected, and two records are asked to be one."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from domain.roles import Role
from tests.e2e.conftest import OpenPage, RunningHouse
from tests.e2e.people import accessible, sign_in

pytestmark = [pytest.mark.browser, pytest.mark.sockets]


async def fill(page: Page, **values: str) -> None:
    for name, value in values.items():
        await page.fill(f"#{name}", value)


@pytest.mark.parametrize(("language", "width"), [("ko", 1440), ("en", 390)])
async def test_a_person_is_registered_once_and_found_again(
    running_house: RunningHouse, open_page: OpenPage, axe: str, language: str, width: int
) -> None:
    page = await open_page(width=width, dark=language == "en", locale="ko-KR" if language == "ko" else "en-GB")
    await sign_in(page, running_house, Role.PHYSICIAN, language)
    await page.goto(f"{running_house.base_url}/patients")
    await accessible(page, axe)
    await page.keyboard.press("/")
    await page.keyboard.type("홍길동")
    await page.keyboard.press("Enter")
    await expect(page.locator(".empty")).to_be_visible()
    await accessible(page, axe)
    await page.locator(".empty a").click()
    await page.wait_for_url("**/patients/new")
    await accessible(page, axe)

    # What is wrong stands beside its field, and nothing that was typed is lost.
    await fill(page, name="홍길동", phone="call me", address="서울특별시")
    await page.locator("form.parts button.primary").click()
    for name in ("birth_date", "phone"):
        await expect(page.locator(f"#{name}")).to_have_attribute("aria-invalid", "true")
    await expect(page.locator("#gender-error")).to_be_visible()
    await expect(page.locator("#address")).to_have_value("서울특별시")
    await accessible(page, axe)
    await fill(page, birth_date="1970-03-01", phone="010-2222-3333")
    await page.check("input[name=gender][value=male]")
    await page.locator("form.parts button.primary").click()
    await page.wait_for_url(re.compile(r"/patients/[0-9a-f-]{36}"))
    await expect(page.locator("#notice .notice")).to_be_visible()
    await accessible(page, axe)

    # The same person misspelt is shown before anything is written.
    await page.goto(f"{running_house.base_url}/patients/new")
    await fill(page, name="Hong Gil-dong", birth_date="1970-03-01")
    await page.check("input[name=gender][value=male]")
    await page.locator("form.parts button.primary").click()
    await expect(page.locator(".duplicates a")).to_contain_text("홍길동")
    await expect(page.locator("#name")).to_have_value("Hong Gil-dong")
    await accessible(page, axe)
    await page.check("input[name=none_of]")
    await page.locator("form.parts button.primary").click()
    await page.wait_for_url(re.compile(r"/patients/[0-9a-f-]{36}"))

    await page.goto(f"{running_house.base_url}/patients?q=ㅎㄱㄷ 3333")
    await expect(page.locator(".people .row")).to_have_count(1)
    await accessible(page, axe)
    assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("홍길동")


async def test_each_kind_of_person_has_an_accessible_form_that_works_without_script(
    running_house: RunningHouse, open_page: OpenPage, axe: str
) -> None:
    page = await open_page(width=768)
    await sign_in(page, running_house, Role.PHYSICIAN, "ko")
    for kind in ("foreigner", "newborn", "unknown"):
        await page.goto(f"{running_house.base_url}/patients/new?kind={kind}")
        await accessible(page, axe)
        await page.locator("form.parts button.primary").click()
        await expect(page.locator("form.parts .error").first).to_be_visible()
        await accessible(page, axe)
    plain = await open_page(script=False)
    await sign_in(plain, running_house, Role.PHYSICIAN, "ko")
    await plain.goto(f"{running_house.base_url}/patients/new?kind=unknown")
    await plain.check("input[name=gender][value=male]")
    await plain.locator("form.parts button.primary").click()
    await expect(plain.locator("h1 ~ .tags, .banner .tags")).to_contain_text("신원 미상")
