"""What each primitive type of R4 may hold (https://hl7.org/fhir/R4/datatypes.html#primitive).

One pattern serves both validators: Python's `re` and the linear-time engine behind the schema read it alike, so it uses
no look-around and writes out the classes whose meaning differs between engines.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

LONGEST_STRING = 1024 * 1024  # "strings SHALL NOT exceed 1MB in size"
LARGEST_INTEGER = 2**31 - 1

# XML, the other form of the same resource, cannot hold control characters; PostgreSQL cannot hold the first of them.
_CHARACTER = r"[^\x00-\x08\x0b\x0c\x0e-\x1f]"
_VISIBLE = r"[^\x00-\x20]"

_YEAR = r"(?:[0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)"
_LEAP_YEAR = r"(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
_MONTH = r"(?:0[1-9]|1[0-2])"
_DAY = (
    rf"(?:{_YEAR}-(?:{_MONTH}-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
    rf"|{_LEAP_YEAR}-02-29)"
)
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_ZONE = r"(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"

PATTERNS: dict[str, str] = {
    "string": rf"{_CHARACTER}+",
    "markdown": rf"{_CHARACTER}+",
    "code": rf"{_VISIBLE}+(?: {_VISIBLE}+)*",
    "id": r"[A-Za-z0-9.-]{1,64}",
    "uri": rf"{_VISIBLE}+",
    "url": rf"{_VISIBLE}+",
    "canonical": rf"{_VISIBLE}+",
    "oid": r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+",
    "uuid": r"urn:uuid:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}",
    "base64Binary": r"(?:[ \t\r\n]*[0-9a-zA-Z+/=]){4}(?:(?:[ \t\r\n]*[0-9a-zA-Z+/=]){4})*[ \t\r\n]*",
    "date": rf"(?:{_YEAR}(?:-{_MONTH})?|{_DAY})",
    "dateTime": rf"(?:{_YEAR}(?:-{_MONTH})?|{_DAY}(?:T{_TIME}{_ZONE})?)",
    "instant": rf"{_DAY}T{_TIME}{_ZONE}",
    "time": _TIME,
    "xhtml": rf"{_CHARACTER}+",
}

SAYS: dict[str, str] = {
    "string": "text that is not empty, without control characters, of at most 1 MB",
    "markdown": "text that is not empty, without control characters, of at most 1 MB",
    "code": "a code: no blank at either end, and none but single ones within",
    "id": "an id: 1 to 64 letters, digits, `-` and `.`",
    "uri": "a URI, without blanks",
    "url": "a URL, without blanks",
    "canonical": "a canonical URL, without blanks",
    "oid": "an OID as a URN: `urn:oid:1.2.3`",
    "uuid": "a UUID as a URN: `urn:uuid:` and 36 characters",
    "base64Binary": "base64",
    "date": "a date that exists: `2026`, `2026-03` or `2026-03-09`",
    "dateTime": "a date that exists, or a date with time, seconds and zone: `2026-03-09T10:15:00+09:00`",
    "instant": "a date with time, seconds and zone: `2026-03-09T10:15:00.000+09:00`",
    "time": "a time of day with seconds: `10:15:00`",
    "xhtml": "XHTML",
    "boolean": "true or false",
    "decimal": "a number",
    "integer": "a whole number, written without a fraction, of 32 bits",
    "unsignedInt": "a whole number from 0 to 2147483647, written without a fraction",
    "positiveInt": "a whole number from 1 to 2147483647, written without a fraction",
}

SMALLEST: dict[str, int] = {"integer": -LARGEST_INTEGER - 1, "unsignedInt": 0, "positiveInt": 1}
# Types whose length the standard leaves open: content of documents and narratives.
_UNBOUNDED = {"base64Binary", "xhtml"}

_COMPILED = {name: re.compile(pattern) for name, pattern in PATTERNS.items()}


def holds(kind: str, value: Any) -> bool:
    """Whether a JSON value is one of a primitive type."""
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "decimal":
        return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    if kind in SMALLEST:
        whole = isinstance(value, int) and not isinstance(value, bool)
        return whole and SMALLEST[kind] <= value <= LARGEST_INTEGER
    if not isinstance(value, str) or (len(value) > LONGEST_STRING and kind not in _UNBOUNDED):
        return False
    return _COMPILED[kind].fullmatch(value) is not None


def schema(kind: str) -> dict[str, Any]:
    """The JSON schema of a primitive type."""
    if kind == "boolean":
        return {"type": "boolean"}
    if kind == "decimal":
        return {"type": "number"}
    if kind in SMALLEST:
        # `integer` alone lets 1.0 through
        return {"type": "integer", "minimum": SMALLEST[kind], "maximum": LARGEST_INTEGER, "whole": True}
    if kind == "xhtml":
        return {"type": "string", "format": "narrative"}
    limits = {} if kind in _UNBOUNDED else {"maxLength": LONGEST_STRING}
    return {"type": "string", "pattern": f"^(?:{PATTERNS[kind]})$", **limits}
