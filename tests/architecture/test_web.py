"""What keeps other people's text from becoming script, formula or pattern: one way for each, and nobody beside it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.ui.templating import HERE, environment
from api.ui.words import Language
from tests.architecture.sources import ROOT, files, modules, name_of, read

XML = {"xml", "lxml", "defusedxml", "xmltodict", "bs4", "html5lib"}
EXPAT = {
    "adapters/fhir/validation/narrative.py": "is it well-formed XHTML; declarations of any kind are refused",
    "domain/fhirpath/functions/narrative.py": "htmlChecks; declarations of any kind are refused",
}
"""Who may ask expat, and what for. Neither builds a tree, opens an entity or fetches anything."""

CSV = {"adapters/csv/reading.py", "adapters/csv/writing.py"}
UNESCAPED: dict[str, str] = {}
"""Templates that switch escaping off, with the reason. There is none."""

_UNESCAPING = re.compile(r"\|\s*(?:safe|tojson|xmlattr)\b|autoescape|Markup|__html__")
_INLINE = re.compile(r"<script(?![^>]*\bnonce=)|<style\b|\sstyle=|\son[a-z]+=|javascript:|\shx-on|\shx-vals=.?js:")


def templates() -> list[Path]:
    return [path for path in files() if path.is_relative_to(HERE / "templates")]


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def importers(of: set[str]) -> set[str]:
    return {
        name_of(path) for path in modules() if any(each.split(".")[0] in of for each in imported(ast.parse(read(path))))
    }


def unescaping(text: str) -> list[str]:
    return [match.group() for match in _UNESCAPING.finditer(text)]


def test_no_template_switches_escaping_off() -> None:
    assert {
        name_of(path): found for path in templates() if (found := unescaping(read(path)))
    }.keys() == UNESCAPED.keys()
    assert len(templates()) > 20


def test_no_module_of_ours_marks_text_as_safe() -> None:
    marking = {
        name_of(path)
        for path in modules()
        if {"markupsafe.Markup", "jinja2.Markup", "fasthtml"} & set(imported(ast.parse(read(path))))
    }
    assert marking == set()


def test_every_template_escapes() -> None:
    for language in Language:
        made = environment(language)
        assert made.autoescape is True
        assert made.from_string("{{ it }}").render(it="<b>\"'") == "&lt;b&gt;&#34;&#39;"
        assert made.from_string("{{ _('Number: {id}').format(id=it) }}").render(it="<b>").endswith("&lt;b&gt;")


def test_no_template_needs_more_than_the_policy_allows() -> None:
    assert {name_of(path): found for path in templates() if (found := _INLINE.findall(read(path)))} == {}


def test_no_xml_is_parsed_but_narratives_by_expat_alone() -> None:
    assert importers(XML) == set(EXPAT)
    for name in EXPAT:
        found = {each for each in imported(ast.parse(read(ROOT / name))) if each.split(".")[0] in XML}
        assert found == {"xml.parsers", "xml.parsers.expat"}, name


def test_tables_for_spreadsheets_are_written_in_one_place() -> None:
    assert importers({"csv"}) == CSV


def test_patterns_that_people_enter_meet_re2() -> None:
    """Filters of value sets hold patterns that people write; FHIRPath's have a linear engine of their own."""
    assert importers({"re2"}) == {"domain/terminology/filters.py"}
    assert "re" not in set(imported(ast.parse(read(ROOT / "domain/terminology/filters.py"))))


def test_the_proxy_logs_paths_without_what_was_asked() -> None:
    configured = read(ROOT / "deploy/proxy/haproxy.cfg")
    assert not re.search(r"^\s*option\s+(?:httplog|tcplog)", configured, re.MULTILINE)
    written = re.search(r"^\s*log-format\s+(.+)$", configured, re.MULTILINE)
    assert written
    assert not re.search(r"%(?:\{[^}]*\})?(?:r|HQ|HU|hr|hs|hrl|hsl)\b", written[1])
    assert "%HPO" in written[1]


@pytest.mark.parametrize("text", ["{{ a|safe }}", "{{ a | safe }}", "{% autoescape false %}", "{{ Markup(a) }}"])
def test_the_search_for_escapes_can_fail(text: str) -> None:
    assert unescaping(text)


def test_the_search_for_inline_script_can_fail() -> None:
    for text in (
        "<script>x</script>",
        "<a onclick=x>",
        '<a href="javascript:x">',
        "<p style='x'>",
        "<b hx-on:click=x>",
    ):
        assert _INLINE.search(text), text
    assert not _INLINE.search('<script nonce="{{ n }}" src="x"></script>')
