"""Resident registration numbers in links to the next page: sealed, because addresses are written down.

A proxy's log and a browser's history keep addresses. A client that does not want its own first address there sends the
search by POST.
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


def sealed(tx: Transaction, pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Parameters with the numbers in their values sealed."""

    def one(match: re.Match[str]) -> str:
        if resident_numbers.parse(match[0]) is None:
            return match[0]
        made = seal(tx.keys, match[0].encode(), place(tx.hospital, _PURPOSE), purpose=_PURPOSE, hospital=tx.hospital)
        return f"sealed~{made.key_id}~{base64.urlsafe_b64encode(made.data).decode()}"

    return [(name, _NUMBER.sub(one, value)) for name, value in pairs]


def opened(tx: Transaction, pairs: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    """The parameters as they were. Raises Invalid for what we have not sealed."""

    def one(match: re.Match[str]) -> str:
        try:
            found = Sealed(match[1], base64.urlsafe_b64decode(match[2]))
            return open_(tx.keys, found, place(tx.hospital, _PURPOSE), purpose=_PURPOSE, hospital=tx.hospital).decode()
        except (binascii.Error, SealBroken):
            raise Invalid("a sealed value that is not of this search", field="") from None

    if not any("sealed~" in value for _, value in pairs):
        return pairs
    return [(name, _SEALED.sub(one, value)) for name, value in pairs]
