"""The client's own text of a resource: kept as it came, except for what the server must say in it.

hl7.org/fhir/R4/json.html; "72.50" and "72.5" are different results (hl7.org/fhir/R4/datatypes.html#decimal).
"""

from __future__ import annotations

import json
import re
import secrets
from datetime import UTC, datetime
from decimal import Decimal
from json.decoder import scanstring  # type: ignore[attr-defined]  # the stubs lack it
from typing import Any

_HEAD = re.compile(r'\s*\{\s*(?:"resourceType"\s*:\s*"\w+"\s*(,)?\s*)?')
_SPACE = re.compile(r"[ \t\n\r]*")
_DECODER = json.JSONDecoder()

# The C encoder cannot write a Decimal, so each leaves as a marked string that loses its mark and quotes afterwards.
_MARK = f"\x02{secrets.token_hex(12)}"
_MARKED = re.compile(f'"\\\\u0002{_MARK[1:]}([-+0-9.E]+)"')


def parse(text: bytes) -> dict[str, Any]:
    """A stored resource as Python objects, decimals with their digits."""
    parsed: dict[str, Any] = json.loads(text, parse_float=Decimal)
    return parsed


def written(resource: dict[str, Any]) -> bytes:
    """A resource made by us as text, decimals with the digits they have."""
    text = json.dumps(resource, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_marked)
    return (_MARKED.sub(r"\1", text) if _MARK[1:] in text else text).encode()


def stamped(text: bytes, *, id: str, version: int, last_updated: datetime) -> bytes:  # noqa: A002  # FHIR's name
    """The text with the server's id, versionId and lastUpdated; everything else stays as the client wrote it.

    text: a resource, well-formed.
    """
    source = text.decode()
    kept = ""
    if '"meta"' in source or '"id"' in source:
        source, kept = _without_own(source)
    head = _HEAD.match(source)
    assert head is not None  # noqa: S101  # a resource is an object
    at = last_updated.astimezone(UTC).isoformat()
    own = f'"id":"{id}","meta":{{"versionId":"{version}","lastUpdated":"{at}"{"," if kept else ""}{kept}}}'
    before, rest = source[: head.end()].rstrip(), source[head.end() :].lstrip()
    if not before.endswith(("{", ",")):
        before += ","
    return f"{before}{own}{'' if rest.startswith('}') else ','}{rest}".encode()


def _without_own(source: str) -> tuple[str, str]:
    """The resource without its `id` and `meta`, and the members of `meta` that are the client's."""
    cuts, kept = [], ""
    for name, start, value, end in _members(source):
        if name == "meta":
            kept = _clients(source[value:end])
        if name in {"id", "meta"}:
            cuts.append((start, end))
    for start, end in reversed(cuts):
        after = _SPACE.match(source, end).end()  # type: ignore[union-attr]  # matches anything
        if source[after] == ",":
            source = source[:start] + source[after + 1 :].lstrip()
        else:
            source = source[:start].rstrip().removesuffix(",") + source[end:]
    return source, kept


def _clients(meta: str) -> str:
    own = {"versionId", "lastUpdated", "_versionId", "_lastUpdated"}
    if not meta.startswith("{"):
        return ""
    return ",".join(meta[start:end] for name, start, _, end in _members(meta) if name not in own)


def _members(source: str) -> list[tuple[str, int, int, int]]:
    """Name, its beginning, the value's beginning and end, of each member of the object that `source` is."""
    found = []
    at = _space(source, _space(source, 0) + 1)
    while source[at] != "}":
        start = at
        name, at = scanstring(source, at + 1)
        value = _space(source, _space(source, at) + 1)
        _, end = _DECODER.raw_decode(source, value)
        found.append((name, start, value, end))
        at = _space(source, end)
        if source[at] == ",":
            at = _space(source, at + 1)
    return found


def _space(source: str, at: int) -> int:
    return _SPACE.match(source, at).end()  # type: ignore[union-attr]  # matches anything


def _marked(value: object) -> str:
    if isinstance(value, Decimal) and value.is_finite():
        return f"{_MARK}{value}"
    raise TypeError(f"{type(value).__name__} does not stand in JSON")
