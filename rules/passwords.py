"""Whether a password may be chosen: long enough, not known to everybody, not about the person or the house.

NIST SP 800-63B (rev. 4), 3.1.1.2: at least 15 characters where the password is the only proof, at least 8 beside a
second factor; compared with what is common; no rules about kinds of characters, and no changing by the calendar.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum

SHORTEST_ALONE = 15
SHORTEST_BESIDE_A_SECOND_FACTOR = 8
LONGEST = 200

_EASY = 8  # powers of ten: a password that is guessed within so many attempts is refused
_LOOKED_AT = 72  # characters: guessing more than these takes the estimator longer and changes nothing


class Weakness(StrEnum):
    """Why a password is refused."""

    TOO_SHORT = "too-short"
    TOO_LONG = "too-long"
    COMMON = "common"
    SAME = "same"  # the one that is to be replaced; told by whoever knows the hash
    ABOUT_YOU = "about-you"


def shortest(*, second_factor: bool) -> int:
    """Characters that a password has at least."""
    return SHORTEST_BESIDE_A_SECOND_FACTOR if second_factor else SHORTEST_ALONE


def weakness(password: str, about: Iterable[str], *, second_factor: bool) -> Weakness | None:
    """The first reason against a password; None when it may be chosen.

    about: names of the person, the account and the hospital, in any language.
    second_factor: the account has one, or must have one before it opens anything.
    """
    normal = unicodedata.normalize("NFKC", password)
    if len(normal) > LONGEST:
        return Weakness.TOO_LONG
    if len(normal) < shortest(second_factor=second_factor):
        return Weakness.TOO_SHORT
    words = sorted(_words(about))
    folded = normal.casefold()
    if any(word in folded for word in words):
        return Weakness.ABOUT_YOU
    return Weakness.COMMON if _powers_of_ten(normal, words) < _EASY else None


def _words(about: Iterable[str]) -> set[str]:
    """What must not stand in the password: whole names, and their parts. Two Hangul syllables are a name already."""
    found = set()
    for text in about:
        folded = unicodedata.normalize("NFKC", text).casefold()
        for word in {folded, *re.split(r"[\s@._-]+", folded)}:
            if len(word) >= (2 if re.fullmatch("[가-힣]+", word) else 4):
                found.add(word)
    return found


def _powers_of_ten(password: str, words: Iterable[str]) -> float:
    from zxcvbn import zxcvbn  # noqa: PLC0415  (its lists take a tenth of a second to load)

    return float(zxcvbn(password[:_LOOKED_AT], user_inputs=list(words))["guesses_log10"])
