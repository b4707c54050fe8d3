"""Known advisories about what is installed, and how old our knowledge of them is (`advisories.toml`)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from domain.manifest import AdvisoryState

TABLE = Path(__file__).with_name("advisories.toml")

STALE = timedelta(days=90)
"""A table that nobody has reviewed for so long says little about today."""

_NUMBERS = re.compile(r"\d+(?:\.\d+)*")


@dataclass(frozen=True)
class Advisory:
    """package: its normal name.  minimum: the first version that is mended.  checked: when we last read it."""

    package: str
    minimum: str
    id: str
    what: str
    source: str
    checked: date

    def mended_in(self, installed: str) -> bool:
        return _numbers(installed) >= _numbers(self.minimum)


@dataclass(frozen=True)
class Advisories:
    reviewed: date
    listed: tuple[Advisory, ...]

    def age(self, today: date) -> timedelta:
        """How old this knowledge is."""
        return today - self.reviewed

    def stale(self, today: date) -> bool:
        return self.age(today) > STALE

    def unmended(self, installed: Callable[[str], str | None] | None = None) -> list[tuple[Advisory, str]]:
        """Advisories that what is installed here has not mended, each with its version; what is not here is not."""
        found = ((each, (installed or installed_version)(each.package)) for each in self.listed)
        return [(each, known) for each, known in found if known is not None and not each.mended_in(known)]


@cache
def advisories() -> Advisories:
    """The table that came with this release."""
    read = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return Advisories(read["reviewed"], tuple(Advisory(**each) for each in read["advisory"]))


def state_on(today: date) -> AdvisoryState:
    """What the security page says of them."""
    known = advisories()
    unmended = tuple((each.package, installed, each.id) for each, installed in known.unmended())
    return AdvisoryState(known.reviewed, known.age(today), known.stale(today), len(known.listed), unmended)


def installed_version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _numbers(text: str) -> tuple[int, ...]:
    """A release as numbers, without zeros at its end: "3.7" and "3.7.0" are one. Before a release counts as it."""
    found = _NUMBERS.match(text)
    numbers = [int(each) for each in found[0].split(".")] if found else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
