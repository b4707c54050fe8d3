"""docker-compose.yml as its tests read it: variables filled in, merges done by YAML itself."""

from __future__ import annotations

import re
from typing import Any

import yaml

from tests.architecture.sources import ROOT

VARIABLE = re.compile(r"\$\{([A-Z_][A-Z0-9_]*)(?::?([-?])([^}]*))?\}")
ONE_SHOT = {"temporal-schema", "bootstrap", "migrate"}
OURS = {"migrate", "server-1", "server-2", "worker"}


def text() -> str:
    return (ROOT / "docker-compose.yml").read_text(encoding="utf-8")


def interpolate(raw: str, given: dict[str, str]) -> str:
    """Fill in `${NAME}`, `${NAME:-default}` and `${NAME:?message}` the way Compose does; `$$` is a dollar."""

    def value(match: re.Match[str]) -> str:
        name, kind, rest = match.groups()
        if name in given:
            return given[name]
        if kind == "-":
            return rest
        raise LookupError(f"{name} is required: {rest}")

    return VARIABLE.sub(value, raw).replace("$$", "$")


def loaded() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(interpolate(text(), {"PHIS_PUBLIC_URL": "https://phis.example.org"}))
    return document


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = loaded()["services"]
    return found
