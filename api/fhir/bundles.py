"""Bundles that answer: assembled from kept texts, never parsed again (hl7.org/fhir/R4/bundle.html)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import quote, urlencode
from uuid import uuid4

from api.fhir.exchange import Call
from api.fhir.text import Json, write
from domain.ids import Reference
from domain.resident_numbers import masked_text

Link = tuple[str, str]


def bundle(
    kind: str, entries: Sequence[bytes], *, at: datetime, links: Iterable[Link] = (), total: int | None = None
) -> bytes:
    """A Bundle's text. `entries`: each an object's text."""
    head: Json = {
        "resourceType": "Bundle",
        "id": str(uuid4()),
        "meta": {"lastUpdated": instant(at)},
        "type": kind,
    }
    if total is not None:
        head["total"] = total
    listed = [{"relation": relation, "url": url} for relation, url in links]
    if listed:
        head["link"] = listed
    text = write(head)
    if not entries:  # an empty array would not be FHIR
        return text
    return b"".join((text[:-1], b',"entry":[', b",".join(entries), b"]}"))


def entry(*, full_url: str = "", resource: bytes = b"", **more: Json) -> bytes:
    """An entry's text: where, what, and what else (`search`, `request`, `response`)."""
    parts = []
    if full_url:
        parts.append(b'"fullUrl":' + json.dumps(full_url).encode())
    if resource:
        parts.append(b'"resource":' + resource)
    parts.extend(b'"%b":%b' % (name.encode(), write(value)) for name, value in more.items())
    return b"{" + b",".join(parts) + b"}"


def found(base: str, reference: Reference, resource: bytes, mode: str) -> bytes:
    """The entry of a resource that a search found, as `entry` writes it: of these a page has many."""
    return b'{"fullUrl":"%b/%b","resource":%b,"search":{"mode":"%b"}}' % (
        _quoted(base),
        reference.encode(),
        resource,
        mode.encode(),
    )


@lru_cache(maxsize=256)
def _quoted(base: str) -> bytes:
    return json.dumps(base)[1:-1].encode()


def self_link(call: Call, pairs: Iterable[tuple[str, str]]) -> Link:
    """The request as it was understood."""
    return "self", address(call, pairs)


def next_link(call: Call, pairs: Iterable[tuple[str, str]], cursor: str) -> Link:
    kept = [(name, value) for name, value in pairs if name != "_cursor"]
    return "next", address(call, [*kept, ("_cursor", cursor)])


def address(call: Call, pairs: Iterable[tuple[str, str]]) -> str:
    """The absolute address of this search or history with other parameters."""
    at = call.address
    match at.interaction:
        case "search-compartment" | "search-audit" if at.compartment:
            path = f"/{at.compartment}/{at.id}/{at.type or '*'}"
        case "history-instance":
            path = f"/{at.type}/{at.id}/_history"
        case "history-type":
            path = f"/{at.type}/_history"
        case "history-system":
            path = "/_history"
        case "operation":
            path = "".join(f"/{part}" for part in (at.type, at.id, f"${at.operation}") if part)
        case _:
            path = f"/{at.type}" if at.type else ""
    shown = [(name, masked_text(value)) for name, value in pairs]  # addresses end up in logs and histories
    query = urlencode(shown, quote_via=quote, safe=":|,/$*")
    return f"{call.base}{path}?{query}" if query else f"{call.base}{path}"


def instant(at: datetime) -> str:
    """As `meta.lastUpdated` says it, so that the two can be compared."""
    return at.astimezone(UTC).isoformat()
