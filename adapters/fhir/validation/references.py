"""What a literal reference may look like (https://hl7.org/fhir/R4/references.html#literal)."""

from __future__ import annotations

import re
from functools import cache

from domain import fhir

_ID = r"[A-Za-z0-9.-]{1,64}"
_VERSION = rf"(?:/_history/{_ID})?"
_ABSOLUTE = r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20]+"


@cache
def pattern(*, local: bool = False) -> str:
    """`Type/id`, with or without a version, or absolute; `local`: `#id` too."""
    types = "|".join(sorted(fhir.resource_types()))
    own = rf"|#(?:{_ID})?" if local else ""
    return rf"^(?:(?:{types})/{_ID}{_VERSION}|{_ABSOLUTE}{own})$"


def is_literal(reference: str) -> bool:
    return re.fullmatch(pattern(), reference) is not None


def is_search(reference: str) -> bool:
    """`Patient?identifier=…`, which a transaction replaces by what it finds."""
    kind, question, criteria = reference.partition("?")
    return kind in fhir.resource_types() and question == "?" and criteria != ""


def type_of(reference: str) -> str:
    """The resource type that a reference to a FHIR server names, empty where it names none."""
    parts = reference.partition("?")[0].split("/")
    if len(parts) > 3 and parts[-2] == "_history":
        parts = parts[:-2]
    named = parts[-2] if len(parts) > 1 else parts[0]
    return named if named in fhir.resource_types() else ""
