"""What is wrong with a rule, where, and in words: the one vocabulary of reader, checker and table analysis."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from domain.errors import RuleUnusable
from rules.particles import fitted
from rules.sentences import SENTENCES

MOST_FINDINGS = 100
"""A document with more is told the first ones: looking for what was meant takes time, and nobody reads on."""

_LONGEST_WORD = 80


class Severity(StrEnum):
    """ERROR: refused on save. WARNING: saved, publishing asks for a word. NOTE: to know."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """`code` is stable. `pointer` is a JSON Pointer (RFC 6901) into the document. Both sentences name the details."""

    code: str
    severity: Severity
    pointer: str
    en: str
    ko: str

    @property
    def refuses(self) -> bool:
        return self.severity is Severity.ERROR


def finding(code: str, pointer: str, severity: Severity = Severity.ERROR, /, **details: object) -> Finding:
    """A finding with its two sentences filled in. Raises KeyError for a code without sentences."""
    en, ko = SENTENCES[code]
    return Finding(code, severity, pointer, en.format(**details), fitted(ko.format(**details)))


def did_you_mean(word: str, known: Iterable[str]) -> dict[str, str]:
    """The details `hint_en` and `hint_ko`: the nearest known word as a question, empty when nothing is near."""
    near = get_close_matches(word, sorted(known), n=1, cutoff=0.6) if len(word) <= _LONGEST_WORD else []
    if not near:
        return {"hint_en": "", "hint_ko": ""}
    return {"hint_en": f" Did you mean {near[0]}?", "hint_ko": f" 혹시 {near[0]}입니까?"}


def refuse(findings: Iterable[Finding]) -> None:
    """Raises RuleUnusable for the first error among `findings`, with its place."""
    for found in findings:
        if found.refuses:
            raise RuleUnusable(found.en, pointer=found.pointer, finding=found.code)


def escaped(name: object) -> str:
    """A member name as it stands in a JSON Pointer."""
    return str(name).replace("~", "~0").replace("/", "~1")
