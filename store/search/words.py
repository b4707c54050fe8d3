"""Words of health, found without being kept: of each text keyed hashes of its beginnings and of the whole.

A beginning of a few characters is a coarse bucket: it narrows a search to some bodies, and these decide. Who copies the
table learns which records of a hospital begin alike, and nothing of what they say (ADR 0028).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from domain import resident_numbers
from store.search.keyed import Hash, hashed
from store.search.normal import folded, normal
from store.search.places import WORDS
from store.search.query import StringValue
from store.search.sql import TRUE, Sql, either
from store.search.values import TokenRow, strings

SHORT, LONG = 4, 12
"""How much of a text is hashed: a letter weighs one, a syllable of Hangul or any later sign of Unicode two."""

FORMERLY = {hashed(f"{path}|words"): hashed(f"{path}|string") for path in sorted(WORDS)}
"""Where a place's texts stood readable in `search_string`, before they were words."""

_HEAVY = "\u1100"


def word_rows(value: Any, hash_: Hash) -> list[TokenRow]:
    """Code and system of rows of `search_token`: a beginning, and beside the shortest the whole text."""
    rows = []
    for text in map(resident_numbers.masked_text, strings(value)):
        wanted = normal(text)
        rows.append((_key(hash_, wanted, SHORT), hash_(f"=w{text}")))
        if _beginning(wanted, LONG) is not None:
            rows.append((_key(hash_, wanted, LONG), 0))
    return rows


def compared(values: Sequence[StringValue], modifier: str, hashes: Sequence[Hash]) -> Sql:
    """A condition on rows of `search_token`, x, that those who match meet; TRUE where hashes say nothing."""
    ways = [_way(value.text, modifier, hash_) for hash_ in hashes for value in values]
    return TRUE if TRUE in ways else either(ways)


def meets(texts: Iterable[Any], values: Sequence[StringValue], modifier: str) -> bool:
    """Whether any value of a body is one that is asked for, as `string` has it in R4."""
    found = [resident_numbers.masked_text(text) for value in texts for text in strings(value)]
    if modifier == "exact":
        return any(value.text in found for value in values)
    if modifier == "contains":
        whole = [folded(text) for text in found]
        return any(folded(value.text) in text for value in values for text in whole)
    beginnings = [normal(text) for text in found]
    return any(text.startswith(normal(value.text)) for value in values for text in beginnings)


def _way(text: str, modifier: str, hash_: Hash) -> Sql:
    wanted = normal(text)
    if modifier == "exact":
        return Sql("x.code = %s and x.system = %s", (_key(hash_, wanted, SHORT), hash_(f"=w{text}")))
    for weight in (LONG, SHORT):
        if modifier == "" and _beginning(wanted, weight) is not None:
            return Sql("x.code = %s", (_key(hash_, wanted, weight),))
    return TRUE


def _key(hash_: Hash, wanted: str, weight: int) -> int:
    return hash_(f"{weight}w{_beginning(wanted, weight) or wanted}")


def _beginning(wanted: str, weight: int) -> str | None:
    """The least beginning of this weight; None for a text that is lighter."""
    if len(wanted) >= weight and wanted.isascii():
        return wanted[:weight]
    reached = 0
    for end, each in enumerate(wanted, 1):
        reached += 2 if each >= _HEAVY else 1
        if reached >= weight:
            return wanted[:end]
    return None
