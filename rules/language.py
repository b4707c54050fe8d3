"""The words of the profile `jl-strict/1`: its operators, how many arguments each takes, and what is kept out and why.

Everything that reads a rule (syntax, checker, oracle, editor) takes its operators from here. The profile is narrower
than the evaluator: what the evaluator would coerce, the profile does not write.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

PROFILE: Final = "jl-strict/1"
OPERATIONS_BUDGET: Final = 100_000
LARGEST_NUMBER: Final = 2**53 - 1  # beyond it a double no longer tells neighbours apart


@dataclass(frozen=True)
class Operator:
    """`least` and `most` arguments; `most` None for any number. `scoped`: the second argument sees list elements."""

    name: str
    least: int
    most: int | None
    scoped: bool = False

    def takes(self, count: int) -> bool:
        return self.least <= count and (self.most is None or count <= self.most)

    @property
    def expected(self) -> str:
        if self.most is None:
            return f"{self.least}+"
        return str(self.least) if self.least == self.most else f"{self.least}-{self.most}"


def _operators(*entries: tuple[str, int, int | None]) -> dict[str, Operator]:
    return {name: Operator(name, least, most, name in _SCOPED) for name, least, most in entries}


_SCOPED = frozenset({"map", "filter", "all", "some", "none", "reduce"})

OPERATORS: Final = _operators(
    ("var", 1, 2), ("exists", 1, None), ("missing", 1, None), ("missing_some", 2, 2), ("??", 2, None),
    ("if", 3, None), ("switch", 3, 3), ("and", 1, None), ("or", 1, None), ("!", 1, 1), ("!!", 1, 1),
    ("==", 2, 2), ("===", 2, 2), ("!=", 2, 2), ("!==", 2, 2),
    ("<", 2, 3), ("<=", 2, 3), (">", 2, 2), (">=", 2, 2),
    ("+", 2, None), ("-", 1, 2), ("*", 2, None), ("/", 2, 2), ("%", 2, 2),
    ("min", 1, None), ("max", 1, None), ("abs", 1, 1), ("ceil", 1, 1), ("floor", 1, 1),
    ("in", 2, 2), ("merge", 1, None), ("length", 1, 1),
    ("map", 2, 2), ("filter", 2, 2), ("all", 2, 2), ("some", 2, 2), ("none", 2, 2), ("reduce", 3, 3),
    ("cat", 1, None), ("substr", 2, 3), ("starts_with", 2, 2), ("ends_with", 2, 2),
    ("parse_date", 2, 2), ("date_diff", 3, 3),
)  # fmt: skip

ALIASES: Final = {"?:": "if"}

KEPT_OUT: Final = {
    "log": ("it writes what it reads elsewhere", "읽은 값을 밖으로 내보냅니다"),
    "now": ("the clock arrives as a fact", "시각은 사실로 전달됩니다"),
    "today": ("the clock arrives as a fact", "시각은 사실로 전달됩니다"),
    "try": ("it hides an error, and with it a missing fact", "오류와 빠진 사실을 감춥니다"),
    "throw": ("it hides where the rule goes", "규칙의 흐름을 감춥니다"),
    "val": ("facts are read with var", "사실은 var로 읽습니다"),
    "not": ("negation is written !", "부정은 !로 씁니다"),
    "match": ("it is written switch", "switch로 씁니다"),
}
"""Operators that other engines know, with the reason in English and Korean."""

DATE_FORMAT: Final = "yyyy-MM-dd"
DATE_UNITS: Final = {"days": "d", "hours": "h", "minutes": "min", "seconds": "s"}
"""Units of `date_diff` and what they are in UCUM; whole ones, cut towards zero."""

_DURATION = re.compile(r"[+-]?\s*(?:\d+\s*[dhms][\s:]*)+", re.IGNORECASE)  # linear: whose text it is, nobody knows
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ].*")


def looks_like_time(text: str) -> bool:
    """Whether the evaluator could take this text for a duration or an instant, and compare it by its length in time.

    `"1d" == "24h"` is true for it, under `===` and `in` as well. Somewhat more is caught here than it understands.
    """
    return bool(_DURATION.fullmatch(text) or _INSTANT.fullmatch(text))
