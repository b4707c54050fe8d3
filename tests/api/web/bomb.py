"""One input made to cost more than it is worth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

KIB = 1024


@dataclass(frozen=True)
class Bomb:
    family: str
    name: str
    go: Callable[[], object]
