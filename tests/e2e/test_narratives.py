"""Narratives (`text.div`) are XHTML that others have written: what is kept runs nowhere, not even shown as HTML.

No screen shows narratives. They go out over FHIR, so what the validation lets through has to be harmless there.
"""

from __future__ import annotations

from html import unescape

from playwright.async_api import Browser

from adapters.fhir.validation import narrative
from domain.roles import Role
from store import accounts, records
from tests.e2e.conftest import OpenPage, RunningHouse
from tests.e2e.payloads import payloads
from tests.e2e.test_injection import Watch, session

XHTML = '<div xmlns="http://www.w3.org/1999/xhtml">{}</div>'
ATTRIBUTES = (
    '<p style="{}">x</p>', '<a href="{}">x</a>', '<img src="{}" alt="x"/>', '<p class="{}">x</p>',
    '<td title="{}">x</td>', '<a name="{}">x</a>', '<p onclick="{}">x</p>', '<q cite="{}">x</q>',
)  # fmt: skip
VALUES = (
    "javascript:window.ran=1", "JaVaScRiPt:window.ran=1", "java&#x0a;script:window.ran=1",
    "data:text/html,&lt;script&gt;window.ran=1&lt;/script&gt;", "data:image/svg+xml,&lt;svg onload='window.ran=1'/&gt;",
    "vbscript:x", "//evil.example/x", "background:url(//evil.example/x)",
    "background:u\\72l(//evil.example/x)", "background:u/**/rl(//evil.example/x)", "@import '//evil.example'",
    "width:expression(window.ran=1)", "behavior:url(#x)", "&quot; onerror=&quot;window.ran=1",
    "background-image:image-set('//evil.example/x' 1x)", "position:fixed;top:0;left:0;width:100vw;height:100vh",
)  # fmt: skip


def narratives() -> list[str]:
    """Every payload as it is, and well-formed, and every value in every attribute."""
    raw = [XHTML.format(each.text) for each in payloads()]
    closed = [XHTML.format(unescape(each.text).replace("<", "<b/><", 1).replace("&", "&amp;")) for each in payloads()]
    return [*raw, *closed, *(XHTML.format(where.format(value)) for where in ATTRIBUTES for value in VALUES)]


ACCEPTED = [each for each in narratives() if narrative.wrong(each) is None]


async def test_a_narrative_that_is_kept_runs_nothing_even_where_it_is_shown_as_html(browser: Browser) -> None:
    """Without any policy: what stops it is that it was refused."""
    context = await browser.new_context()
    try:
        watch = await Watch.of(await context.new_page())
        for each in ACCEPTED:
            await watch.page.set_content(each)
            for link in await watch.page.query_selector_all("a, p, td"):
                await link.dispatch_event("mouseover")
            if await watch.page.evaluate("window.ran ?? null") is not None:
                watch.wrong.append(each)
    finally:
        await context.close()
    assert len(narratives()) > 500
    assert 20 < len(ACCEPTED) < len(narratives()) / 2
    assert watch.wrong == []


async def test_teeth_narratives_that_were_refused_would_run(browser: Browser) -> None:
    context = await browser.new_context()
    ran = 0
    try:
        watch = await Watch.of(await context.new_page())
        for each in [one for one in narratives() if "<img src=x onerror=window.ran" in one]:
            assert narrative.wrong(each)
            await watch.page.set_content(each)
            ran += await watch.page.evaluate("window.ran !== undefined")
    finally:
        await context.close()
    assert ran


async def test_a_narrative_that_came_past_the_validation_is_shown_on_no_screen(
    running_house: RunningHouse, open_page: OpenPage
) -> None:
    """Kept by an earlier release or loaded past all checks: neither pages nor FHIR's answers let it do anything."""
    desk, page = running_house.desk, await open_page()
    now, hostile = desk.state.now(), [each for each in narratives() if narrative.wrong(each)][::20]
    async with desk.state.database.transaction(desk.hospital) as tx:
        for role in (Role.MEDICAL_RECORDS,):
            await accounts.create_account(
                tx, name=f"{role.value}@{desk.hospital}", display_ko="의무", display_en="Records", roles=[role],
                password_hash="",
            )  # fmt: skip
        ids = []
        for number, div in enumerate(hostile):
            body = {
                "resourceType": "Patient", "id": f"nar{number}", "name": [{"text": f"Narrative {number}"}],
                "gender": "female", "text": {"status": "generated", "div": div},
            }  # fmt: skip
            ids.append((await records.create(tx, body, now=now)).reference.id)
    watch = await Watch.of(page)
    await session(running_house, page, "medical-records")
    for id_ in ids:
        shown = await watch.open(f"{running_house.base_url}/patients/{id_}")
        assert "Narrative" in shown
        answer = await page.request.get(f"{running_house.base_url}/fhir/{desk.hospital}/Patient/{id_}")
        assert answer.ok, await answer.text()
        assert answer.headers["content-type"].startswith("application/fhir+json")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "script-src" not in answer.headers["content-security-policy"]
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert len(ids) > 15
    assert watch.wrong == []
