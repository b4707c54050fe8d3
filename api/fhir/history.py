"""history: what became of a resource, a type or everything (hl7.org/fhir/R4/http.html#history)."""

from __future__ import annotations

import re
from http import HTTPStatus

from api.fhir import auditing, bundles, subsets
from api.fhir.exchange import Answer, Call
from api.fhir.reach import reach
from api.fhir.text import Json
from api.fhir.veil import veiled
from api.fhir.versions import time_of
from domain.errors import Invalid
from domain.ids import Reference
from store.audit import AuditAction
from store.database import Transaction
from store.fhir import history as kept
from store.fhir.versions import Version
from store.search.sql import everything

LARGEST_PAGE = 1000
_OURS = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KNOWN = frozenset({"_count", "_since", "_at", "_cursor", "_format", "_pretty", "_summary", "_elements", "_total"})


async def history_instance(call: Call, tx: Transaction) -> Answer:
    """All versions, the deletion among them, newest first. Raises NotFound for what never existed."""
    call.require("r", call.address.type)
    return await _page(call, tx, Reference.to(call.address.type, call.address.id))


async def history_type(call: Call, tx: Transaction) -> Answer:
    call.require("s", call.address.type)
    return await _page(call, tx, call.address.type)


async def history_system(call: Call, tx: Transaction) -> Answer:
    """Of all types that the caller may search."""
    return await _page(call, tx, None)


async def _page(call: Call, tx: Transaction, scope: Reference | str | None) -> Answer:
    unknown = [name for name, _ in call.params if name not in _KNOWN]
    if unknown and call.preference.strict:
        raise Invalid(f"history has no parameter {unknown[0][:64]}", field=unknown[0][:64])
    since, at = call.first("_since"), call.first("_at")
    count = 0 if call.first("_summary") == "count" else count_of(call)
    page = await kept.history(
        tx,
        scope,
        since=time_of(since, "_since")[0] if since else None,
        at=time_of(at, "_at") if at else None,
        count=count,
        cursor=call.first("_cursor"),
        # Counting what somebody reaches of a whole hospital costs more than the page: only who asks pays for it.
        total=isinstance(scope, Reference) or not count or call.first("_total") == "accurate",
        allowed=everything if isinstance(scope, Reference) else await reach(call, tx, one_by_one=True),
    )
    action = AuditAction.READ if isinstance(scope, Reference) else AuditAction.QUERY
    await auditing.note(tx, call, action, page.versions)
    pairs = [(name, value) for name, value in call.params if name in _KNOWN]
    links = [bundles.self_link(call, pairs)]
    if page.next is not None:
        links.append(bundles.next_link(call, pairs, page.next))
    summary, elements = subsets.wishes(call)
    entries = [
        _entry(call, version, subsets.cut(veiled(call, version), summary, elements)) for version in page.versions
    ]
    return Answer(HTTPStatus.OK, bundles.bundle("history", entries, at=call.now, links=links, total=page.total))


def count_of(call: Call) -> int:
    """`_count` of a page, never more than LARGEST_PAGE. Raises Invalid."""
    given = call.first("_count")
    if given is None:
        return 100
    if not (given.isascii() and given.isdecimal()):
        raise Invalid("_count is a number", field="_count")
    return min(int(given[:9]), LARGEST_PAGE)


def _entry(call: Call, version: Version, text: bytes) -> bytes:
    ref = version.reference
    if version.deleted:
        method, url, status = "DELETE", str(ref), "204 No Content"
    elif version.version == 1:
        # The server gives UUIDs; any other id was the client's, by an update.
        made = bool(_OURS.fullmatch(ref.id))
        method, url, status = "POST" if made else "PUT", ref.resource_type if made else str(ref), "201 Created"
    else:
        method, url, status = "PUT", str(ref), "200 OK"
    response: Json = {
        "status": status,
        "etag": f'W/"{version.version}"',
        "lastModified": bundles.instant(version.last_updated),
    }
    return bundles.entry(
        full_url=f"{call.base}/{ref}", resource=text, request={"method": method, "url": url}, response=response
    )
