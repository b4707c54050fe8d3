"""Canonical URLs with versions, and which of several versions is meant (hl7.org/fhir/R4/references.html#canonical)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple, Protocol, Self, TypeVar

_NUMBERS = re.compile(r"\d+|\D+")
_STATUS = {"active": 3, "": 2, "unknown": 2, "draft": 1, "retired": 0}


class Canonical(NamedTuple):
    """`version` is empty where none is named."""

    url: str
    version: str = ""

    @classmethod
    def of(cls, text: str) -> Self:
        """`url|version`; a fragment names a part of the thing, not another thing."""
        url, _, version = text.partition("|")
        return cls(url.partition("#")[0] if not url.startswith("#") else url, version)

    def __str__(self) -> str:
        return f"{self.url}|{self.version}" if self.version else self.url


class Versioned(Protocol):
    @property
    def version(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def date(self) -> str: ...


_V = TypeVar("_V", bound=Versioned)


def newest(known: Iterable[_V], version: str = "") -> _V | None:
    """Of several things with one URL the one of a version; without a version the active one of the highest.

    A version that only begins one, `2.1` for `2.1.4`, means the highest that it begins.
    """
    listed = list(known)
    if version:
        exact = [each for each in listed if each.version == version]
        listed = exact or [each for each in listed if each.version.startswith(f"{version}.")]
    return max(listed, key=_rank, default=None)


def _rank(each: Versioned) -> tuple[int, list[tuple[int, int, str]], str]:
    parts = [(1, int(part), "") if part.isdecimal() else (0, 0, part) for part in _NUMBERS.findall(each.version)]
    return _STATUS.get(each.status, 0), parts, each.date
