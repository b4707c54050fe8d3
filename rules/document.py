"""A rule as a document: what it decides, on which facts, with which answers, and the proof that it does."""

from __future__ import annotations

import re
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, Field, StringConstraints, ValidationError, field_validator, model_validator

from domain.canonical import canonical_json
from domain.errors import RuleUnusable
from domain.ids import FHIR_ID
from rules.facts import Code, FactPath, Facts, Part, Text
from rules.findings import Finding, finding, refuse
from rules.limits import MAX_BYTES, MAX_DEPTH, MAX_NODES, MAX_ROWS, depth_of, within_limits
from rules.malformed import malformed, wrong
from rules.tables.model import Table
from rules.trees import Tree

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_NODES",
    "MAX_ROWS",
    "AttachedTest",
    "Effective",
    "Facts",
    "Level",
    "Outcome",
    "RuleDocument",
    "Scope",
    "depth_of",
    "load",
    "read_document",
]


_HOSPITAL = re.compile(r"[a-z][a-z0-9]{1,30}")  # as domain.ids
_DEPARTMENT = re.compile(rf"{_HOSPITAL.pattern}/{FHIR_ID.pattern}")
_FIRST_YEAR, _LAST_YEAR = 1900, 9000  # every offset and every database knows them


class Outcome(Part):
    """What the process is told: values that it uses, and the sentence that people read."""

    values: dict[str, Any]
    text: Text


class AttachedTest(Part):
    """Facts and the answer that must come of them; `indeterminate` when they must not suffice.

    outcome: a key, several keys in order where the point answers with many, or a number.
    """

    name: str = Field(min_length=1)
    facts: Facts
    outcome: Code | tuple[Code, ...] | float
    indeterminate: bool = False


class Level(StrEnum):
    """How far a rule reaches, widest first. The narrowest effective one applies."""

    NATIONAL = "national"
    NETWORK = "network"
    HOSPITAL = "hospital"
    DEPARTMENT = "department"

    @property
    def rank(self) -> int:
        return list(Level).index(self)


class Scope(Part):
    """Whose rule this is. `place` names the network, hospital or department (`hospital/department`); a nation's name
    or nothing for a national one."""

    level: Level = Level.NATIONAL
    place: str = ""

    @model_validator(mode="after")
    def _names_its_place(self) -> Self:
        if self.level is not Level.NATIONAL and not self.place:
            raise wrong("scope-place", "/place")
        if self.level is Level.HOSPITAL and not _HOSPITAL.fullmatch(self.place):
            raise wrong("scope-hospital", "/place")
        if self.level is Level.DEPARTMENT and not _DEPARTMENT.fullmatch(self.place):
            raise wrong("scope-department", "/place")
        return self


class Effective(Part):
    """From (inclusive) and to (exclusive), both optional, in any offset."""

    since: AwareDatetime | None = None
    until: AwareDatetime | None = None

    @field_validator("since", "until", mode="before")
    @classmethod
    def _is_written_as_an_instant(cls, value: Any) -> Any:
        if value is not None and not isinstance(value, str | datetime):
            raise wrong("member-instant")
        return value

    @field_validator("since", "until")
    @classmethod
    def _lies_within_the_calendar(cls, value: datetime | None) -> datetime | None:
        if value is not None and not _FIRST_YEAR <= value.year <= _LAST_YEAR:
            raise wrong("instant-years", first=_FIRST_YEAR, last=_LAST_YEAR)
        return value

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> Self:
        if self.since and self.until and self.since >= self.until:
            raise wrong("ends-early", "/until")
        return self

    def covers(self, moment: datetime) -> bool:
        return (self.since is None or self.since <= moment) and (self.until is None or moment < self.until)


class RuleDocument(Part):
    """One version of one rule. The SHA-256 of its canonical JSON is the version's identity.

    `logic` is what is evaluated. `table` or `tree` is what was edited, where it was not the logic itself; the logic
    is then exactly what the form compiles to. `facts` are the paths that the logic reads.
    """

    id: Code
    version: Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d+$")]
    title: Text
    source: str = Field(min_length=1)
    rationale: Text
    owner: Code
    review_by: date
    profile: Literal["jl-strict/1"]
    decision_point: Code
    scope: Scope = Scope()
    effective: Effective = Effective()
    facts: tuple[FactPath, ...]
    outcomes: dict[Code, Outcome]
    fallback: Code
    logic: Any
    table: Table | None = None
    tree: Tree | None = None
    tests: Annotated[tuple[AttachedTest, ...], Field(min_length=1)]

    @cached_property
    def digest(self) -> str:
        """Over what was written, not over defaults, so that a later release with more members agrees."""
        return sha256(self.canonical).hexdigest()

    @property
    def canonical(self) -> bytes:
        """The bytes that are kept: canonical JSON of what was written (RFC 8785)."""
        return canonical_json(self.model_dump(mode="json", exclude_unset=True))

    @model_validator(mode="after")
    def _holds_together(self) -> Self:
        if self.fallback not in self.outcomes:
            raise wrong("fallback-unknown", "/fallback", outcome=self.fallback)
        for index, test in enumerate(self.tests):
            keys = test.outcome if isinstance(test.outcome, tuple) else (test.outcome,)
            if any(isinstance(key, str) and key not in self.outcomes for key in keys):
                raise wrong("test-outcome", f"/tests/{index}/outcome", name=test.name)
        if len({test.name for test in self.tests}) != len(self.tests):
            raise wrong("test-twice", "/tests")
        if len(set(self.facts)) != len(self.facts):
            raise wrong("fact-twice", "/facts")
        if self.table and self.tree:
            raise wrong("two-forms", "/tree")
        return self


def read_document(raw: Any) -> tuple[RuleDocument | None, tuple[Finding, ...]]:
    """A document, or what keeps it from being one. The limits come first: what follows may recurse."""
    if broken := within_limits(raw):
        return None, (broken,)
    if not isinstance(raw, dict):
        return None, (finding("not-a-document", ""),)
    try:
        return RuleDocument.model_validate(raw), ()
    except ValidationError as invalid:
        return None, malformed(raw, invalid)


def load(raw: Any) -> RuleDocument:
    """Read a document. Raises RuleUnusable with the JSON Pointer of the first thing that is wrong.

    Whether its logic is sound is asked of `rules.checking` and, at the latest, of the engine when it compiles.
    """
    document, findings = read_document(raw)
    refuse(findings)
    if document is None:
        raise RuleUnusable("not a rule document", pointer="")
    return document
