"""What people do in a browser, and what is checked on every page they see."""

from __future__ import annotations

from playwright.async_api import Page, expect

from domain.roles import Role
from tests.e2e.conftest import RunningHouse

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


async def sign_in(page: Page, house: RunningHouse, role: Role, language: str) -> None:
    await page.goto(f"{house.base_url}/signin")
    await page.select_option("#hospital", house.hospital)
    await page.fill("#account", role.value)
    await page.fill("#password", house.password)
    await page.check(f"input[name=language][value={language}]")
    await page.click("main button")
    await expect(page.locator("html")).to_have_attribute("lang", language)
    await page.wait_for_url("**/worklist")


async def accessible(page: Page, axe: str) -> None:
    """No rule of WCAG 2.2 AA that a program can check is broken on this page."""
    await page.evaluate(axe)
    found = await page.evaluate(
        "tags => axe.run(document, {runOnly: tags}).then(r => r.violations.map(v => [v.id, v.nodes[0].html]))", RULES
    )
    assert found == [], page.url
