"""Documents and code say the same: routes, rules, commands and links, both ways."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, files, name_of, read

PAGES = [path for path in files() if path.suffix == ".md"]
ROUTE = re.compile(r"^#{2,4} `(GET|POST|PUT|PATCH|DELETE) (/\S*)`$", re.MULTILINE)
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
RULE = re.compile(r"^#{2,4} `([a-z0-9-]+)`", re.MULTILINE)


def anchors(text: str) -> set[str]:
    """Anchors of a page's headings, made as code hosts make them."""
    heads = re.findall(r"^#{1,6} (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


def broken_links(page: Path, text: str) -> list[str]:
    """Links of a page that lead nowhere within the project. Addresses elsewhere are not followed."""
    broken = []
    for match in LINK.finditer(FENCE.sub("", text)):
        target = match.group(1) or match.group(2)
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(read(file))):
            broken.append(target)
    return broken


def unknown_commands(text: str, known: set[str]) -> set[str]:
    """Commands of `phis` that a page names and nobody has."""
    return set(re.findall(r"`phis ([a-z]+)", text)) - known


def unknown_settings(text: str, known: set[str]) -> set[str]:
    return set(re.findall(r"\bPHIS_[A-Z_]+[A-Z]\b", text)) - known


def commands() -> set[str]:
    from typer.main import get_command

    from runtime.cli.commands import app

    return set(getattr(get_command(app), "commands", {}))


def documented_routes(text: str) -> set[tuple[str, str]]:
    return set(ROUTE.findall(text))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    assert broken_links(page, read(page)) == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_names_commands_and_settings_that_exist(page: Path) -> None:
    from runtime.settings import Settings

    assert unknown_commands(read(page), commands()) == set()
    assert unknown_settings(read(page), {f"PHIS_{name.upper()}" for name in Settings.model_fields}) == set()


def test_every_command_is_explained() -> None:
    explained = set(re.findall(r"`phis ([a-z]+)", read(ROOT / "docs" / "operations" / "run.md")))
    assert commands() - explained == set()


def test_every_route_is_documented_and_every_documented_route_exists() -> None:
    from api import app

    served = {(method, re.sub(r":\w+}", "}", path)) for method, path in app.routes()}
    assert documented_routes(read(ROOT / "docs" / "http.md")) == served


def test_every_rule_is_documented_and_every_documented_rule_exists() -> None:
    shipped = {json.loads(read(path))["id"] for path in files() if path.match("rules/library/*/*.json")}
    assert shipped
    assert set(RULE.findall(read(ROOT / "docs" / "clinical" / "rules.md"))) == shipped


def test_a_rule_lies_under_its_id() -> None:
    for path in files():
        if path.match("rules/library/*/*.json"):
            assert json.loads(read(path))["id"] == path.stem


def test_every_decision_record_is_numbered_and_listed_once() -> None:
    records = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
    numbers = [int(path.name[:4]) for path in records]
    assert numbers == sorted(set(numbers))  # a number may be free: some are given out before they are written
    for path in records:
        text = read(path)
        assert re.search(r"^# \d{4} ", text, re.MULTILINE), path.name
        for part in ("## Context", "## Options", "## Decision", "## Consequences"):
            assert part in text, f"{path.name} lacks {part}"


def test_the_checks_can_fail(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One two\n[a](gone.md) [b](#one-two) [c](#gone) [d](https://example.org) ![e](gone.png)\n")
    assert broken_links(page, read(page)) == ["gone.md", "#gone", "gone.png"]
    assert unknown_commands("run `phis up --demo none`, then `phis bake`", {"up"}) == {"bake"}
    assert unknown_settings("PHIS_PORT and PHIS_PROT", {"PHIS_PORT"}) == {"PHIS_PROT"}
    assert documented_routes("### `POST /commands/admissions`\n### GET /x\n") == {("POST", "/commands/admissions")}


def test_a_shipped_rule_is_described_as_it_is() -> None:
    from rules.describing import section
    from rules.library import shipped
    from rules.points import shipped_registry

    page = read(ROOT / "docs" / "clinical" / "rules.md")
    areas = {path.stem: path.parent.name for path in files() if path.match("rules/library/*/*.json")}
    for rule in shipped().values():
        told = section(rule, areas[rule.id], shipped_registry())
        assert told in page, f"`phis rules describe rules/library/{areas[rule.id]}/{rule.id}.json` prints its section"
