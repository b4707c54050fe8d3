"""What must not stand in the address of a next page is sealed there: addresses are written down.

A proxy's log and a browser's history keep addresses. Resident registration numbers are sealed always; everything that a
client sent by POST, to keep it out of its own address, stays out of ours too.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence

from domain import resident_numbers
from domain.errors import Invalid, SealBroken
from store.database import Transaction
from store.sealing import Sealed, open_, place, seal

_PURPOSE = "link"
_NUMBER = re.compile(r"(?<![0-9])[0-9]{6}-?[0-9]{7}(?![0-9])")
_SEALED = re.compile(r"sealed~([A-Za-z0-9._-]+)~([A-Za-z0-9_-]+=*)")


_ABOUT_THE_PAGE = frozenset(
    {"_count", "_elements", "_format", "_include", "_pretty", "_revinclude", "_sort", "_summary", "_total", "_type"}
)
"""Parameters that say nothing of anybody."""


def sealed(tx: Transaction, pairs: Iterable[tuple[str, str]], *, whole: bool) -> list[tuple[str, str]]:
    """Parameters with the numbers in their values sealed, or with `whole` all that is asked for."""

    def one(text: str) -> str:
        made = seal(tx.keys, text.encode(), place(tx.hospital, _PURPOSE), purpose=_PURPOSE, hospital=tx.hospital)
        return f"sealed~{made.key_id}~{base64.urlsafe_b64encode(made.data).decode()}"

    def number(match: re.Match[str]) -> str:
        return match[0] if resident_numbers.parse(match[0]) is None else one(match[0])

    if whole:
        return [(name, value if _bare(name) else one(value)) for name, value in pairs]
    return [(name, _NUMBER.sub(number, value)) for name, value in pairs]


def _bare(name: str) -> bool:
    return name.partition(":")[0] in _ABOUT_THE_PAGE


def hides(pairs: Iterable[tuple[str, str]]) -> bool:
    """Whether something is sealed: then it is in the next link, too."""
    return any("sealed~" in value for _, value in pairs)


def opened(tx: Transaction, pairs: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    """The parameters as they were. Raises Invalid for what we have not sealed."""

    def one(match: re.Match[str]) -> str:
        try:
            found = Sealed(match[1], base64.urlsafe_b64decode(match[2]))
            return open_(tx.keys, found, place(tx.hospital, _PURPOSE), purpose=_PURPOSE, hospital=tx.hospital).decode()
        except (binascii.Error, SealBroken):
            raise Invalid("a sealed value that is not of this search", field="") from None

    if not hides(pairs):
        return pairs
    return [(name, _SEALED.sub(one, value)) for name, value in pairs]
