"""Code systems that are a grammar, not a list: UCUM, MIME types, language tags.

hl7.org/fhir/R4/terminologies-systems.html. Their codes can be recognised and cannot be listed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from domain import ucum

UCUM = "http://unitsofmeasure.org"
MIME_TYPES = "urn:ietf:bcp:13"
LANGUAGES = "urn:ietf:bcp:47"

_TOKEN = r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"  # RFC 6838, 4.2  # noqa: S105  # no password
_MIME = re.compile(rf"{_TOKEN}/{_TOKEN}(?:\s*;\s*[^\s;=]{{1,60}}=[^;]{{1,120}})*")
_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|\d{3}))?(?:-[A-Za-z0-9]{1,8}){0,5}")

Recognises = Callable[[str], bool | None]


def _unit(code: str) -> bool | None:
    # UCUM has more units than are known here: what is not known is no error.
    return True if ucum.parse(code) is not None else None


_GRAMMARS: Mapping[str, Recognises] = {
    UCUM: _unit,
    MIME_TYPES: lambda code: _MIME.fullmatch(code) is not None,
    LANGUAGES: lambda code: _TAG.fullmatch(code) is not None,
}


def grammar(system: str) -> Recognises | None:
    """Whether a code is one of a system that is a grammar, None where that cannot be told; None for other systems."""
    return _GRAMMARS.get(system)
