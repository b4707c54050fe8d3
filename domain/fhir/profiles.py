"""HL7's profiles and extensions of R4: StructureDefinitions that constrain a type, without their prose."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from domain.fhir import tables


@lru_cache(maxsize=64)
def profile(url: str) -> dict[str, Any] | None:
    """The definition that a canonical URL names, with its snapshot; a version behind `|` is not looked at."""
    found: dict[str, Any] | None = tables.entry("structures", f"profile/{url.partition('|')[0]}")
    return found


def profile_urls() -> tuple[str, ...]:
    prefix = "profile/"
    return tuple(name.removeprefix(prefix) for name in tables.names("structures") if name.startswith(prefix))
