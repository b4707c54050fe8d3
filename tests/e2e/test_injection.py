"""Whatever people write into a field is text wherever it is shown: no script runs, no template is evaluated."""

from __future__ import annotations

import csv
import io
import json
import logging
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import structlog
from jinja2 import Environment
from playwright.async_api import Browser, Dialog, Page

from adapters.csv import writing
from adapters.fhir import locations
from api import guards
from api.ui import templating
from domain.ids import Reference
from domain.roles import Role
from domain.worklist import Priority, TaskKind, TaskSpec
from runtime import logs
from store import accounts, audit, records, worklist
from store.audit import AuditAction
from store.care import glass
from tests.desk import a_key
from tests.e2e.conftest import OpenPage, RunningHouse
from tests.e2e.payloads import Payload, payloads, plain

EVERY_SIXTH = payloads()[::6]
_FHIR_REFUSES = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_BEGINS_FORMULA = re.compile(r'[\s"]*[=+\-@＝＋－＠]|[\t\r\n]')


_LISTENS = (
    "window.violations = [];"
    "document.addEventListener('securitypolicyviolation', e => window.violations.push(e.violatedDirective))"
)


class Watch:
    """What a page does that it should not."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.wrong: list[str] = []
        page.on("dialog", self._dialog)
        page.on("request", self._request)

    @classmethod
    async def of(cls, page: Page) -> Watch:
        await page.add_init_script(_LISTENS)
        return cls(page)

    async def _dialog(self, dialog: Dialog) -> None:
        self.wrong.append(f"dialog {dialog.message}")
        await dialog.dismiss()

    def _request(self, request: object) -> None:
        url = str(getattr(request, "url", ""))
        if "evil.example" in url:
            self.wrong.append(f"asked {url}")

    async def open(self, url: str) -> str:
        """The text of a page, with what stands in its fields."""
        await self.page.goto(url)
        ran, violations = await self.page.evaluate("[window.ran ?? null, window.violations]")
        if ran is not None or violations:
            self.wrong.append(f"{url}: ran {ran}, policy {violations}")
        return str(
            await self.page.evaluate(
                "document.body.textContent + [...document.querySelectorAll('input, textarea')].map(e => e.value)"
            )
        )


def missing(shown: str, kept: list[Payload]) -> list[str]:
    """Texts that a page does not show as they were written."""
    page = plain(shown)
    return [each.text for each in kept if plain(each.text) not in page]


async def fill(house: RunningHouse, kept: list[Payload]) -> dict[str, str]:
    """Every payload as the name of a colleague, a patient, a ward, as words, remarks and reasons. Returns addresses."""
    desk, now = house.desk, house.desk.state.now()
    said = [Payload(each.family, _FHIR_REFUSES.sub("", each.text)) for each in kept]
    encounter = (await desk.request(a_key())).answer
    async with desk.state.database.transaction(desk.hospital) as tx:
        auditor = f"auditor@{desk.hospital}"
        for role in (Role.AUDITOR, Role.ADMINISTRATOR, Role.ADMISSION_CLERK):
            await accounts.create_account(
                tx, name=f"{role.value}@{desk.hospital}", display_ko="감사", display_en="Auditor",
                roles=[role, Role.NURSE], password_hash="",
            )  # fmt: skip
        for number, (each, fit) in enumerate(zip(kept, said, strict=True)):
            name = f"n{number}@{desk.hospital}"
            await accounts.create_account(
                tx, name=name, display_ko=each.text, display_en=each.text, roles=[Role.NURSE], password_hash="",
                external=each.text,
            )  # fmt: skip
            ward = (await records.create(tx, locations.ward(fit.text, alias=fit.text), now=now)).reference
            body = {
                "resourceType": "Patient", "id": f"n{number}", "name": [{"text": fit.text, "family": fit.text}],
                "identifier": [{"system": "urn:x", "value": fit.text}], "gender": "female",
            }  # fmt: skip
            patient = (await records.create(tx, body, now=now)).reference
            spec = TaskSpec(
                ref=Reference.to("Task", str(uuid4())), kind=TaskKind.ASSIGN_BED, focus=Reference(encounter["request"]),
                patient=patient, ward=ward, candidates=(Role.BED_MANAGER,), priority=Priority.STAT,
                due_at=now + timedelta(hours=1),
            )  # fmt: skip
            workflow_id = f"{desk.hospital}/admission/{encounter['encounter']}"
            await worklist.open_task(tx, spec, workflow_id=workflow_id, now=now)
            for reviewed in (False, True):
                use = uuid4()
                await glass.break_glass(
                    tx, use, actor=name, patient=patient, reason="other", words=each.text, now=now
                )  # fmt: skip
                if reviewed:
                    await glass.review(tx, use, by=auditor, verdict="justified", remark=each.text, now=now)
            await audit.record(
                tx, action=AuditAction.EXPORT, actor=name, detail="download", at=now, reason=each.text,
                patients=[patient],
            )  # fmt: skip
            last = spec.ref.id
    return {
        "bed-manager": f"/worklist /worklist/{last}",
        "auditor": "/break-glass /break-glass?show=reviewed /security /admin/accounts",
        "administrator": f"/admin/accounts/n0@{desk.hospital} /account/delegations",
        "admission-clerk": "/admissions/new /account/delegations",
    }


async def session(house: RunningHouse, page: Page, account: str) -> None:
    desk = house.desk
    async with desk.state.database.transaction(desk.hospital) as tx:
        secret = await accounts.start_session(tx, f"{account}@{desk.hospital}", desk.state.now(), proved=True)
    await page.context.clear_cookies()
    await page.context.add_cookies([{"name": "phis", "value": secret, "url": house.base_url}])


async def read_back(house: RunningHouse, page: Page, kept: list[Payload]) -> tuple[list[str], list[str]]:
    """What went wrong on any page, and what is shown nowhere."""
    watch, unseen = await Watch.of(page), {each.text for each in kept}
    for account, addresses in (await fill(house, kept)).items():
        await session(house, page, account)
        for address in addresses.split():
            shown = await watch.open(f"{house.base_url}{address}")
            assert len(shown) > 300, address
            unseen &= set(missing(shown, kept))
    await session(house, page, "admission-clerk")
    for each in kept[:: len(kept) // 6]:  # what was typed comes back beside what is wrong
        await watch.open(f"{house.base_url}/admissions/new")
        await page.fill("#name", each.text[:200])
        await page.click("main form.fields button.primary")
        if plain(await page.input_value("#name")) != plain(each.text[:200]):
            watch.wrong.append(f"typed {each.text!r}: comes back as {await page.input_value('#name')!r}")
        ran, violations = await page.evaluate("[window.ran ?? null, window.violations]")
        if ran is not None or violations:
            watch.wrong.append(f"typed {each.text}: ran {ran}, policy {violations}")
    return watch.wrong, sorted(unseen)


async def test_texts_of_people_are_shown_as_they_are_and_do_nothing(
    running_house: RunningHouse, open_page: OpenPage
) -> None:
    page = await open_page()
    wrong, unseen = await read_back(running_house, page, EVERY_SIXTH)
    assert wrong == []
    assert unseen == []


@pytest.mark.long
async def test_more_than_two_hundred_texts_are_shown_as_they_are_and_do_nothing(
    running_house: RunningHouse, open_page: OpenPage
) -> None:
    kept = payloads()
    assert len({each.text for each in kept}) == len(kept) > 200
    page = await open_page()
    wrong, unseen = await read_back(running_house, page, kept)
    print(f"{len(kept)} texts, {len(wrong)} did something, {len(unseen)} were shown nowhere")  # noqa: T201
    assert wrong == []
    assert unseen == []


def _unescaped(**given: Any) -> Environment:
    return Environment(**given | {"autoescape": False})  # noqa: S701  (what is tested is its absence)


@pytest.mark.parametrize("policy", [True, False], ids=["the policy is left", "nothing is left"])
async def test_teeth_without_escaping_the_same_texts_try_to_run(
    running_house: RunningHouse, browser: Browser, monkeypatch: pytest.MonkeyPatch, *, policy: bool
) -> None:
    """Escaping off: the policy still stops each script, and says so. Both off: they run."""
    monkeypatch.setattr(templating, "Environment", _unescaped)
    templating.environment.cache_clear()
    if not policy:
        monkeypatch.setattr(guards, "content_security_policy", lambda _: "default-src * 'unsafe-inline'")
    images = [each for each in payloads() if "<img src=x onerror=window.ran" in each.text][:1]
    context = await browser.new_context(locale="en-GB")
    try:
        watch = await Watch.of(await context.new_page())
        await fill(running_house, images)
        await session(running_house, watch.page, "auditor")
        await watch.open(f"{running_house.base_url}/break-glass")
    finally:
        await context.close()
        templating.environment.cache_clear()
    assert len(watch.wrong) == 1
    assert ("policy ['script-src-attr'" in watch.wrong[0]) is policy
    assert ("ran None" in watch.wrong[0]) is policy


def test_no_text_of_people_begins_a_formula_in_a_table() -> None:
    every = payloads()
    table = writing.table([[each.text, each.family] for each in every])
    cells = [row[0] for row in csv.reader(io.StringIO(table, newline=""))]
    assert len(cells) == len(every)
    assert not [cell for cell in cells if _BEGINS_FORMULA.match(cell)]
    assert [cell.removeprefix("'") for cell in cells] == [each.text.removeprefix("'") for each in every]


def test_teeth_unguarded_some_would(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "shown", lambda cell: cell)
    with pytest.raises(AssertionError):
        test_no_text_of_people_begins_a_formula_in_a_table()


@pytest.mark.parametrize("style", ["json", "console"])
def test_a_line_of_the_log_stays_one_line_and_moves_no_cursor(style: logs.Format) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure("server", style=style, stream=stream)
    try:
        for each in payloads():
            structlog.get_logger("api").warning("command kept", reason=each.text, route=each.text)
            logging.getLogger("api").warning("library said %s", each.text)
    finally:
        root.handlers[:] = before
        root.setLevel(level)
        structlog.reset_defaults()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2 * len(payloads())
    assert all(line.isprintable() for line in lines)
    if style == "json":
        assert {json.loads(line)["level"] for line in lines} == {"warning"}
