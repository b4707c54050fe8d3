"""The sizes of hospitals that packs are made for."""

from __future__ import annotations

from enum import StrEnum


class Size(StrEnum):
    """The packs, each with all of the one before but its places."""

    CLINIC = "clinic"
    GENERAL = "general"
    TERTIARY = "tertiary"
