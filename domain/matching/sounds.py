"""Names as they sound, so that 김하나, Kim Ha-na and GIM HANA are one, and 이 is Lee, Yi and Rhee.

Hangul is written by the Revised Romanization, syllable by syllable; then every spelling, that one too, is reduced to
what the customary romanisations of Korean names have in common. Other names pass through the same reduction: it
forgets much, so that a sound alone is never proof.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_FIRST, _LAST = 0xAC00, 0xD7A3  # Hangul syllables: 19 initials x 21 vowels x 28 finals
_INITIALS = "g,kk,n,d,tt,r,m,b,pp,s,ss,,j,jj,ch,k,t,p,h".split(",")  # noqa: SIM905  # shorter than a list
_VOWELS = "a,ae,ya,yae,eo,e,yeo,ye,o,wa,wae,oe,yo,u,wo,we,wi,yu,eu,ui,i".split(",")  # noqa: SIM905
_FINALS = ",k,k,k,n,n,n,t,l,k,m,l,l,l,p,l,m,p,p,t,t,ng,t,t,k,t,p,t".split(",")  # noqa: SIM905

# In this order. Digraphs first; what romanisations disagree about becomes one sign.
_REDUCTIONS = [
    (re.compile(pattern), sign)
    for pattern, sign in (
        (r"ng", "@"),
        (r"ck|kk|gg|g|q", "k"),
        (r"tch|ch|jj|zh|j", "c"),
        (r"sh|ss|z", "s"),
        (r"tt|dd|th|d", "t"),
        (r"pp|bb|ph|b|f", "p"),
        (r"rh", "r"),
        (r"y?eui|ui", "i"),
        (r"eo|eu|oo|ou|ow|u", "o"),
        (r"oe|oy", "oi"),
        (r"ae|ai|ay|ea(?=[kn])", "e"),
        (r"ee|ie|ey|iy", "i"),
        (r"(?<=[aeio])h(?![aeiowy])", ""),
        (r"(?<=[aeio])r(?![aeiowy])", ""),
        (r"^[rl](?=[iy])", ""),
        (r"^[rl]", "n"),
        (r"r", "l"),
        (r"^[wy](?=i)", ""),
        (r"w(?=o)", ""),
        (r"(.)\1+", r"\1"),
    )
]


def decomposed(text: str) -> str:
    """Hangul as single letters, so that one wrong stroke is one letter's difference; other text as it is."""
    return unicodedata.normalize("NFD", text)


def is_hangul(text: str) -> bool:
    return any(_FIRST <= ord(sign) <= _LAST for sign in text)


def romanised(text: str) -> str:
    """Hangul by the Revised Romanization (문화체육관광부 고시 제2014-42호), each syllable by itself, as in names."""
    return "".join(_syllable(sign) for sign in text)


def _syllable(sign: str) -> str:
    number = ord(sign) - _FIRST
    if not 0 <= number <= _LAST - _FIRST:
        return sign
    return _INITIALS[number // 588] + _VOWELS[number % 588 // 28] + _FINALS[number % 28]


@lru_cache(maxsize=8192)
def sound(text: str) -> str:
    """What a word has in common with its other spellings. `text`: normalised (`domain.matching.names`), no spaces."""
    sounds = romanised(text)
    for pattern, sign in _REDUCTIONS:
        sounds = pattern.sub(sign, sounds)
    return sounds
