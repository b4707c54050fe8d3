"""Takes a picture of every screen of a living demo hospital, in Korean and English, on a desk and on a telephone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / ".screenshots"
LANGUAGES = {"ko": "ko-KR", "en": "en-GB"}
SIZES = {"desk": (1440, 900), "telephone": (390, 844)}


def main() -> None:
    chromium = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    if chromium is None:
        sys.exit("Chromium is missing. As an administrator: apt-get install chromium")
    shutil.rmtree(PICTURES, ignore_errors=True)
    PICTURES.mkdir()
    with living_house() as (address, password), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for language, size in product(LANGUAGES, SIZES):
            take(browser, address, password, language, size)
        browser.close()
    print(f"{len(list(PICTURES.iterdir()))} pictures in {PICTURES.relative_to(ROOT)}/")  # noqa: T201


@contextmanager
def living_house() -> Iterator[tuple[str, str]]:
    """A throw-away P-HIS; its address and the password of its demo accounts."""
    command = [sys.executable, "-m", "runtime.cli", "up", "--ephemeral", "--demo", "full"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=os.environ) as house:  # noqa: S603
        try:
            assert house.stdout  # noqa: S101
            told = {}
            for line in house.stdout:
                what, colon, value = line.partition(": ")
                told[what] = value.strip()
                if colon and what == "Data folder":
                    break
            if "P-HIS is ready" not in told:
                sys.exit("phis up did not start; its lines above say why.")
            yield told["P-HIS is ready"], told["Password"]
        finally:
            house.send_signal(signal.SIGTERM)


def take(browser: Browser, address: str, password: str, language: str, size: str) -> None:
    width, height = SIZES[size]
    locale = LANGUAGES[language]
    for account in ("bed-manager", "admission-clerk"):
        context = browser.new_context(viewport={"width": width, "height": height}, locale=locale, base_url=address)
        page = context.new_page()
        page.goto("/signin")
        picture(page, language, size, "signin")
        sign_in(page, account, password, language)
        if account == "bed-manager":
            page.goto("/worklist")
            picture(page, language, size, "worklist")
            page.locator("a[href^='/worklist/']").first.click()
            picture(page, language, size, "task")
            page.locator("a[href^='/stays/']").first.click()
            picture(page, language, size, "stay")
        else:
            page.goto("/admissions/new")
            picture(page, language, size, "admission")
            page.goto("/account")
            picture(page, language, size, "account")
            page.goto("/account/second-factor")
            picture(page, language, size, "step-up")
            page.fill("#proof", password)
            page.click("button.primary")
            picture(page, language, size, "second-factor")
        context.close()


def sign_in(page: Page, account: str, password: str, language: str) -> None:
    page.select_option("#hospital", "hanbit")
    page.fill("#account", account)
    page.fill("#password", password)
    page.check(f"input[name=language][value={language}]")
    page.click("button.primary")


def picture(page: Page, language: str, size: str, name: str) -> None:
    page.wait_for_load_state("load")
    page.evaluate("document.fonts.ready")
    page.screenshot(path=PICTURES / f"{name}-{language}-{size}.png", full_page=True)


if __name__ == "__main__":
    main()
