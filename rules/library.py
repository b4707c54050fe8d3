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
from rules.engine import RuleEngine
from rules.points import shipped_registry


@cache
def shipped() -> Mapping[DecisionPoint, RuleDocument]:
    """Every shipped rule by the decision point it serves. Raises RuleUnusable, naming the file.

    A decision point whose fallback is not shown by a test of its shipped rule does not load.
    """
    rules: dict[DecisionPoint, RuleDocument] = {}
    engine = RuleEngine()
    if strangers := set(shipped_registry().points) ^ set(DecisionPoint):
        raise RuleUnusable(f"declared here and not there: {', '.join(sorted(strangers))}")
    for file in _documents(files("rules") / "library"):
        try:
            document = load(json.loads(file.read_text("utf-8")))
            _refuse_untested_fallback(document, engine)
        except RuleUnusable as wrong:
            raise RuleUnusable(f"{file.name}: {wrong}", **wrong.params) from wrong
        point = DecisionPoint(document.decision_point)
        if file.name != f"{document.id}.json" or point in rules:
            raise RuleUnusable(f"{file.name}: one file a rule, named for it, and one rule a decision point")
        rules[point] = document
    if absent := set(DecisionPoint) - set(rules):
        raise RuleUnusable(f"no shipped rule for {', '.join(sorted(absent))}")
    return MappingProxyType(rules)


def _refuse_untested_fallback(document: RuleDocument, engine: RuleEngine) -> None:
    """Raises RuleUnusable unless a test leaves the decision open and the fallback stands."""
    expected = shipped_registry().point(document.decision_point).fallback.outcome
    for test in document.tests:
        if test.indeterminate:
            evaluated = engine.evaluate(document, test.facts)
            if evaluated.indeterminate and evaluated.outcome == expected:
                return
    raise RuleUnusable("its fallback is not tested", pointer="/tests")


def _documents(folder: Traversable) -> list[Traversable]:
    found = [file for area in folder.iterdir() if area.is_dir() for file in area.iterdir()]
    return sorted((file for file in found if file.name.endswith(".json")), key=lambda file: file.name)
