"""A rule as a document: what it decides, on which facts, with which answers, and the proof that it does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from domain.commands import canonical_json
from domain.decisions import DecisionPoint
from domain.errors import RuleUnusable

MAX_DEPTH = 64
MAX_NODES = 5_000
MAX_BYTES = 256 * 1024

Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Facts = dict[str, Any]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(_Part):
    """A sentence in both languages of the house."""

    ko: str
    en: str


class Fact(_Part):
    """A fact that the rule may read. `unit` in UCUM for a quantity, `codes` for a coded fact: never both."""

    type: Literal["code", "integer", "number", "boolean", "instant", "date"]
    title: Text
    unit: str | None = None
    codes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _is_measured_or_coded(self) -> Self:
        if (self.type in {"integer", "number"}) != (self.unit is not None):
            raise ValueError("a quantity needs a unit (UCUM, `1` for a count), and nothing else has one")
        if (self.type == "code") != bool(self.codes):
            raise ValueError("a coded fact lists its codes, and nothing else does")
        return self

    def fits(self, value: Any) -> bool:
        """Whether a supplied value is what the rule was written for."""
        match self.type:
            case "code":
                return value in self.codes
            case "boolean":
                return isinstance(value, bool)
            case "integer":
                return isinstance(value, int) and not isinstance(value, bool)
            case "number":
                return isinstance(value, int | float) and not isinstance(value, bool)
            case _:
                return isinstance(value, str)


class Outcome(_Part):
    """What the process is told: values that it uses, and the sentence that people read."""

    values: dict[str, Any]
    text: Text


class AttachedTest(_Part):
    """Facts and the outcome that must come of them; `indeterminate` when they must not suffice."""

    name: str
    facts: Facts
    outcome: Code
    indeterminate: bool = False


class RuleDocument(_Part):
    """One version of one rule. The SHA-256 of its canonical JSON is the version's identity."""

    id: Code
    version: Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]
    title: Text
    source: str
    rationale: Text
    owner: str
    review_by: date
    profile: Literal["jl-strict/1"]
    decision_point: DecisionPoint
    facts: dict[str, Fact]
    outcomes: dict[Code, Outcome]
    fallback: Code
    logic: Any
    tests: Annotated[tuple[AttachedTest, ...], Field(min_length=1)]

    @property
    def digest(self) -> str:
        return sha256(canonical_json(self.model_dump(mode="json"))).hexdigest()

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.fallback not in self.outcomes:
            raise ValueError("the fallback is not in the outcome table")
        for test in self.tests:
            if test.outcome not in self.outcomes:
                raise ValueError(f"test {test.name!r} expects an outcome that is not in the table")
        return self


def load(raw: Any) -> RuleDocument:
    """Read a document. Raises RuleUnusable with the JSON Pointer of what is wrong.

    The limits are checked before anything walks the document by recursion: the evaluator ends the whole process on a
    rule that is nested some thousand deep.
    """
    for nodes, (depth, pointer) in enumerate(_walk(raw), start=1):
        if depth > MAX_DEPTH:
            raise RuleUnusable(f"nested deeper than {MAX_DEPTH}", pointer=pointer)
        if nodes > MAX_NODES:
            raise RuleUnusable(f"more than {MAX_NODES} values", pointer=pointer)
    try:
        document = RuleDocument.model_validate(raw)
        if len(canonical_json(raw)) > MAX_BYTES:
            raise RuleUnusable(f"larger than {MAX_BYTES} bytes", pointer="")
    except ValidationError as invalid:
        first = invalid.errors()[0]
        pointer = "".join(f"/{part}" for part in first["loc"])
        raise RuleUnusable(first["msg"], pointer=pointer) from invalid
    return document


def depth_of(value: Any) -> int:
    """How deep a JSON value is nested: 1 for a scalar. Counted without recursion."""
    return max(depth for depth, _ in _walk(value))


def _walk(value: Any) -> Iterator[tuple[int, str]]:
    """Each value within `value` with its depth and JSON Pointer, in no particular order, without recursion."""
    waiting: list[tuple[Any, int, str]] = [(value, 1, "")]
    while waiting:
        here, depth, pointer = waiting.pop()
        yield depth, pointer
        match here:
            case dict():
                inner = [
                    (part, f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}")
                    for name, part in here.items()
                ]
            case list() | tuple():
                inner = [(part, f"{pointer}/{index}") for index, part in enumerate(here)]
            case _:
                continue
        waiting.extend((part, depth + 1, where) for part, where in inner)
