"""Text as it is searched: without case, accents and spare spaces (https://hl7.org/fhir/R4/search.html#string)."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

LONGEST = 400
"""Characters of a text that are indexed: a B-tree entry has room for a third of a page."""

_SPACES = re.compile(r"\s+")


@lru_cache(maxsize=8192)
def normal(text: str) -> str:
    """Hangul stays in syllables, so that a search for 기 does not find 김."""
    return folded(text)[:LONGEST]


def folded(text: str) -> str:
    """The same of the whole text."""
    if text.isascii():
        found = text.lower()
    else:
        parts = unicodedata.normalize("NFKD", text).casefold()
        bare = "".join(each for each in parts if unicodedata.category(each) != "Mn")
        found = unicodedata.normalize("NFC", bare)
    return _SPACES.sub(" ", found).strip()


def after(prefix: str) -> str | None:
    """The least text above all that begin with `prefix`, byte by byte; None where there is none."""
    for end in range(len(prefix) - 1, -1, -1):
        code = ord(prefix[end]) + 1
        if code == 0xD800:  # halves of surrogate pairs cannot be written in UTF-8
            code = 0xE000
        if code <= 0x10FFFF:
            return prefix[:end] + chr(code)
    return None
