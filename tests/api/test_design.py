"""The design language: names that exist, a bundle that is never stale, a page that shows all of it."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import httpx
import pytest

from api.ui import templating
from api.ui.templating import HERE, STATIC, icon_names, parts
from api.ui.views.frame import frame
from api.ui.words import Language, words
from domain.roles import Role
from tests.api.conftest import SignIn
from tests.desk import caller

STYLES = ["tokens.css", "house.css", "screens.css", "print.css"]


def read(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


def test_every_name_that_a_style_uses_is_a_token() -> None:
    named = set(re.findall(r"(--[a-z0-9-]+)\s*:", read("tokens.css")))
    used = {name for style in STYLES for name in re.findall(r"var\((--[a-z0-9-]+)\)", read(style))}
    assert used - named == set()
    assert named - used == set(), "a token that nothing uses"


def test_no_component_has_a_colour_of_its_own() -> None:
    """But shadows, what lies behind a dialog, what is written on a filled danger, and the white under a QR code."""
    found = [
        line.strip()
        for style in ("house.css", "screens.css")
        for line in read(style).splitlines()
        if re.search(r"#[0-9a-f]{3,8}\b|rgb\(", line) and not re.match(r"#[a-z]", line.strip())
    ]
    assert len(found) <= 4, found


def test_every_icon_that_a_page_names_is_there() -> None:
    known = set(icon_names())
    pages = [*(HERE / "templates").rglob("*.html")]
    used = {
        name
        for page in pages
        for call in re.findall(r"icon\(([^)]*)\)", page.read_text(encoding="utf-8"))
        for name in re.findall(r'"([a-z]+)"(?!\s*:)', re.sub(r'== "[a-z]+"', "", call))
    }
    assert used
    assert used - known - {"tone"} == set()


def test_the_icons_of_set_up_are_all_of_them() -> None:
    made = STATIC / "vendor" / "icons" / "icons.svg"
    if not made.exists():
        pytest.skip("the screens' assets are missing; `make setup` fetches them")
    assert set(re.findall(r'<symbol id="([a-z]+)"', made.read_text(encoding="utf-8"))) == set(icon_names())


def test_a_page_uses_the_bundle_only_while_it_is_of_these_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = {"css": ["one.css", "two.css"], "js": ["one.js"]}
    (tmp_path / "parts.json").write_text(json.dumps(listed))
    for name in ("one.css", "two.css", "one.js"):
        (tmp_path / name).write_text(name)
    made = tmp_path / "vendor" / "house"
    made.mkdir(parents=True)
    (made / "house.css").write_text("small")
    (made / "sources.sha256").write_text(hashlib.sha256(b"one.csstwo.cssone.js").hexdigest())
    monkeypatch.setattr(templating, "STATIC", tmp_path)
    for cached in (parts, templating.asset):
        cached.cache_clear()
    try:
        assert [each.partition("?")[0] for each in parts("css")] == ["/static/vendor/house/house.css"]
        (tmp_path / "two.css").write_text("changed")
        parts.cache_clear()
        assert [each.partition("?")[0] for each in parts("css")] == ["/static/one.css", "/static/two.css"]
    finally:
        for cached in (parts, templating.asset):
            cached.cache_clear()


@pytest.mark.parametrize("theme", ["", "light", "dark", "pink"])
async def test_the_living_page_shows_each_side(client: httpx.AsyncClient, sign_in: SignIn, theme: str) -> None:
    await sign_in(Role.HOUSEKEEPING)
    page = await client.get("/design", params={"theme": theme} if theme else None)
    assert page.status_code == httpx.codes.OK
    assert ("data-theme" in page.text) is (theme in {"light", "dark"})
    assert 'aria-describedby="wrong-name-hint wrong-name-error"' in page.text


def test_no_two_pages_have_the_same_letter() -> None:
    everybody = caller("hanbit", *Role)
    made = frame(words(Language.EN), everybody, title="", at="/", here="/", nonce="")
    letters = [item.key for item in made.nav if item.key]
    assert len(letters) == len(set(letters)) > 4
