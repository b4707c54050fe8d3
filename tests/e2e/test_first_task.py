"""The bed manager signs in and assigns the first bed, in Korean and in English."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from api.commands.worklist.owning import submit_claim
from domain.admission import AdmissionPhase
from domain.roles import Role
from tests.desk import a_key, caller
from tests.e2e.conftest import OpenPage, RunningHouse
from tests.e2e.people import accessible, sign_in
from tests.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.sockets]

SAID = {
    "ko": {
        "task": "병상 배정",
        "taken": "일을 맡았습니다",
        "assign": "이 병상 배정",
        "done": "병상을 배정했습니다",
        "ended": "김병상님이 7-01 병상을 배정했습니다.",
        "admitted": "환자가 7-01 병상에 입원했습니다.",
        "empty": "기다리는 일이 없습니다",
    },
    "en": {
        "task": "Assign a bed",
        "taken": "The task is yours",
        "assign": "Assign this bed",
        "done": "The bed is assigned",
        "ended": "Kim Beds assigned bed 7-01.",
        "admitted": "The patient was admitted to bed 7-01.",
        "empty": "Nothing waits for you",
    },
}


@pytest.mark.parametrize(("language", "width"), [("ko", 1280), ("en", 390)])
async def test_the_first_task_is_done_in_a_browser(
    running_house: RunningHouse, open_page: OpenPage, axe: str, language: str, width: int
) -> None:
    said, desk = SAID[language], running_house.desk
    page = await open_page(width=width, dark=language == "en", locale="ko-KR" if language == "ko" else "en-GB")
    await page.goto(f"{running_house.base_url}/worklist")
    await accessible(page, axe)  # the sign-in page, where an unknown browser is led
    await sign_in(page, running_house, Role.BED_MANAGER, language)
    await expect(page.get_by_text(said["empty"])).to_be_visible()
    await accessible(page, axe)

    # The request of a colleague appears by itself.
    encounter = (await desk.request(a_key())).answer["encounter"]
    await expect(page.get_by_role("link", name=re.compile(f"^{said['task']}"))).to_be_visible()
    await accessible(page, axe)

    await page.locator("button[data-act=claim]").click()
    await expect(page.locator("#notice")).to_contain_text(said["taken"])
    await page.locator(".row .act a").click()
    await page.get_by_label("7-01").check()
    await accessible(page, axe)
    await page.get_by_role("button", name=said["assign"]).click()

    await expect(page.locator("#notice")).to_contain_text(said["done"])
    await expect(page.locator(".ended")).to_have_text(said["ended"])
    await accessible(page, axe)

    async def phase() -> AdmissionPhase:
        return await desk.phase(encounter)

    await until(phase, AdmissionPhase.ADMITTED)
    await page.goto(f"{running_house.base_url}/stays/{encounter.partition('/')[2]}")
    await expect(page.locator(".story")).to_contain_text(said["admitted"])
    await accessible(page, axe)


async def test_the_list_is_worked_by_keyboard(running_house: RunningHouse, open_page: OpenPage) -> None:
    page = await open_page()
    await running_house.desk.request(a_key())
    await sign_in(page, running_house, Role.BED_MANAGER, "ko")
    await expect(page.locator(".row")).to_have_count(1)
    await page.keyboard.press("j")
    await page.keyboard.press("c")
    await expect(page.locator(".row[data-mine]")).to_have_count(1)
    await expect(page.locator(".row")).to_be_focused()
    await page.keyboard.press("r")
    await expect(page.locator(".row[data-mine]")).to_have_count(0)
    await page.keyboard.press("?")
    await expect(page.locator("#help")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("Enter")
    await page.wait_for_url(re.compile("/worklist/.+"))


async def test_a_colleagues_claim_shows_at_once_and_is_explained(
    running_house: RunningHouse, open_page: OpenPage
) -> None:
    desk = running_house.desk
    encounter = (await desk.request(a_key())).answer["encounter"]
    page = await open_page()
    await sign_in(page, running_house, Role.BED_MANAGER, "ko")
    await expect(page.locator(".row")).to_have_count(1)
    task = await desk.task_of(encounter)
    assert task is not None
    await page.goto(f"{running_house.base_url}/worklist/{task.id}")
    watching = await open_page()
    await sign_in(watching, running_house, Role.BED_MANAGER, "ko")

    colleague = caller(desk.hospital, Role.BED_MANAGER, name="colleague")
    await submit_claim(desk.state, colleague, a_key(), task.ref, task.revision)
    await expect(watching.locator(".row[data-taken]")).to_have_count(1)
    await page.locator("main form button").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("이미 맡은 일입니다")


async def test_it_works_without_script(running_house: RunningHouse, open_page: OpenPage) -> None:
    encounter = (await running_house.desk.request(a_key())).answer["encounter"]

    async def asked() -> bool | None:
        return True if await running_house.desk.task_of(encounter) else None

    await until(asked)
    page = await open_page(script=False)
    await sign_in(page, running_house, Role.BED_MANAGER, "ko")
    await page.locator("button[data-act=claim]").click()
    await expect(page.locator("#notice")).to_contain_text("일을 맡았습니다")
    await page.locator(".row .act a").click()
    await page.get_by_label("7-02").check()
    await page.get_by_role("button", name="이 병상 배정").click()
    await expect(page.locator("#notice")).to_contain_text("병상을 배정했습니다")


async def test_a_physician_registers_a_patient_and_corrects_a_field(
    running_house: RunningHouse, open_page: OpenPage, axe: str
) -> None:
    page = await open_page(width=390)
    await sign_in(page, running_house, Role.PHYSICIAN, "ko")
    await page.get_by_role("link", name="새 입원 요청").click()
    await accessible(page, axe)
    await page.fill("#name", "홍시험")
    await page.select_option("#ward", label="7병동")
    await page.check("input[name=gender][value=female]")
    await page.locator("main form > button").click()
    await expect(page.locator("#birth_date")).to_have_attribute("aria-invalid", "true")
    await expect(page.locator("#name")).to_have_value("홍시험")
    await accessible(page, axe)
    await page.fill("#birth_date", "1961-04-05")
    await page.locator("main form > button").click()
    await expect(page.locator("#notice")).to_contain_text("입원을 요청했습니다")
    await expect(page.get_by_role("heading", name="왜 기다리나")).to_be_visible()
    await accessible(page, axe)
