"""What differs between two versions of a rule: as they are written, and in what they decide."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Any

from domain.canonical import canonical_json
from rules.document import RuleDocument
from rules.engine import Evaluated, RuleEngine
from rules.facts import Facts
from rules.findings import escaped


class Kind(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True)
class Change:
    """`pointer` is a JSON Pointer: into the newer document, for what was removed into the older one."""

    kind: Kind
    pointer: str
    before: Any = None
    after: Any = None


@dataclass(frozen=True)
class DecidesDifferently:
    """A case that the two versions answer differently."""

    name: str
    facts: Facts
    before: Evaluated
    after: Evaluated


def changes(before: RuleDocument, after: RuleDocument) -> tuple[Change, ...]:
    """Every difference of two documents. Logic that a table or tree compiles to is left out: its form tells it.

    Rows, tests and other lists are aligned, so that a row put in between is one addition.
    """
    old, new = (document.model_dump(mode="json", by_alias=True, exclude_unset=True) for document in (before, after))
    if (old.get("table") or old.get("tree")) and (new.get("table") or new.get("tree")):
        del old["logic"], new["logic"]
    return tuple(_compared(old, new, "", ""))


def decides_differently(
    engine: RuleEngine, before: RuleDocument, after: RuleDocument, cases: Iterable[tuple[str, Facts]] = ()
) -> tuple[DecidesDifferently, ...]:
    """Which of the cases, and of both versions' attached tests, get another answer. Raises RuleUnusable."""
    attached = [(test.name, test.facts) for document in (before, after) for test in document.tests]
    asked: set[bytes] = set()
    found = []
    for name, facts in (*cases, *attached):
        key = canonical_json(facts)
        if key in asked:
            continue
        asked.add(key)
        one, other = engine.evaluate(before, facts), engine.evaluate(after, facts)
        if one != other or _values(before, one) != _values(after, other):
            found.append(DecidesDifferently(name, facts, one, other))
    return tuple(found)


def _values(document: RuleDocument, evaluated: Evaluated) -> list[dict[str, Any]]:
    return [document.outcomes[key].values for key in evaluated.outcomes]


def _compared(old: Any, new: Any, old_at: str, new_at: str) -> Iterator[Change]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys((*old, *new)):
            here = f"/{escaped(name)}"
            if name not in new:
                yield Change(Kind.REMOVED, old_at + here, before=old[name])
            elif name not in old:
                yield Change(Kind.ADDED, new_at + here, after=new[name])
            else:
                yield from _compared(old[name], new[name], old_at + here, new_at + here)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _aligned(old, new, old_at, new_at)
    elif canonical_json(old) != canonical_json(new):
        yield Change(Kind.CHANGED, new_at, old, new)


def _aligned(old: list[Any], new: list[Any], old_at: str, new_at: str) -> Iterator[Change]:
    was, now = [canonical_json(item) for item in old], [canonical_json(item) for item in new]
    for tag, a, b, c, d in SequenceMatcher(a=was, b=now, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        paired = min(b - a, d - c)
        for place in range(paired):
            where = f"{old_at}/{a + place}", f"{new_at}/{c + place}"
            yield from _compared(old[a + place], new[c + place], *where)
        for place in range(a + paired, b):
            yield Change(Kind.REMOVED, f"{old_at}/{place}", before=old[place])
        for place in range(c + paired, d):
            yield Change(Kind.ADDED, f"{new_at}/{place}", after=new[place])
