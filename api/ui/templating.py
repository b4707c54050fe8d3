"""Templates: one environment per language, strict about what is missing, with our assets under their content's hash."""

from __future__ import annotations

import hashlib
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
    made.globals["asset"] = asset
    return made


def render(language: Language, template: str, **context: object) -> str:
    return environment(language).get_template(template).render(**context)
