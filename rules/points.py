"""Decision points and the facts dictionary: where a rule is asked, what it may know, what it must answer.

Both are data beside this module (`dictionary/*.json`, `points/*.json`) and belong to the release: a hospital writes
rules, not points. A point whose fallback is not tested does not load (`rules.library`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, Self

from pydantic import Field, ValidationError, model_validator

from domain.errors import RuleUnusable
from rules.facts import Code, FactDefinition, FactPath, Part, Text


class Shape(StrEnum):
    """How an answer looks: one key of the outcome table, several of them in order, or a number."""

    ONE = "one"
    MANY = "many"
    NUMBER = "number"


class Pin(StrEnum):
    """Which version a running process uses."""

    START = "pinned-at-start"
    LATEST = "latest"


class ValueShape(Part):
    """A column of the outcome table, as the process reads it."""

    type: str = Field(pattern="^(boolean|integer|number|money|code|codes|text)$")
    title: Text
    unit: str | None = None
    codes: tuple[str, ...] = ()
    required: bool = True


class Fallback(Part):
    """What happens meanwhile when the rule is not evaluated.

    outcome: a key that every rule of the point has in its table, with at least these `values`. effect: what the
    process does. position: the duty position that gets the task. minutes: by when.
    """

    outcome: Code
    values: dict[str, Any] = Field(default_factory=dict)
    effect: Text
    position: Code
    minutes: int = Field(ge=0)


class PointDefinition(Part):
    """A place in a process where a hospital may have its own opinion.

    facts: everything that the process supplies there, read or not by today's rule.
    """

    id: Code
    title: Text
    purpose: Text
    process: str
    shape: Shape = Shape.ONE
    unit: str | None = None
    values: dict[str, ValueShape] = Field(default_factory=dict)
    facts: tuple[FactPath, ...]
    pin: Pin
    fallback: Fallback

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if len(set(self.facts)) != len(self.facts):
            raise ValueError("a fact is supplied twice")
        if (self.shape is Shape.NUMBER) != (self.unit is not None):
            raise ValueError("a numeric answer has a unit, and no other answer has")
        if unknown := self.fallback.values.keys() - self.values.keys():
            raise ValueError(f"the fallback sets {', '.join(sorted(unknown))}, which the outcome table does not have")
        return self


class Registry:
    """The dictionary and the points together. `version` identifies both, and is kept with every decision."""

    def __init__(self, facts: Mapping[str, FactDefinition], points: Mapping[str, PointDefinition]) -> None:
        """Raises RuleUnusable for a point that supplies a fact nobody declared."""
        self.facts = dict(facts)
        self.points = dict(points)
        for point in points.values():
            if undeclared := set(point.facts) - set(facts):
                raise RuleUnusable(f"{point.id} supplies {', '.join(sorted(undeclared))}, which nobody declared")
        for path in facts:
            parents = path.split(".")[:-1]
            if any(".".join(parents[: depth + 1]) in facts for depth in range(len(parents))):
                raise RuleUnusable(f"{path} stands within another fact")

    @cached_property
    def version(self) -> str:
        """SHA-256 over all declarations."""
        from domain.canonical import canonical_digest  # noqa: PLC0415  (only the log asks for it)

        return canonical_digest(
            {
                "facts": {path: fact.model_dump(mode="json") for path, fact in self.facts.items()},
                "points": {name: point.model_dump(mode="json") for name, point in self.points.items()},
            }
        )

    def point(self, name: str) -> PointDefinition:
        """Raises RuleUnusable for a point that does not exist."""
        try:
            return self.points[name]
        except KeyError:
            raise RuleUnusable(f"there is no decision point {name}", pointer="/decision_point") from None

    def supplied_by(self, path: str) -> tuple[str, ...]:
        """The decision points that supply a fact."""
        return tuple(name for name, point in self.points.items() if path in point.facts)


@cache
def shipped_registry() -> Registry:
    """The dictionary and points of this release. Raises RuleUnusable, naming the file and the place."""
    facts = {fact.path: fact for fact in (_fact(raw, name) for name, raw in _entries("dictionary", "facts"))}
    points = {point.id: point for point in (_point(raw, name) for name, raw in _entries("points", "points"))}
    for folder, key, loaded in (("dictionary", "facts", facts), ("points", "points", points)):
        if len(loaded) != sum(1 for _ in _entries(folder, key)):
            raise RuleUnusable(f"rules/{folder}: something is declared twice")
    return Registry(facts, points)


def _entries(folder: str, key: str) -> Iterator[tuple[str, Any]]:
    for file in sorted((files("rules") / folder).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".json"):
            for index, raw in enumerate(json.loads(file.read_text("utf-8"))[key]):
                yield f"{file.name}#/{key}/{index}", raw


def _fact(raw: Any, name: str) -> FactDefinition:
    try:
        return FactDefinition.model_validate(raw)
    except ValidationError as invalid:
        raise RuleUnusable(f"{name}: {invalid.errors()[0]['msg']}") from invalid


def _point(raw: Any, name: str) -> PointDefinition:
    try:
        return PointDefinition.model_validate(raw)
    except ValidationError as invalid:
        raise RuleUnusable(f"{name}: {invalid.errors()[0]['msg']}") from invalid
