"""Templates: one environment per language, strict about what is missing, with our assets under their content's hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.ui.words import Language, words

HERE = Path(__file__).parent
STATIC = HERE / "static"


@cache
def asset(name: str) -> str:
    """The address of a file under `static/`; empty where set-up has not brought it, so that pages work without."""
    path = STATIC / name
    if not path.is_file():
        return ""
    return f"/static/{name}?v={hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"


@cache
def parts(kind: str) -> Sequence[str]:
    """Addresses of our styles (`css`) or scripts (`js`): one bundle, or each by itself where the bundle is not of them.

    So a page is never shown with styles of yesterday: set-up bundles, and whoever changes a file sees it at once.
    """
    listed: dict[str, list[str]] = json.loads((STATIC / "parts.json").read_text(encoding="utf-8"))
    sources = b"".join((STATIC / name).read_bytes() for names in listed.values() for name in names)
    made = STATIC / "vendor" / "house" / "sources.sha256"
    current = made.is_file() and made.read_text(encoding="ascii") == hashlib.sha256(sources).hexdigest()
    names = [f"vendor/house/house.{kind}"] if current else listed[kind]
    return tuple(asset(name) for name in names)


@cache
def icons() -> str:
    """The file of the icons; empty where set-up has not brought it."""
    return asset("vendor/icons/icons.svg")


@cache
def icon_names() -> Sequence[str]:
    """What an icon may mean (static/icons.json)."""
    return tuple(json.loads((STATIC / "icons.json").read_text(encoding="utf-8")))


@cache
def environment(language: Language) -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    # The extension adds this method to the environment at run time.
    made.install_gettext_translations(words(language).catalog, newstyle=False)  # type: ignore[attr-defined]
    made.globals.update(asset=asset, parts=parts, icons=icons)
    return made


def render(language: Language, template: str, **context: object) -> str:
    return environment(language).get_template(template).render(**context)
