"""Version-aware headers: ETag, If-Match, If-None-Match, If-Modified-Since.

hl7.org/fhir/R4/http.html#concurrency and #cread
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from api.fhir.exchange import Answer, Call
from domain.errors import Invalid, StaleRevision
from domain.ids import Reference
from store.fhir.versions import Head, Version
from store.search.instants import span

_ETAG = re.compile(r'(?:W/)?"(\d{1,9})"')


def wanted_version(call: Call) -> int | None:
    """The version that If-Match names; None without one. Raises Invalid for anything that is no ETag of ours."""
    given = call.headers.get("if-match")
    if given is None or given.strip() == "*":
        return None
    match = _ETAG.fullmatch(given.strip())
    if match is None:
        raise Invalid('If-Match reads W/"version"', field="http.If-Match")
    return int(match[1])


def refuse_stale(call: Call, ref: Reference, head: Head | None) -> None:
    """Raises StaleRevision unless the newest version is the one that If-Match names (412)."""
    wanted = wanted_version(call)
    if "if-match" not in call.headers:
        return
    actual = head.version if head is not None and not head.deleted else 0
    if actual == 0 or (wanted is not None and wanted != actual):
        expected = "any" if wanted is None else str(wanted)
        raise StaleRevision(
            f"the newest version is {actual}, not {expected}" if actual else "there is no such resource",
            reference=ref,
            expected=expected,
            actual=str(actual),
        )


def unchanged(call: Call, version: Version) -> bool:
    """Whether a conditional read finds nothing new."""
    given = call.headers.get("if-none-match")
    if given is not None:
        return given.strip() == "*" or str(version.version) in _ETAG.findall(given)
    since = call.headers.get("if-modified-since")
    if since is None:
        return False
    try:
        at = parsedate_to_datetime(since)
    except ValueError:
        return False  # RFC 9110, 13.1.3: a date that cannot be read is as if it were not there
    return version.last_updated.replace(microsecond=0) <= (at if at.tzinfo else at.replace(tzinfo=UTC))


def location(call: Call, version: Version) -> str:
    return f"{call.base}/{version.reference}/_history/{version.version}"


def answer(status: int, version: Version, body: bytes, *, at: str | None = None) -> Answer:
    """An answer about one version, with its headers. `at`: its Location."""
    return Answer(status, body, version.version, version.last_updated, at)


def time_of(text: str, name: str) -> tuple[datetime, datetime]:
    """`[low, high)` of a date or an instant in a parameter, by its precision. Raises Invalid naming the parameter."""
    found = span(text.replace(" ", "+"))  # a plus that was not encoded arrives as a space
    if found is None:
        raise Invalid("not an instant such as 2026-11-23T10:00:00+09:00", field=name)
    return found
