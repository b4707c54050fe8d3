"""How much of the demo hospitals is there at the start."""

from __future__ import annotations

from enum import StrEnum


class Demo(StrEnum):
    NONE = "none"
    SMALL = "small"
    FULL = "full"
