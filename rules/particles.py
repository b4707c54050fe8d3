"""Korean particles that follow what a sentence was filled in with: 코드를, 수와, 목록이, 6행으로.

A particle depends on whether the syllable before it ends in a consonant. Sentences write both, as in dictionaries:
`을(를)`. Where the sound is not known, after Latin letters, both stay.
"""

from __future__ import annotations

import re
from typing import Final

_PAIRS: Final = {
    "은(는)": ("은", "는"),
    "이(가)": ("이", "가"),
    "을(를)": ("을", "를"),
    "와(과)": ("과", "와"),
    "(이)라는": ("이라는", "라는"),
    "(으)로": ("으로", "로"),
}
_BOTH: Final = re.compile(
    r"(?P<before>[가-힣0-9])(?P<close>[\"'’”)\]%]*)(?P<pair>" + "|".join(map(re.escape, _PAIRS)) + ")"
)
_FIRST, _LAST_SOUNDS, _RIEUL = ord("가"), 28, 8
_DIGITS: Final = {"0": 21, "1": 8, "3": 16, "6": 1, "7": 8, "8": 8}
"""The last sound of 영 일 삼 육 칠 팔, numbered as Unicode does; the others end in a vowel."""


def fitted(text: str) -> str:
    """The sentence with each particle as it is spoken."""
    return _BOTH.sub(_chosen, text)


def _chosen(found: re.Match[str]) -> str:
    before, pair = found["before"], found["pair"]
    last = _DIGITS.get(before, 0) if before.isdigit() else (ord(before) - _FIRST) % _LAST_SOUNDS
    after_consonant, after_vowel = _PAIRS[pair]
    closed = last != 0 and not (pair == "(으)로" and last == _RIEUL)
    return f"{before}{found['close']}{after_consonant if closed else after_vowel}"
