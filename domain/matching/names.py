"""A person's name as family and given name, whatever its script and order, and how near two of them are.

Korean names are mostly kept whole (김하나), and romanised in either order, with hyphens, spaces or none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Any

from domain.matching.sounds import decomposed, is_hangul, sound

Name = tuple[str, str]
"""Family and given name, normalised, without spaces; the given name may be empty."""

_COMPOUND = frozenset("남궁 황보 제갈 사공 선우 서문 독고 동방 어금 망절 강전 장곡 소봉".split())  # noqa: SIM905
_LONGEST = 100
_MOST = 8


class Nearness(StrEnum):
    """How near two names are; the first that holds counts."""

    SAME = "same"  # letter by letter, in any order, Unicode form and case
    SOUNDS = "sounds"  # in another spelling or script
    ALIKE = "alike"  # but for a letter or two
    PART = "part"  # family name or given name
    DIFFERENT = "different"


@lru_cache(maxsize=8192)
def plain(text: str) -> str:
    """Letters only: without case, accents, hyphens and spaces; Hangul in syllables, whatever form it came in."""
    parts = unicodedata.normalize("NFKD", text[:_LONGEST]).casefold()
    bare = "".join(sign for sign in parts if unicodedata.category(sign)[0] == "L")
    return unicodedata.normalize("NFC", bare)


def names_of(patient: Mapping[str, Any]) -> set[Name]:
    """Every way to read a Patient's names."""
    listed = patient.get("name")
    found: set[Name] = set()
    for name in listed[:_MOST] if isinstance(listed, list) else ():
        if isinstance(name, dict):
            found.update(_readings(name))
    return found


def _readings(name: Mapping[str, Any]) -> Iterator[Name]:
    family, given = name.get("family"), _texts(name.get("given"))
    if isinstance(family, str) and plain(family):
        yield plain(family), plain("".join(given))
        if len(given) > 1 and not is_hangul(given[0]):  # a middle name is often left out
            yield plain(family), plain(given[0])
    elif given:
        yield from _whole(" ".join(given))
    text = name.get("text")
    if isinstance(text, str):
        yield from _whole(text)


def _whole(text: str) -> Iterator[Name]:
    """A name in one piece: the family name may lead or follow; without spaces it is Korean, and it leads."""
    words = [word for each in re.split(r"[\s,]+", text[:_LONGEST]) if (word := plain(each))]
    if len(words) == 1 and is_hangul(words[0]) and len(words[0]) > 1:
        cut = 2 if words[0][:2] in _COMPOUND and len(words[0]) > 2 else 1
        yield words[0][:cut], words[0][cut:]
    elif words:
        yield words[0], "".join(words[1:])
        if len(words) > 1 and not is_hangul(words[0]):
            yield words[-1], "".join(words[:-1])


def _texts(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def nearness(some: Iterable[Name], others: Iterable[Name]) -> Nearness | None:
    """The nearest that any two readings are; None where one side has no name."""
    pairs = [(one, other) for one in some for other in others]
    order = list(Nearness)
    return min((_near(*pair) for pair in pairs), key=order.index) if pairs else None


def _near(one: Name, other: Name) -> Nearness:
    whole, others = "".join(one), "".join(other)
    if one == other or (whole == others and bool(one[1]) == bool(other[1])):
        return Nearness.SAME
    # The sound forgets 정 and 종 are two names: between two in Hangul it says nothing.
    both_hangul = is_hangul(whole) and is_hangul(others)
    if not both_hangul and one[1] and [sound(each) for each in one] == [sound(each) for each in other]:
        return Nearness.SOUNDS
    if is_hangul(whole) == is_hangul(others) and one[1] and other[1] and _distance_allows(whole, others):
        return Nearness.ALIKE
    if both_hangul or is_hangul(whole) == is_hangul(others):
        shared = any(a and a == b for a, b in zip(one, other, strict=True))
    else:
        shared = any(a and sound(a) == sound(b) for a, b in zip(one, other, strict=True))
    return Nearness.PART if shared else Nearness.DIFFERENT


def _distance_allows(one: str, other: str) -> bool:
    """One wrong letter in a short name, two in a long one; of Hangul the letters of its syllables count."""
    a, b = decomposed(one), decomposed(other)
    allowed = 1 if min(len(a), len(b)) < 9 else 2
    return abs(len(a) - len(b)) <= allowed and distance(a, b) <= allowed


def distance(one: str, other: str) -> int:
    """Letters to insert, leave out, exchange or swap with their neighbour (optimal string alignment)."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]
