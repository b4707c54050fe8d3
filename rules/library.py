"""The shipped national defaults: the newest version of each rule stands as a file beside this module."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType

from domain.decisions import DecisionPoint
from domain.errors import RuleUnusable
from rules.document import RuleDocument, load


@cache
def shipped() -> Mapping[DecisionPoint, RuleDocument]:
    """Every shipped rule by the decision point it serves. Raises RuleUnusable, naming the file."""
    rules: dict[DecisionPoint, RuleDocument] = {}
    for file in _documents(files("rules") / "library"):
        try:
            document = load(json.loads(file.read_text("utf-8")))
        except RuleUnusable as wrong:
            raise RuleUnusable(f"{file.name}: {wrong}", **wrong.params) from wrong
        if file.name != f"{document.id}.json" or document.decision_point in rules:
            raise RuleUnusable(f"{file.name}: one file a rule, named for it, and one rule a decision point")
        rules[document.decision_point] = document
    if absent := set(DecisionPoint) - set(rules):
        raise RuleUnusable(f"no shipped rule for {', '.join(sorted(absent))}")
    return MappingProxyType(rules)


def _documents(folder: Traversable) -> list[Traversable]:
    found = [file for area in folder.iterdir() if area.is_dir() for file in area.iterdir()]
    return sorted((file for file in found if file.name.endswith(".json")), key=lambda file: file.name)
